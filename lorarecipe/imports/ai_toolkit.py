"""ostris' ai-toolkit: a job in YAML or JSON, whose first training of a LoRA is taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lorarecipe.imports.found import Found, ImageSet
from lorarecipe.imports.source import Source
from lorarecipe.imports.training_toml import refuse_foreign
from lorarecipe.imports.values import at, flat, number

TITLE = "a LoRA job of ai-toolkit (YAML or JSON with job: extension)"

_PROCESSES = ("sd_trainer", "diffusion_trainer", "ui_trainer")
_FAMILIES = {"sd1": "sd15", "sd15": "sd15", "sd2": "sd2", "sdxl": "sdxl"}
#: what ai-toolkit takes where nothing is said
_DEFAULTS: Mapping[str, object] = {
    "network_dim": 4,
    "network_alpha": 1,
    "learning_rate": 1e-6,
    "max_train_steps": 1000,
    "resolution": 512,
    "lr_scheduler": "constant",
}
_OPTIONS = {
    "model.name_or_path": "pretrained_model_name_or_path",
    "model.is_v_pred": "v_parameterization",
    "network.alpha": "network_alpha",
    "network.dropout": "network_dropout",
    "network.linear": "network_dim",
    "network.linear_alpha": "network_alpha",
    "network.rank": "network_dim",
    "train.batch_size": "train_batch_size",
    "train.dtype": "mixed_precision",
    "train.gradient_accumulation": "gradient_accumulation_steps",
    "train.gradient_accumulation_steps": "gradient_accumulation_steps",
    "train.gradient_checkpointing": "gradient_checkpointing",
    "train.lr": "learning_rate",
    "train.lr_scheduler": "lr_scheduler",
    "train.max_grad_norm": "max_grad_norm",
    "train.min_snr_gamma": "min_snr_gamma",
    "train.noise_offset": "noise_offset",
    "train.optimizer": "optimizer_type",
    "train.steps": "max_train_steps",
    "train.text_encoder_lr": "text_encoder_lr",
    "train.unet_lr": "unet_lr",
    "training_seed": "seed",
    "save.dtype": "save_precision",
}
#: names that count before others of the same meaning
_GO_BEFORE = frozenset({"network.rank", "network.linear_alpha"})
_DATA = {
    "caption_dropout_rate": "caption_dropout_rate",
    "flip_x": "flip_aug",
    "keep_tokens": "keep_tokens",
    "shuffle_tokens": "shuffle_caption",
}
_PRECISIONS = {"float16": "fp16", "bfloat16": "bf16", "float32": "no", "fp32": "no", "float": "no"}
_SAVED = {"no": "float"}
_OTHERS = (
    ("trigger_word", "the method has no trigger word"),
    ("sample", "lorarecipe draws the pictures itself: [samples]"),
    ("network.conv", "it is written into network_args"),
    ("save", "save_every_epochs of the recipe says which LoRAs are saved"),
    ("model", "it is for models that are loaded in another way"),
)


def recognises(source: Source) -> bool:
    """Look for a job with a process that trains."""
    return source.form in {"YAML", "JSON"} and _process(source.data) is not None


def _process(data: object) -> Mapping[str, object] | None:
    processes = at(data, "config", "process")
    if at(data, "job") != "extension" or not isinstance(processes, list):
        return None
    return next((one for one in processes if isinstance(one, Mapping) and one.get("type") in _PROCESSES), None)


def read(source: Source) -> Found:
    """Take the first process that trains a LoRA; one of another model is refused."""
    process = _process(source.data)
    assert process is not None
    model = process.get("model")
    arch = str(at(model, "arch") or "")
    flags = [name for name in ("is_flux", "is_v3", "is_lumina2", "is_pixart", "is_auraflow") if at(model, name) is True]
    images = next((one.get("folder_path") for one in _datasets(process)), None)
    names = (*(name.replace("is_v3", "sd3") for name in flags), arch, at(model, "name_or_path"))
    refuse_foreign(source, names, images)
    if arch and arch not in _FAMILIES:
        raise source.refusal(f"found a training of {arch!r}, expected one of: {', '.join(_FAMILIES)}")
    if not isinstance(process.get("network"), Mapping):
        raise source.refusal("found a process without a network, expected the training of a LoRA")
    found = Found(
        name=str(at(source.data, "config", "name") or source.path.stem), trainer="ai-toolkit", defaults=_DEFAULTS
    )
    is_xl, is_v2 = (at(model, name) is True for name in ("is_xl", "is_v2"))
    found.family = "sdxl" if is_xl else "sd2" if is_v2 else _FAMILIES.get(arch, "sd15")
    _training(found, process)
    _images(found, process)
    return found


def _training(found: Found, process: Mapping[str, object]) -> None:
    values = dict(flat({key: value for key, value in process.items() if key != "datasets"}))
    if at(process, "train", "train_text_encoder") is not True:
        found.carry("train.train_text_encoder", False, "network_train_unet_only", True)
    kind = at(process, "network", "type")
    if kind not in (None, "lora", "locon"):
        found.leave("network.type", kind, "a recipe trains LoRAs (networks.lora), and no other form")
    if conv := number(at(process, "network", "conv")):
        alpha = number(at(process, "network", "conv_alpha")) or conv
        found.carry("network.conv", conv, "network_args", [f"conv_dim={conv}", f"conv_alpha={alpha}"])
    parameters = at(process, "train", "optimizer_params")
    if isinstance(parameters, Mapping):
        given = [f"{key}={value}" for key, value in parameters.items()]
        found.carry("train.optimizer_params", ", ".join(given), "optimizer_args", given)
    read = ("type", "network.type", "network.conv", "network.conv_alpha", "model.arch", "train.train_text_encoder")
    # of two names for the same, the last that is read counts
    for key in sorted(values, key=lambda key: (key in _GO_BEFORE, values[key] != 1)):
        option, value = _OPTIONS.get(key), values[key]
        if option:
            means = _PRECISIONS.get(str(value), value) if option.endswith("precision") else value
            means = _SAVED.get(str(means), means) if option == "save_precision" else means
            found.carry(key, value, option, means, off_counts=option == "seed")
        elif (
            key in read
            or key.startswith(("train.optimizer_params", "model.is_"))
            or (value is True and key == "train.train_unet")
        ):
            found.unset.append(key)
        else:
            reason = next((why for start, why in _OTHERS if key.startswith(start)), "a recipe has no key for it")
            found.leave(key, value, reason)


def _images(found: Found, process: Mapping[str, object]) -> None:
    for index, dataset in enumerate(_datasets(process)):
        where = f"datasets[{index}]"
        folder = dataset.get("folder_path") or dataset.get("dataset_path")
        if dataset.get("is_reg") is True:
            found.leave(f"{where}.folder_path", folder, "the method has no regularisation images")
            continue
        repeats, key = number(dataset.get("num_repeats", 1)), f"{where}.num_repeats" if "num_repeats" in dataset else ""
        if isinstance(folder, str) and folder:
            found.sets.append(ImageSet(f"{where}.folder_path", folder, repeats if isinstance(repeats, int) else 1, key))
        for key, value in dataset.items():
            if key in _DATA:
                found.carry(f"{where}.{key}", value, _DATA[key])
            elif key == "caption_ext":
                found.carry(f"{where}.{key}", value, "caption_extension", f".{str(value).removeprefix('.')}")
            elif key == "resolution":
                _resolution(found, f"{where}.{key}", value)
            elif key not in {"folder_path", "dataset_path", "num_repeats", "cache_latents_to_disk", "is_reg"}:
                found.leave(f"{where}.{key}", value, "a recipe's folder of images has no such key")


def _resolution(found: Found, key: str, value: object) -> None:
    """Take the largest of several resolutions, through each of which ai-toolkit goes."""
    sides = [side for one in (value if isinstance(value, list) else [value]) if isinstance(side := number(one), int)]
    if len({*sides}) > 1:
        found.leave(key, value, f"a recipe has one resolution: the largest, {max(sides)}, is taken")
    if sides:
        found.carry(key, value, "resolution", max(sides))


def _datasets(process: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    datasets = process.get("datasets")
    yield from (one for one in datasets if isinstance(one, Mapping)) if isinstance(datasets, list) else ()
