"""A finished LoRA: what sd-scripts wrote of its training into the file, every value as a text."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from lorarecipe.imports.dataset_toml import read_datasets
from lorarecipe.imports.found import Found, ImageSet
from lorarecipe.imports.source import Source
from lorarecipe.imports.training_toml import refuse_foreign
from lorarecipe.imports.values import number, parsed_json

TITLE = "a finished LoRA with the metadata of sd-scripts (.safetensors with ss_network_dim and others)"

_FAMILIES = {"sd_v1": "sd15", "sd_v2": "sd2", "sdxl_": "sdxl"}
#: names of the metadata, with those of the options
_OPTIONS = {
    "batch_size_per_device": "train_batch_size",
    "debiased_estimation": "debiased_estimation_loss",
    "dropout": "network_dropout",
    "sd_model_name": "pretrained_model_name_or_path",
    "vae_name": "vae",
}
#: what is read with others, or tells what came of the training and not how it was set
_NO_SETTINGS = re.compile(
    r"session_id|training_(started|finished)_at|output_name|num_(train|reg|validation)_images|num_batches_per_epoch|"
    r"num_epochs|epoch|steps|max_train_steps|(new_)?sd_model_hash|(new_)?vae_hash|sd_scripts_commit_hash|v2|"
    r"base_model_version|dataset_dirs|reg_dataset_dirs|datasets|tag_frequency|bucket_info|total_batch_size|optimizer|"
    r"network_args|training_comment|network_module"
)


def recognises(source: Source) -> bool:
    """Look for the rank or the module."""
    return source.form == "safetensors" and bool({"ss_network_dim", "ss_network_module"} & _data(source).keys())


def read(source: Source) -> Found:
    """Take what the metadata says; a training of another model is refused."""
    data = _data(source)
    refuse_foreign(source, (data.get("ss_base_model_version"), data.get("ss_network_module")), None)
    return found_in(source)


def found_in(source: Source) -> Found:
    """Take what the metadata says; the names of the tensors say whether the text encoder was trained."""
    data = {key.removeprefix("ss_"): value for key, value in _data(source).items() if key.startswith("ss_")}
    base = data.get("base_model_version", "")
    found = Found(name=source.path.stem, trainer="sd-scripts")
    found.rename("ss_output_name", _told(data, "output_name") or None)
    found.family = next((family for start, family in _FAMILIES.items() if base.startswith(start)), None)
    if not found.family and "v2" in data:  # before there was SDXL, this alone gave the family
        found.family = "sd2" if data["v2"] == "True" else "sd15"
    if base.endswith("_v"):
        found.carry("ss_base_model_version", base, "v_parameterization", True)
    found.defaults = {"caption_extension": ".txt"}
    for name, text in data.items():
        if not _NO_SETTINGS.fullmatch(name):
            option, value = _OPTIONS.get(name, name), _value(text)
            if name == "lr_warmup_steps" and isinstance(value, float):
                value = round(value * (number(data.get("max_train_steps")) or 0))
            if value is None:
                found.unset.append(f"ss_{name}")
            else:
                found.carry(f"ss_{name}", text, option, value, off_counts=option in {"seed", "enable_bucket"})
    if not any(name.startswith("lora_te") for name in source.names):
        found.carry("names of the tensors", "none of a text encoder", "network_train_unet_only", True)
    found.carry("ss_network_module", data.get("network_module"), "network_module")
    found.leave("ss_training_comment", _told(data, "training_comment"), "it is a remark")
    _length(found, data)
    _lists(found, data)
    _images(found, data, source)
    digest = data.get("new_sd_model_hash", "")
    found.sha256 = digest.lower() if re.fullmatch(r"[0-9a-fA-F]{64}", digest) else None
    found.unset += [key for key in _data(source) if key not in _named(found)]
    return found


def _data(source: Source) -> Mapping[str, str]:
    assert isinstance(source.data, Mapping)
    return {str(key): str(value) for key, value in source.data.items()}


def _named(found: Found) -> frozenset[str]:
    keys = [setting.key for setting in found.settings.values()] + [left.key for left in found.left]
    return frozenset([*keys, *found.unset, found.name_key, *(one.key for one in found.sets)])


def _told(data: Mapping[str, str], name: str) -> str:
    return "" if data.get(name) in {None, "None"} else data[name]


def _value(text: str) -> object:
    """Read the text of a value of Python."""
    if text in {"None", "True", "False"}:
        return {"None": None, "True": True, "False": False}[text]
    if (read := number(text)) is not None:
        return read
    try:
        value = ast.literal_eval(text) if text[:1] in {"(", "["} else text
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    return [*value] if isinstance(value, tuple | list) else text


def _length(found: Found, data: Mapping[str, str]) -> None:
    """Give whole epochs where the steps are that many; they are what was asked for, most likely."""
    steps, epochs, batches = (
        number(data.get(key)) for key in ("max_train_steps", "num_epochs", "num_batches_per_epoch")
    )
    accumulation = number(data.get("gradient_accumulation_steps")) or 1
    if steps and epochs and batches and -(-batches // accumulation) * epochs == steps:
        found.carry("ss_num_epochs", data["num_epochs"], "max_train_epochs", epochs)
    elif steps:
        found.carry("ss_max_train_steps", data["max_train_steps"], "max_train_steps", steps)


def _lists(found: Found, data: Mapping[str, str]) -> None:
    arguments = parsed_json(data.get("network_args"))
    if isinstance(arguments, Mapping):
        given = [f"{key}={value}" for key, value in arguments.items()]
        found.carry("ss_network_args", data["network_args"], "network_args", given)
    optimizer = re.fullmatch(r"([\w.]+)(?:\((.*)\))?", data.get("optimizer", ""), re.DOTALL)
    if optimizer:
        found.carry("ss_optimizer", data["optimizer"], "optimizer_type", optimizer[1])
        given = re.findall(r"\w+=(?:\([^()]*\)|[^,()]+)", optimizer[2] or "")
        found.carry("ss_optimizer", data["optimizer"], "optimizer_args", given)


def _images(found: Found, data: Mapping[str, str], source: Source) -> None:
    """Take the folders' names, which is all that the metadata keeps of their paths."""
    reason = "the method has no regularisation images"
    if (regularisation := parsed_json(data.get("reg_dataset_dirs"))) and isinstance(regularisation, Mapping):
        found.leave("ss_reg_dataset_dirs", ", ".join(map(str, regularisation)), reason)
    datasets = parsed_json(data.get("datasets"))
    if isinstance(datasets, list):
        found.unset += ["ss_datasets"]
        read_datasets(found, Source(source.path, "JSON", {"datasets": _settings_only(datasets)}))
        return
    folders = parsed_json(data.get("dataset_dirs"))
    for name, about in folders.items() if isinstance(folders, Mapping) else ():
        repeats = number(about.get("n_repeats")) if isinstance(about, Mapping) else None
        found.sets.append(ImageSet("ss_dataset_dirs", str(name), repeats if isinstance(repeats, int) else 1))


#: what the metadata says of a data set that is no setting of it
_COUNTED = frozenset(
    {"is_dreambooth", "num_train_images", "num_reg_images", "tag_frequency", "bucket_info", "img_count"}
)
_NAMES = {"batch_size_per_device": "batch_size"}


def _settings_only(value: object) -> object:
    match value:
        case dict():
            kept = {key: inner for key, inner in value.items() if key not in _COUNTED}
            return {_NAMES.get(key, key): _settings_only(inner) for key, inner in kept.items()}
        case list():
            return [_settings_only(inner) for inner in value]
    return value
