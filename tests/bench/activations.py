"""What a training keeps of each family's models: the numbers of ``lorarecipe/estimates/sizes.py``.

Usage: python -m tests.bench.activations

The models are built with a LoRA on torch's meta device, which has shapes and no numbers, and what autograd saves in a
forward pass is summed up, each storage once. With mixed precision, linear and convolutional layers and attention compute
in float16 and norms in float32, as on a GPU. It takes half a minute and no memory to speak of.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from diffusers import UNet2DConditionModel
from peft import LoraConfig
from transformers import CLIPTextConfig, CLIPTextModel

_WIDTHS = (320, 640, 1280)
_UNETS: dict[str, dict[str, Any]] = {
    "sd15": {"cross_attention_dim": 768, "attention_head_dim": 8, "block_out_channels": (*_WIDTHS, 1280)},
    "sd2": {
        "cross_attention_dim": 1024,
        "attention_head_dim": (5, 10, 20, 20),
        "use_linear_projection": True,
        "block_out_channels": (*_WIDTHS, 1280),
    },
    "sdxl": {
        "cross_attention_dim": 2048,
        "attention_head_dim": (5, 10, 20),
        "use_linear_projection": True,
        "block_out_channels": _WIDTHS,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        "transformer_layers_per_block": (1, 2, 10),
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 2816,
    },
}
#: width and layers of the text encoders
_TEXT = {"sd15": ((768, 12),), "sd2": ((1024, 23),), "sdxl": ((768, 12), (1280, 32))}
_MODULES = ["to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2", "proj_in", "proj_out"]
_PIXELS, _RANK = 512, 16


class _Attention(torch.autograd.Function):  # type: ignore[misc]
    """What a kernel for attention keeps: its inputs, its output, and a number for each row."""

    @staticmethod
    def forward(ctx: Any, query: Any, key: Any, value: Any) -> Any:
        out = torch.empty_like(query)
        ctx.save_for_backward(query, key, value, out, query.new_empty(query.shape[:-1], dtype=torch.float32))
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise NotImplementedError


def mixed_precision(on: bool) -> None:
    """Have torch's functions compute as under autocast on a GPU, or as they get it."""

    def cast(tensor: Any, kind: torch.dtype) -> Any:
        return tensor.to(kind) if on and tensor is not None else tensor

    def narrow(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda input, weight, bias=None, *rest: function(  # noqa: A006 - torch's name
            cast(input, torch.float16), cast(weight, torch.float16), cast(bias, torch.float16), *rest
        )

    def wide(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda input, how, weight=None, bias=None, eps=1e-5: function(  # noqa: A006 - torch's name
            cast(input, torch.float32), how, cast(weight, torch.float32), cast(bias, torch.float32), eps
        )

    linear, convolve, layer, group = (_LINEAR, _CONVOLVE, _LAYER, _GROUP)
    narrow_linear, wide_layer, wide_group = narrow(linear), wide(layer), wide(group)
    F.linear = lambda input, weight, bias=None: narrow_linear(input, weight, bias)  # noqa: A006
    F.layer_norm = lambda input, normalized_shape, weight=None, bias=None, eps=1e-5: wide_layer(  # noqa: A006
        input, normalized_shape, weight, bias, eps
    )
    F.group_norm = lambda input, num_groups, weight=None, bias=None, eps=1e-5: wide_group(  # noqa: A006
        input, num_groups, weight, bias, eps
    )
    torch.nn.Conv2d._conv_forward = lambda self, input, weight, bias: narrow(convolve)(  # noqa: A006
        input, weight, bias, self.stride, self.padding, self.dilation, self.groups
    )
    F.scaled_dot_product_attention = lambda query, key, value, **_: _Attention.apply(
        cast(query, torch.float16), cast(key, torch.float16), cast(value, torch.float16)
    )


_LINEAR, _CONVOLVE, _LAYER, _GROUP = F.linear, F.conv2d, F.layer_norm, F.group_norm


def saved(
    model: Any, call: Callable[[], object], part: Callable[[], str | None] = lambda: None
) -> dict[str | None, int]:
    """Sum up the bytes that a forward pass saves, in all (None) and by the part of the model that is at work."""
    weights = {tensor.untyped_storage()._cdata for tensor in model.parameters()}
    alive, sizes = list[Any](), dict[str | None, dict[int, int]]()

    def pack(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        alive.append(storage)  # so that no other one gets its address
        if storage._cdata not in weights:
            for name in {None, part()}:
                sizes.setdefault(name, {})[storage._cdata] = storage.nbytes()
        return tensor

    with torch.device("meta"), torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        call()
    return {name: sum(found.values()) for name, found in sizes.items()}


def of_unet(family: str, half: bool, checkpointing: bool) -> tuple[int, int, int]:
    """Give the bytes that a U-Net saves for an image, those of its largest block, and how many numbers it has."""
    kind = torch.float16 if half else torch.float32
    with torch.device("meta"):
        unet = UNet2DConditionModel(sample_size=64, **_UNETS[family]).to(kind)
    numbers = sum(tensor.numel() for tensor in unet.parameters())
    unet.requires_grad_(False)
    unet.add_adapter(LoraConfig(r=_RANK, target_modules=_MODULES))
    unet.to(kind).train()
    if checkpointing:
        unet.enable_gradient_checkpointing()
    at: list[str | None] = [None]
    for name, module in unet.named_modules():
        if type(module).__name__ in {"BasicTransformerBlock", "ResnetBlock2D"}:
            module.register_forward_pre_hook(lambda *_, name=name: at.__setitem__(0, name))
            module.register_forward_hook(lambda *_: at.__setitem__(0, None))
    with torch.device("meta"):
        latents = torch.empty(1, 4, _PIXELS // 8, _PIXELS // 8, dtype=kind)
        text = torch.empty(1, 77, _UNETS[family]["cross_attention_dim"], dtype=kind)
        more = {"text_embeds": torch.empty(1, 1280, dtype=kind), "time_ids": torch.empty(1, 6, dtype=kind)}
        moment = torch.zeros(1)
    found = saved(unet, lambda: unet(latents, moment, text, added_cond_kwargs=more), lambda: at[0])
    return found[None], max((size for name, size in found.items() if name), default=0), numbers


def of_text(width: int, layers: int, half: bool) -> tuple[int, int]:
    """Give the bytes that a text encoder saves for a caption, and how many numbers it has."""
    config = CLIPTextConfig(
        vocab_size=49408,
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=layers,
        num_attention_heads=8,
        hidden_act="quick_gelu" if width == 768 else "gelu",  # OpenCLIP's have the other one
    )
    with torch.device("meta"):
        model = CLIPTextModel(config)
    if half:
        model.to(torch.float16)
    model.requires_grad_(False)
    model.get_input_embeddings().weight.requires_grad_(True)
    numbers = sum(tensor.numel() for tensor in model.parameters())
    return saved(model, lambda: model(torch.zeros(1, 77, dtype=torch.long)))[None], numbers


def main() -> None:
    """Print the table."""
    for half in (True, False):
        mixed_precision(half)
        for family in _UNETS:
            whole, block, numbers = of_unet(family, half, checkpointing=False)
            inputs, _, _ = of_unet(family, half, checkpointing=True)
            texts = [of_text(*shape, half) for shape in _TEXT[family]]
            area = _PIXELS**2
            print(
                f"{family} {'half' if half else 'full'}: U-Net {numbers}, text encoders {sum(n for _, n in texts)}; "
                f"bytes of a pixel {whole / area:.0f}, with checkpointing {(inputs + block) / area:.0f}, "
                f"of a caption {sum(size for size, _ in texts)}"
            )


if __name__ == "__main__":
    main()
