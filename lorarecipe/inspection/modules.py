"""Read the modules of a LoRA from the names of its tensors, whichever program wrote them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Literal

from lorarecipe.weights import Weights

Naming = Literal["kohya", "diffusers", "PEFT"]
Form = Literal["LoRA", "LoCon", "LoHa", "LoKr", "(IA)^3", "OFT", "BOFT", "GLoRA", "full", "norm"]

#: the end of a tensor's name, which says what the tensor is to its module; PEFT may add the name of an adapter
_ROLE = re.compile(
    r"(.+?)[._](lora[._](?:down|up|mid)|lora_(?:embedding_)?[AB]|lora_magnitude_vector|alpha|dora_scale|"
    r"hada_(?:w[12]_[ab]|t[12])|lokr_(?:w[12](?:_[ab])?|t[12])|oft_(?:blocks|diag|[rR])|boft_[Rs]|rescale|"
    r"on_input|ia3_l|diff(?:_b)?|[wb]_norm|[ab][12])(?:\.default)?(?:\.weight)?"
)
_SAME_ROLES = {
    "lora.down": "lora_down",
    "lora.up": "lora_up",
    "lora.mid": "lora_mid",
    "lora_A": "lora_down",
    "lora_B": "lora_up",
    "lora_embedding_A": "lora_down",
    "lora_embedding_B": "lora_up",
    "lora_magnitude_vector": "dora_scale",
}
#: a role that only one form has -> the form; the first that fits says it
_FORMS: tuple[tuple[str, Form], ...] = (
    *(("lora_down", "LoRA"), ("lora_up", "LoRA"), ("hada_w1_a", "LoHa")),
    *(("lokr_w1", "LoKr"), ("lokr_w1_a", "LoKr"), ("on_input", "(IA)^3"), ("ia3_l", "(IA)^3")),
    *(("boft_R", "BOFT"), ("oft_blocks", "OFT"), ("oft_diag", "OFT"), ("oft_r", "OFT"), ("oft_R", "OFT")),
    *(("a1", "GLoRA"), ("diff", "full"), ("diff_b", "full"), ("w_norm", "norm"), ("b_norm", "norm")),
)
_NAMED_BY: tuple[tuple[re.Pattern[str], Naming], ...] = (
    (re.compile(r"\.(lora_(embedding_)?[AB]|lora_magnitude_vector|ia3_l|oft_[rR]|boft_[Rs])\b"), "PEFT"),
    (re.compile(r"[._]lora\.(down|up)\.weight$"), "diffusers"),
)
#: prefixes of modules -> those of kohya, and the part of the model
_PREFIXES: tuple[tuple[str, str, str], ...] = (
    ("lora_unet_", "lora_unet_", "U-Net"),
    ("lora_te1_", "lora_te1_", "text encoder 1"),
    ("lora_te2_", "lora_te2_", "text encoder 2"),
    ("lora_te3_", "lora_te3_", "text encoder 3"),
    ("lora_te_", "lora_te_", "text encoder"),
    ("unet_", "lora_unet_", "U-Net"),
    ("text_encoder_2_", "lora_te2_", "text encoder 2"),
    ("text_encoder_", "lora_te_", "text encoder"),
    ("transformer_", "lora_transformer_", "transformer"),
    ("diffusion_model_", "lora_unet_", "U-Net"),
    # PEFT's own files name no part
    ("text_model_", "lora_te_text_model_", "text encoder"),
    *((f"{start}_", f"lora_unet_{start}_", "U-Net") for start in ("down_blocks", "mid_block", "up_blocks")),
)


@dataclass(frozen=True)
class Module:
    """One layer of a model, and the tensors of a file that change it."""

    name: str
    """Its name in the file."""
    tensors: Mapping[str, str]
    """The tensors' names by what they are to it: ``lora_down``, ``alpha``."""
    shapes: Mapping[str, tuple[int, ...]]
    """The tensors' shapes, likewise."""

    @cached_property
    def _placed(self) -> tuple[str, str]:
        flat = self.name.removeprefix("base_model.model.").removesuffix(".processor").replace(".processor.", ".")
        flat = flat.replace(".", "_").removeprefix("lycoris_")
        for prefix, kohya, part in _PREFIXES:
            if flat.startswith(prefix):
                return kohya + flat.removeprefix(prefix), part
        return flat, "others"

    @property
    def kohya_name(self) -> str:
        """Its name as kohya's trainer would write it."""
        return self._placed[0]

    @property
    def part(self) -> str:
        """The part of the model that it is in."""
        return self._placed[1]

    @cached_property
    def form(self) -> Form | None:
        """How the change is written; None where the tensors are of no known form."""
        form = next((form for role, form in _FORMS if role in self.tensors), None)
        if form == "GLoRA" and not {"a2", "b1", "b2"} <= self.tensors.keys():
            return None
        if form == "LoRA" and prod(self.shapes.get("lora_mid", self.shapes.get("lora_down", ()))[2:]) > 1:
            return "LoCon"
        if form == "OFT" and len(self.shapes.get("oft_blocks", ())) == 4:
            return "BOFT"
        return form

    @property
    def is_decomposed(self) -> bool:
        """Whether it is a DoRA, which trains the length of a weight by itself."""
        return "dora_scale" in self.tensors

    @property
    def rank(self) -> int | None:
        """Rank of its factors; None where the form has none."""
        first = {"lora_down": 0, "hada_w1_b": 0, "lokr_w2_b": 0, "lokr_w1_b": 0}
        return next((self.shapes[role][axis] for role, axis in first.items() if self.shapes.get(role)), None)

    @property
    def inputs(self) -> int | None:
        """Numbers that the layer reads; None where the tensors do not say it."""
        at = self.shapes.get
        if (factor := at("lora_down") or at("hada_w1_b") or at("diff")) and len(factor) > 1:
            return factor[1]
        widths = [at(f"lokr_w{which}") or at(f"lokr_w{which}_b") or () for which in (1, 2)]
        return widths[0][1] * widths[1][1] if min(map(len, widths)) > 1 else None


def modules_of(weights: Weights) -> tuple[tuple[Module, ...], frozenset[str]]:
    """Read the modules of a file, and the names of the tensors that are of none."""
    found: dict[str, dict[str, str]] = {}
    for name in weights.names:
        if match := _ROLE.fullmatch(name):
            role = _SAME_ROLES.get(match[2], match[2])
            found.setdefault(match[1], {})[role] = name
    for name in weights.names:  # of (IA)^3 the other tensor has a name like any model's
        module, _, role = name.rpartition(".")
        if role == "weight" and "on_input" in found.get(module, {}):
            found[module]["weight"] = name
    modules = tuple(
        Module(name, tensors, {role: weights.shapes[tensor] for role, tensor in tensors.items()})
        for name, tensors in sorted(found.items())
    )
    known = tuple(module for module in modules if module.form)
    return known, weights.names - {tensor for module in known for tensor in module.tensors.values()}


def naming_of(names: Iterable[str]) -> Naming:
    """Tell whose names the tensors of a LoRA have."""
    return next((naming for name in sorted(names) for pattern, naming in _NAMED_BY if pattern.search(name)), "kohya")
