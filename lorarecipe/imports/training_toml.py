"""kohya's sd-scripts: a training of ``--config_file``, whose sections have names that nobody reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PureWindowsPath

from lorarecipe.errors import RecipeError
from lorarecipe.imports import dataset_toml
from lorarecipe.imports.checkpoint import foreign
from lorarecipe.imports.found import Found, ImageSet
from lorarecipe.imports.paths import here, sets_of
from lorarecipe.imports.source import Source, read_source

TITLE = "a LoRA training of sd-scripts (TOML with network_module, for --config_file)"

#: what sd-scripts takes where nothing is said
DEFAULTS = {
    "network_dim": 4,
    "network_alpha": 1,
    "learning_rate": 2e-6,
    "max_train_steps": 1600,
    "lr_scheduler": "constant",
    "enable_bucket": False,
    "caption_extension": ".caption",
}
#: names that options once had
_RENAMED = {"lr_restart_cycles": "lr_scheduler_num_cycles"}
#: options of which 0 or false means something
_OFF_COUNTS = frozenset({"enable_bucket", "seed", "unet_lr", "text_encoder_lr"})
#: files that only other models have
_OF_OTHER_MODELS = ("ae", "dit", "gemma2", "qwen3", "t5xxl")
_ANOTHER = "it is of another folder: the images that are trained are those of dataset_config"


def recognises(source: Source) -> bool:
    """Look for the module that makes the LoRA, in a section or above them all."""
    return source.form == "TOML" and isinstance(source.data, Mapping) and "network_module" in flattened(source.data)


def flattened(data: Mapping[str, object]) -> dict[str, object]:
    """Take the sections away, as sd-scripts does: of two keys, the later one counts."""
    merged: dict[str, object] = {}
    for name, value in data.items():
        merged.update(value if isinstance(value, Mapping) else {name: value})
    return merged


def read(source: Source) -> Found:
    """Take the options as they are; a training of another model is refused."""
    assert isinstance(source.data, Mapping)
    options = flattened(source.data)
    name, model = options.get("output_name"), options.get("model_train_type", options.get("model_type"))
    checkpoint = PureWindowsPath(str(options.get("pretrained_model_name_or_path") or "")).name
    names = (options.get("network_module"), model, checkpoint)
    refuse_foreign(source, names, options.get("train_data_dir"), [key for key in _OF_OTHER_MODELS if options.get(key)])
    found = Found(name=source.path.stem, defaults=DEFAULTS, trainer="sd-scripts")
    found.rename("output_name", name)
    is_xl = options.get("sdxl") is True or "sdxl" in str(model).lower()
    found.family = "sdxl" if is_xl else "sd2" if options.get("v2") is True else None
    for option, value in options.items():
        if option in {"train_data_dir", "dataset_config", "output_name"}:
            continue
        if option in {"sdxl", "model_train_type"}:
            found.unset.append(option)
        else:
            found.carry(option, value, _RENAMED.get(option, option), off_counts=option in _OFF_COUNTS)
    add_images(found, source, options.get("dataset_config"), options.get("train_data_dir"))
    return found


def refuse_foreign(source: Source, names: Sequence[object], images: object, files: Sequence[str] = ()) -> None:
    """Refuse a training of a model that is none of the families here, and say what can be imported of it.

    ``names`` may tell the model by a word in them; ``files`` are keys that name files of such models alone.
    """
    if word := next((word for name in names if (word := foreign(name))), next(iter(files), "")):
        where = f"; its images can be imported by themselves: {images}" if isinstance(images, str) and images else ""
        raise source.refusal(
            f"found a training for another model ({word}), expected one of sd15, sd2 or sdxl: the method needs one of "
            f"these, and settings of another do not fit{where}"
        )


def add_images(found: Found, source: Source, config: object, folder: object) -> None:
    """Add the images of a data set configuration where one is named, or else of a ``train_data_dir``."""
    found.unset += [key for key, value in (("dataset_config", config), ("train_data_dir", folder)) if value == ""]
    if isinstance(config, str) and config:
        if isinstance(folder, str) and folder:
            found.leave("train_data_dir", folder, _ANOTHER)
        _add_config(found, source, config)
    elif isinstance(folder, str) and folder:
        found.sets += sets_of(source, "train_data_dir", folder)


def _add_config(found: Found, source: Source, config: str) -> None:
    path = here(source, config)
    try:
        datasets = read_source(path) if path else None
    except RecipeError as problem:
        found.leave("dataset_config", config, f"it cannot be read: {problem.faults[0].message}")
        return
    if not datasets or not dataset_toml.recognises(datasets):
        reason = "it is no configuration of data sets" if datasets else "no such file is here"
        found.leave("dataset_config", config, f"{reason}, so that the images are not known; import it by itself")
        return
    dataset_toml.read_datasets(found, datasets)
    # its paths start from its own folder
    found.sets = [
        ImageSet(one.key, str(path) if (path := here(datasets, one.folder)) else one.folder, one.repeats)
        for one in found.sets
    ]
