"""The LoRA: peft's layers on the modules that ``networks.lora`` takes, under kohya's names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.tuners_utils import BaseTunerLayer
from safetensors.torch import load_file
from torch import Tensor, nn

#: classes whose linear and 1x1 layers sd-scripts' ``networks.lora`` takes
_UNET, _ENCODER = {"Transformer2DModel"}, {"CLIPAttention", "CLIPSdpaAttention", "CLIPMLP"}


def add_lora(model: nn.Module, rank: int, alpha: float) -> None:
    """Put LoRA layers on a U-Net or a text encoder: down from Kaiming's uniform law, up zero, as kohya's."""
    targets = sorted(_targets(model))
    inject_adapter_in_model(LoraConfig(r=rank, lora_alpha=alpha, target_modules=targets, init_lora_weights=True), model)


def _targets(model: nn.Module) -> Iterator[str]:
    for name, part in model.named_modules():
        if type(part).__name__ in _UNET | _ENCODER:
            for inner, layer in part.named_modules():
                if isinstance(layer, nn.Linear) or (isinstance(layer, nn.Conv2d) and layer.kernel_size == (1, 1)):
                    yield f"{name}.{inner}"


@contextmanager
def without_lora(*models: nn.Module) -> Iterator[None]:
    """Switch the LoRA layers of models off for a while; a model without any is left as it is."""
    layers = [layer for model in models for layer in model.modules() if isinstance(layer, BaseTunerLayer)]
    for layer in layers:
        layer.enable_adapters(enabled=False)
    try:
        yield
    finally:
        for layer in layers:
            layer.enable_adapters(enabled=True)


def parameters(model: nn.Module) -> list[nn.Parameter]:
    """Give the LoRA's parameters."""
    return [part for name, part in model.named_parameters() if ".lora_" in name]


def kohya_state(unet: nn.Module, text_encoder: nn.Module, alpha: float) -> dict[str, Tensor]:
    """Give the weights under kohya's names, float32, with each module's alpha."""
    state = {}
    for model, prefix in ((unet, "lora_unet_"), (text_encoder, "lora_te_text_model_")):
        for name, weights in model.named_parameters():
            if ".lora_" in name:
                module, which = name.removesuffix(".default.weight").rsplit(".lora_", 1)
                stem = prefix + module.removeprefix("text_model.").replace(".", "_")
                state[f"{stem}.lora_{'down' if which == 'A' else 'up'}.weight"] = weights.detach().float().contiguous()
                state[f"{stem}.alpha"] = torch.tensor(float(alpha))
    return state


def encode(tokenizer: Any, text_encoder: Any, captions: list[str], clip_skip: int | None) -> Tensor:
    """Give the states of captions, (captions, tokens, width): of the last layer, or of the one that is asked for."""
    tokens = tokenizer(captions, padding="max_length", truncation=True, return_tensors="pt").input_ids
    tokens = tokens.to(text_encoder.device)
    if not clip_skip:
        return text_encoder(tokens)[0]
    model = getattr(text_encoder, "text_model", text_encoder)  # transformers 5 has one layer less
    return model.final_layer_norm(text_encoder(tokens, output_hidden_states=True).hidden_states[-clip_skip])


def load_lora(path: Path, unet: nn.Module, text_encoder: nn.Module, weight: float) -> None:
    """Add a LoRA in kohya's format to the weights of a model, as a merge would.

    Raises
    ------
    ValueError
        When a module of the LoRA is not in the model.
    """
    state = load_file(path)
    homes: dict[str, Any] = {
        prefix + name.removeprefix("text_model.").replace(".", "_"): layer
        for model, prefix in ((unet, "lora_unet_"), (text_encoder, "lora_te_text_model_"))
        for name, layer in model.named_modules()
    }
    for name in [name for name in state if name.endswith(".lora_down.weight")]:
        stem = name.removesuffix(".lora_down.weight")
        if stem not in homes:
            raise ValueError(f"{path}: the checkpoint has no module {stem}")
        down, up = state[name].float(), state[f"{stem}.lora_up.weight"].float()
        scale = weight * float(state.get(f"{stem}.alpha", torch.tensor(float(len(down))))) / len(down)
        with torch.no_grad():
            change = up.flatten(1) @ down.flatten(1)
            home = homes[stem].weight
            home += (scale * change).reshape(home.shape).to(home)
