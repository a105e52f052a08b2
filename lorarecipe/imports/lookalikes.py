"""What is like a source that can be imported and is none: said by name, so that nobody has to guess why."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lorarecipe.imports.source import Source
from lorarecipe.imports.values import at

_Data = Mapping[str, object]


def _all_in(data: _Data, *keys: str) -> bool:
    return all(key in data for key in keys)


def _any_dataset_has(data: _Data, key: str) -> bool:
    datasets = data.get("datasets")
    return isinstance(datasets, list) and any(isinstance(one, Mapping) and key in one for one in datasets)


#: what a mapping of keys is, by what is in it; the first that fits says it
_LOOKALIKES: tuple[tuple[Callable[[_Data], bool], str], ...] = (
    (
        lambda data: _any_dataset_has(data, "image_directory") or _any_dataset_has(data, "video_directory"),
        "the data sets of musubi-tuner (image_directory), whose models are none of sd15, sd2 and sdxl",
    ),
    (
        lambda data: "dit" in data,
        "a training of musubi-tuner (dit), whose models are none of sd15, sd2 and sdxl",
    ),
    (
        lambda data: _all_in(data, "settings", "server"),
        "the settings of the kohya_ss program itself, which hold no training",
    ),
    (
        lambda data: data.get("job") == "train" or ("extract_model" in _keys_of(data.get("config"))),
        "a job of ai-toolkit that trains no LoRA (job: train or extract, of 2023)",
    ),
    (
        lambda data: "job" in data and isinstance(at(data, "config", "process"), list),
        "a job of ai-toolkit whose process trains no LoRA",
    ),
    (
        lambda data: _all_in(data, "learning_rate", "lora_rank", "data_dir") or "target_modules" in data,
        "the configuration of a script on PEFT",
    ),
    (
        lambda data: _all_in(data, "lora_rank", "unet_learning_rate"),
        "some settings of OneTrainer, without the images and the model that its own configurations have",
    ),
    (
        lambda data: "network_module" in data or _all_in(data, "pretrained_model_name_or_path", "train_data_dir"),
        "options of sd-scripts in a form that sd-scripts does not read (its --config_file is TOML)",
    ),
)


def described(source: Source) -> str:
    """Say what a source is that cannot be imported."""
    data = source.data
    if source.form == "folder":
        return "a folder without images and without folders N_name"
    if source.form == "safetensors":
        return "a safetensors file whose metadata does not tell how it was trained (ss_network_dim and others)"
    if isinstance(data, list):
        return f"a list in {source.form} that is no list of OneTrainer's concepts"
    if not isinstance(data, Mapping):
        return f"a single value in {source.form}"
    merged = {
        **data,
        **{key: value for table in data.values() if isinstance(table, Mapping) for key, value in table.items()},
    }
    if source.form == "TOML" and "pretrained_model_name_or_path" in merged and "network_module" not in merged:
        return "options of sd-scripts for training a whole checkpoint (no network_module), and lorarecipe trains LoRAs"
    for fits, what in _LOOKALIKES:
        if fits(data):
            return what
    keys = ", ".join(list(data)[:5])
    return (
        f"{source.form} with the keys {keys}" + (" ..." if len(data) > 5 else "")
        if data
        else f"no keys ({source.form})"
    )


def _keys_of(value: object) -> frozenset[object]:
    return frozenset(value) if isinstance(value, Mapping) else frozenset()
