"""What kind of file it is: whose LoRA, in which form, or a checkpoint, or an embedding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lorarecipe.families import recognised
from lorarecipe.inspection.modules import Form, Module, naming_of
from lorarecipe.weights import Weights

_LYCORIS: frozenset[Form] = frozenset({"LoHa", "LoKr", "(IA)^3", "OFT", "BOFT", "GLoRA", "full", "norm"})
#: the tensors of a textual inversion: of A1111 and sd-scripts, and of SDXL's two text encoders
_EMBEDDINGS = ({"emb_params"}, {"clip_l", "clip_g"}, {"clip_l"}, {"clip_g"})
#: how tensors are named in the parts of a Diffusers checkpoint: U-Net, text encoder, VAE
_DIFFUSERS_PARTS = ("down_blocks.", "text_model.", "encoder.down_blocks.")
#: widths of the text encoders that an embedding may be of
_WIDTHS = (768, 1024, 1280)


@dataclass(frozen=True)
class Flavour:
    """What kind of file it is."""

    kind: str
    """``lora``, ``checkpoint``, ``textual inversion`` or ``unknown``."""
    title: str
    """In words: ``LoRA (kohya)``."""
    forms: Mapping[str, int] = field(default_factory=dict)
    """Modules of each form; a LoRA of a convolution, larger than 1x1, is a LoCon's."""
    dora: int = 0
    """Modules that are DoRA's."""


def flavour_of(weights: Weights, modules: Sequence[Module]) -> Flavour:
    """Tell what kind of file it is, by the names and shapes of its tensors."""
    if modules:
        return _of_modules(weights, modules)
    if recognised(weights) or any(name.startswith("model.diffusion_model.") for name in weights.names):
        return Flavour("checkpoint", "checkpoint")
    if any(name.startswith(_DIFFUSERS_PARTS) for name in weights.names):
        return Flavour("checkpoint", "checkpoint (part)")
    if _is_embedding(weights):
        return Flavour("textual inversion", "textual inversion")
    return Flavour("unknown", "unknown")


def _of_modules(weights: Weights, modules: Sequence[Module]) -> Flavour:
    forms = Counter(str(module.form) for module in modules)
    dora = sum(module.is_decomposed for module in modules)
    shown = [form for form in forms if form != "norm"] or ["norm"]
    if "LoCon" in shown and "LoRA" in shown:
        shown.remove("LoRA")
    lycoris = _LYCORIS & {*forms}
    naming = naming_of(weights.names)
    of = "LyCORIS" if lycoris and naming == "kohya" else naming
    title = f"{'+'.join([*sorted(shown), *['DoRA'] * bool(dora)])} ({of})"
    return Flavour("lora", title, dict(sorted(forms.items())), dora)


def _is_embedding(weights: Weights) -> bool:
    """Look for a textual inversion: a known name, or in diffusers' files one tensor under the name of its word."""
    shapes = [*weights.shapes.values()]
    return {*weights.names} in _EMBEDDINGS or (
        len(shapes) == 1 and 1 <= len(shapes[0]) <= 2 and shapes[0][-1] in _WIDTHS
    )
