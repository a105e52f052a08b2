"""Starting points that people published; a key of the recipe goes before a preset's.

Sources: ``emanon-2023`` is Emanon's article of March 2023 (SD1.5; base 64/32, target half of it, U-Net 1e-4,
text encoder 2e-5, ten epochs of ten repeats at 512 pixels); the article names no optimizer or scheduler, so
these are sd-scripts' plainest. ``copier`` is the single-image school (2vXpSwA7, July 2023: 16/16, U-Net only at
1e-3, 500 steps). ``sdxl`` has no source that tried it: values that were put forward, untested.
"""

from __future__ import annotations

_EMANON = {
    "unet_lr": 1e-4,
    "text_encoder_lr": 2e-5,
    "epochs": 10,
    "resolution": 512,
    "precision": "fp16",
    "scheduler": "constant",
    "save_every_epochs": 1,
}
_COPIER = {
    "rank": 16,
    "alpha": 16,
    "unet_lr": 1e-3,
    "steps": 500,
    "resolution": 512,
    "precision": "fp16",
    "scheduler": "cosine",
}
_SDXL = {
    "unet_lr": 1e-4,
    "epochs": 10,
    "resolution": 1024,
    "buckets": {"min": 512, "max": 2048, "step": 64},
    "precision": "bf16",
    "scheduler": "cosine",
    "gradient_checkpointing": True,
    "save_every_epochs": 1,
    "extra": {"min_snr_gamma": 5, "noise_offset": 0.0357, "no_half_vae": True},
}

#: preset -> phase -> settings
PRESETS: dict[str, dict[str, dict[str, object]]] = {
    "emanon-2023": {
        "base": {**_EMANON, "rank": 64, "alpha": 32},
        "target": {**_EMANON, "rank": 32, "alpha": 16},
    },
    "copier": {"base": _COPIER, "target": _COPIER},
    "sdxl": {"base": {**_SDXL, "rank": 32, "alpha": 16}, "target": {**_SDXL, "rank": 16, "alpha": 8}},
}


def fill(preset: dict[str, object], written: dict[str, object]) -> dict[str, object]:
    """Give a training table with what the author left out taken from the preset.

    `epochs` and `steps` stand for each other, so the author's one drops the preset's other; `extra` is
    filled option by option.
    """
    start = dict(preset)
    if "steps" in written or "epochs" in written:
        start.pop("epochs", None)
        start.pop("steps", None)
    if "steps" in written:
        start.pop("save_every_epochs", None)
    filled = {**start, **written}
    own, preset_extra = written.get("extra", {}), start.get("extra", {})
    if isinstance(own, dict) and isinstance(preset_extra, dict) and (own or preset_extra):
        filled["extra"] = {**preset_extra, **own}
    return filled
