"""Starting points that people published; a key of the recipe goes before a preset's.

Each setting of a preset names the source it was published in. ``emanon-2023`` and ``copier`` were published for two
phases. The others were published for one ordinary training and put together from several sources: nobody has reported
trying one of them with two phases. Where sources disagree, the choice is ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# each source once; a repository is named at the commit that was read
_EMANON = "Emanon, March 2023 (rentry.org/bp87n)"
_COPIER = "2vXpSwA7, July 2023 (rentry.org/d2oqv)"
_COPIER_NOTES = "rentry.org, Personal Copier Method Training Notes"
_SD_SCRIPTS = "kohya-ss/sd-scripts@48d368fa docs/sdxl_train_network.md"
_COLAB = "hollowstrawberry/kohya-colab@c89600ad Lora_Trainer_XL.ipynb"
_CIVITAI = "civitai/civitai@01cc7015 src/components/Training/Form/TrainingParams.tsx"
_MOTIMALU = "motimalu/diffusion-training-configs@af67d925 sd-scripts/SDXL"
_ARTICLE = "civitai.com/articles/9148"
_EASY_DORA = "pm2o3/EasyDoRA@dffe9d63 Core/config.py"
_NERO_YUKI = "NeroYuki/lora_training_scripts@5badecd1 lora_train_prodigy_poor.toml"
_YIFF = "ka-de/cringe.live@286c146f content/en/docs/yiff_toolkit/lora_training"
_SENKO = "huggingface.co/NeuroSenko/senko-lora-ponyxl"
_HAOMING = "Haoming02/All-in-One-Stable-Diffusion-Guide@c5b0f50a TrainingParameters.md"
_MILKCURRY = "milkcurry/Kitasato_sdxl"
_EASY_SCRIPTS = "derrian-distro/LoRA_Easy_Training_Scripts issue 264"
_HALF_OF_BASE = "target: half of the base's, as Emanon's"
_NO_SOURCE = "no source found"
_NOT_IN_ARTICLE = "not in the article; sd-scripts' plainest"
_OURS = "ours: every epoch can be compared"

_EMANON_TRAINING: dict[str, object] = {
    "unet_lr": 1e-4,
    "text_encoder_lr": 2e-5,
    "epochs": 10,
    "resolution": 512,
    "precision": "fp16",
    "scheduler": "constant",
    "save_every_epochs": 1,
}
_COPIER_TRAINING: dict[str, object] = {
    "rank": 16,
    "alpha": 16,
    "unet_lr": 1e-3,
    "steps": 500,
    "resolution": 512,
    "precision": "fp16",
    "scheduler": "cosine",
}
_SDXL_TRAINING: dict[str, object] = {
    "unet_lr": 1e-4,
    "epochs": 10,
    "resolution": 1024,
    "buckets": {"min": 512, "max": 2048, "step": 64},
    "precision": "bf16",
    "scheduler": "cosine",
    "gradient_checkpointing": True,
    "save_every_epochs": 1,
}
_ANIME_TRAINING = {**_SDXL_TRAINING, "unet_lr": 3e-4, "batch_size": 4, "optimizer": "AdamW"}
_ANIME_EXTRA = {"no_half_vae": True, "optimizer_args": ["weight_decay=0.1", "betas=[0.9,0.99]"]}
_ILLUSTRIOUS_TRAINING = {**_ANIME_TRAINING, "scheduler": "cosine_with_restarts"}
_ILLUSTRIOUS_EXTRA = {
    **_ANIME_EXTRA,
    "lr_scheduler_num_cycles": 3,
    "min_snr_gamma": 5,
    "multires_noise_iterations": 6,
    "multires_noise_discount": 0.3,
}

_SDXL_SOURCES = {
    **dict.fromkeys(_SDXL_TRAINING, _SD_SCRIPTS),
    **dict.fromkeys(("rank", "alpha"), f"{_SD_SCRIPTS}; {_HALF_OF_BASE}"),
    **dict.fromkeys(("buckets", "scheduler", "min_snr_gamma", "noise_offset"), _NO_SOURCE),
    "no_half_vae": f"{_SD_SCRIPTS} (for fp16)",
}
_ANIME_SOURCES = {
    **dict.fromkeys(("rank", "alpha"), f"{_CIVITAI}; {_EASY_DORA}; {_SD_SCRIPTS}; {_HALF_OF_BASE}"),
    "unet_lr": f"{_COLAB}; {_ARTICLE}",
    "epochs": f"{_COLAB}; {_CIVITAI}; {_ARTICLE}",
    "batch_size": f"{_COLAB}; {_CIVITAI}; {_ARTICLE}",
    "resolution": f"{_COLAB}; {_CIVITAI}",
    "buckets": _MOTIMALU,
    "precision": _MOTIMALU,
    "gradient_checkpointing": _COLAB,
    "no_half_vae": f"{_COLAB}; {_MOTIMALU}",
    "optimizer": f"{_COLAB} (its 8-bit form, of which rule RCP003 warns)",
    "optimizer_args": _COLAB,
    "save_every_epochs": _OURS,
}
_ILLUSTRIOUS_SOURCES = {
    **_ANIME_SOURCES,
    "scheduler": f"{_COLAB}; {_CIVITAI}",
    "lr_scheduler_num_cycles": f"{_COLAB}; {_CIVITAI}",
    "min_snr_gamma": f"{_CIVITAI}; {_MOTIMALU}; {_EASY_DORA}",
    "multires_noise_iterations": f"{_COLAB}; {_MOTIMALU}",
    "multires_noise_discount": f"{_COLAB}; {_MOTIMALU}",
}
#: the Colab trainer has one set of values for Illustrious and NoobAI
_OF_THE_COLAB = dict.fromkeys(("unet_lr", "epochs", "batch_size", "resolution"), _COLAB)
_NOOBAI_SOURCES = {
    **_ILLUSTRIOUS_SOURCES,
    **_OF_THE_COLAB,
    **dict.fromkeys(("scheduler", "lr_scheduler_num_cycles"), _COLAB),
    **dict.fromkeys(("multires_noise_iterations", "multires_noise_discount"), _COLAB),
    **dict.fromkeys(("precision", "min_snr_gamma"), _NERO_YUKI),
    "no_half_vae": f"{_COLAB}; {_NERO_YUKI}",
}
_VELOCITY_SOURCES = {
    **_ANIME_SOURCES,
    **_OF_THE_COLAB,
    "scheduler": f"{_MOTIMALU}; {_YIFF}",
    "zero_terminal_snr": f"{_COLAB}; {_MOTIMALU}; {_YIFF}",
    "min_snr_gamma": f"{_MOTIMALU}; {_EASY_SCRIPTS}",
}
_PONY_SOURCES = {
    **_ANIME_SOURCES,
    **dict.fromkeys(("rank", "alpha"), _SENKO),
    "unet_lr": f"{_YIFF}; {_MILKCURRY} (3e-4 in {_COLAB}, but {_SENKO} saw the style baked in at 1e-4 already)",
    "epochs": f"{_COLAB}; {_CIVITAI}",
    "batch_size": f"{_COLAB}; {_MILKCURRY}",
    "buckets": f"{_MOTIMALU} (for Illustrious and NoobAI)",
    "precision": _HAOMING,
    "no_half_vae": f"{_COLAB}; {_YIFF}; {_MILKCURRY}",
    "scheduler": f"{_CIVITAI}; {_YIFF}",
    "noise_offset": _CIVITAI,
}


@dataclass(frozen=True)
class Preset:
    """Settings of both trainings, and where they come from."""

    family: str
    """Model family that the settings were published for."""
    base: Mapping[str, object]
    target: Mapping[str, object]
    sources: Mapping[str, str] = field(repr=False)
    """Where each setting was published, those of ``extra`` by their own names."""
    tried: bool = False
    """Whether anybody has reported trying the settings with two phases."""
    v_prediction: bool = False
    """Whether the settings are for checkpoints that predict velocity, and for no others."""


def _sdxl(
    training: dict[str, object], extra: dict[str, object], sources: dict[str, str], *, v_prediction: bool = False
) -> Preset:
    """Give a preset for SDXL: rank 32 for the base, and half of it for the target."""
    settings = {**training, "extra": extra}
    return Preset(
        family="sdxl",
        base={**settings, "rank": 32, "alpha": 16},
        target={**settings, "rank": 16, "alpha": 8},
        sources=sources,
        v_prediction=v_prediction,
    )


PRESETS: dict[str, Preset] = {
    "emanon-2023": Preset(
        family="sd15",
        base={**_EMANON_TRAINING, "rank": 64, "alpha": 32},
        target={**_EMANON_TRAINING, "rank": 32, "alpha": 16},
        sources={
            **dict.fromkeys(("rank", "alpha", *_EMANON_TRAINING), _EMANON),
            **dict.fromkeys(("precision", "scheduler"), _NOT_IN_ARTICLE),
            "save_every_epochs": _OURS,
        },
        tried=True,
    ),
    "copier": Preset(
        family="sd15",
        base=_COPIER_TRAINING,
        target=_COPIER_TRAINING,
        sources={**dict.fromkeys(_COPIER_TRAINING, _COPIER), "precision": _COPIER_NOTES},
        tried=True,
    ),
    "sdxl": _sdxl(_SDXL_TRAINING, {"min_snr_gamma": 5, "noise_offset": 0.0357, "no_half_vae": True}, _SDXL_SOURCES),
    "illustrious": _sdxl(_ILLUSTRIOUS_TRAINING, _ILLUSTRIOUS_EXTRA, _ILLUSTRIOUS_SOURCES),
    "noobai-eps": _sdxl(_ILLUSTRIOUS_TRAINING, _ILLUSTRIOUS_EXTRA, _NOOBAI_SOURCES),
    "noobai-vpred": _sdxl(
        _ANIME_TRAINING,
        {**_ANIME_EXTRA, "zero_terminal_snr": True, "min_snr_gamma": 5},
        _VELOCITY_SOURCES,
        v_prediction=True,
    ),
    "pony": _sdxl({**_ANIME_TRAINING, "unet_lr": 1e-4}, {**_ANIME_EXTRA, "noise_offset": 0.03}, _PONY_SOURCES),
}


def fill(preset: Mapping[str, object], written: dict[str, object]) -> dict[str, object]:
    """Give a training table with what the author left out taken from the preset.

    `epochs` and `steps` stand for each other, so the author's one drops the preset's other; `extra` is
    filled option by option, but for the arguments of an optimizer that the author does not use.
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
        kept = dict(preset_extra)
        if filled.get("optimizer") != start.get("optimizer"):
            kept.pop("optimizer_args", None)
        filled["extra"] = {**kept, **own}
    return filled
