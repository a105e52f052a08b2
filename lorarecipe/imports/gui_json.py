"""The kohya_ss GUI: a flat JSON in words of its own, in which 0 and an empty text mean that nothing is set."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lorarecipe.imports.found import Found
from lorarecipe.imports.source import Source
from lorarecipe.imports.training_toml import DEFAULTS, add_images, refuse_foreign
from lorarecipe.imports.values import is_unset, number, words
from lorarecipe.recipe.options import known_options

TITLE = "a saved LoRA configuration of the kohya_ss GUI (JSON)"

#: names of the GUI, with those of the options
_OPTIONS = {
    "max_resolution": "resolution",
    "optimizer": "optimizer_type",
    "sdxl_no_half_vae": "no_half_vae",
    "sdxl_cache_text_encoder_outputs": "cache_text_encoder_outputs",
}
#: what is read together with another key, further down
_READ_WITH_OTHERS = frozenset(
    """
    LoRA_type lr_warmup lr_warmup_steps unet_lr text_encoder_lr learning_rate epoch max_train_epochs max_train_steps
    noise_offset_type noise_offset adaptive_noise_scale multires_noise_iterations multires_noise_discount use_8bit_adam
    conv_dim conv_alpha rank_dropout module_dropout additional_parameters train_data_dir dataset_config output_name
    xformers sdxl v2 flux1_checkbox sd3_checkbox optimizer_args caption_extension
    """.split()
)
_PLAIN_LORA = frozenset({"Standard", "Kohya LoCon", "LyCORIS/LoCon", "LoCon"})
_CONVOLVED = _PLAIN_LORA - {"Standard"}
_GUI_ALONE = "it says how the GUI starts and shows the training, or is for another form of LoRA"
#: keys that are read for LyCORIS alone, and for models whose boxes are not ticked
_OF_OTHER_FORMS = re.compile(
    r"factor|unit|train_on_input|use_(cp|tucker|scalar)|LyCORIS_preset|constrain|rescaled|bypass_mode"
)
_OF_OTHER_MODELS = re.compile(
    r"(flux|sd3|t5|clip_[gl]|ae$|lumina|anima|discrete_flow|guidance_scale|model_prediction|timestep_sampling|weighting_|"
    r"logit_|mode_scale|split_|train_(t5|blocks|double|single)|apply_t5|(single|double)_|blocks_to|img_|txt_|in_dims|ggpo|"
    r"enable_all_linear|save_(clip|t5)|pos_emb|mem_eff_save)"
)
_ANOTHER_NOISE = "noise_offset_type says which noise is used, and it is not this one"


def recognises(source: Source) -> bool:
    """Look for names that the GUI alone has."""
    data = source.data
    if source.form != "JSON" or not isinstance(data, Mapping):
        return False
    return "LoRA_type" in data or "max_resolution" in data or {"lr_warmup", "epoch", "train_batch_size"} <= data.keys()


def read(source: Source) -> Found:
    """Take the settings with their names in sd-scripts, as the GUI itself would hand them over."""
    assert isinstance(source.data, Mapping)
    data: Mapping[str, object] = source.data
    boxes = ("flux1" if data.get("flux1_checkbox") is True else "", "sd3" if data.get("sd3_checkbox") is True else "")
    refuse_foreign(source, (data.get("LoRA_type"), *boxes), data.get("train_data_dir"))
    found = Found(name=source.path.stem, trainer="sd-scripts")
    found.rename("output_name", data.get("output_name"))
    found.defaults = {k: v for k, v in DEFAULTS.items() if k not in {"enable_bucket", "max_train_steps"}}
    # before there was SDXL, the file had no key for it
    found.family = "sdxl" if data.get("sdxl") is True else "sd2" if data.get("v2") is True else "sd15"
    found.unset += [key for key in ("sdxl", "v2", "flux1_checkbox", "sd3_checkbox") if key in data]
    for key, value in data.items():
        if key not in _READ_WITH_OTHERS:
            _one(found, key, value, is_plain=_form_of(data) in _PLAIN_LORA)
    _form(found, data)
    _rates(found, data)
    _length(found, data)
    _noise(found, data)
    _captions(found, data)
    if "optimizer" not in data:
        eight_bit = data.get("use_8bit_adam") is True
        found.carry("use_8bit_adam", eight_bit, "optimizer_type", "AdamW8bit" if eight_bit else None)
    elif "use_8bit_adam" in data:
        found.leave("use_8bit_adam", data["use_8bit_adam"], "the optimizer is said by another key")
    _command_line(found, data.get("additional_parameters"))
    add_images(found, source, data.get("dataset_config"), data.get("train_data_dir"))
    return found


def _one(found: Found, key: str, value: object, *, is_plain: bool) -> None:
    option = _OPTIONS.get(key, key)
    if option in known_options():
        found.carry(key, value, option, off_counts=option == "enable_bucket")
    elif (is_plain and _OF_OTHER_FORMS.match(key)) or _OF_OTHER_MODELS.match(key):
        found.unset.append(key)
    else:
        found.leave(key, value, _GUI_ALONE)


def _form_of(data: Mapping[str, object]) -> str:
    return str(data.get("LoRA_type") or "Standard")


def _form(found: Found, data: Mapping[str, object]) -> None:
    form = _form_of(data)
    if form not in _PLAIN_LORA:
        found.leave("LoRA_type", form, "a recipe trains LoRAs (networks.lora), and no other form")
    wanted = ("rank_dropout", "module_dropout", *(("conv_dim", "conv_alpha") if form in _CONVOLVED else ()))
    given = {key: f"{key}={value}" for key in wanted if (value := number(data.get(key)))}
    found.carry(", ".join(given), ", ".join(given.values()), "network_args", [*given.values()])
    parts = (
        "conv_dim",
        "conv_alpha",
        "rank_dropout",
        "module_dropout",
        *(("LoRA_type",) if form in _PLAIN_LORA else ()),
    )
    found.unset += [key for key in parts if key in data and key not in given]
    arguments = words(data.get("optimizer_args") or [])
    found.carry("optimizer_args", data.get("optimizer_args"), "optimizer_args", arguments or None)
    attention = data.get("xformers")
    if attention in (True, "xformers"):
        found.carry("xformers", attention, "xformers", True)
    elif "xformers" in data:
        found.unset.append("xformers")


def _rates(found: Found, data: Mapping[str, object]) -> None:
    """Where one of the two rates is 0, its part is not trained; where both are, the common rate is for both."""
    unet, encoder = (number(data.get(key)) or 0 for key in ("unet_lr", "text_encoder_lr"))
    for key in ("learning_rate", "unet_lr"):
        found.carry(key, data.get(key), key)
    found.carry("text_encoder_lr", data.get("text_encoder_lr"), "text_encoder_lr", off_counts=bool(unet))
    if unet and not encoder and "text_encoder_lr" not in found.settings:
        found.defaults = {**found.defaults, "text_encoder_lr": 0}
    warmup, steps = number(data.get("lr_warmup")), number(data.get("lr_warmup_steps"))
    if steps:
        found.carry("lr_warmup_steps", data.get("lr_warmup_steps"), "lr_warmup_steps")
    elif warmup:
        found.carry("lr_warmup", f"{data['lr_warmup']} percent", "lr_warmup_steps", min(warmup / 100, 0.999))
    found.unset += [key for key in ("lr_warmup", "lr_warmup_steps") if key in data and not number(data[key])]


def _length(found: Found, data: Mapping[str, object]) -> None:
    """Epochs go before steps; where neither is set, `epoch` counts them, unless the images are in a configuration."""
    epochs, steps = number(data.get("max_train_epochs")), number(data.get("max_train_steps"))
    for key in ("max_train_epochs", "max_train_steps"):
        found.carry(key, data.get(key), key)
    if epochs or steps:
        found.leave(
            "epoch", data.get("epoch"), "the GUI reads it only where neither max_train_epochs nor _steps is set"
        )
    elif data.get("dataset_config"):
        found.defaults = {**found.defaults, "max_train_steps": DEFAULTS["max_train_steps"]}
        found.leave("epoch", data.get("epoch"), "the GUI does not read it beside a dataset_config")
    else:
        found.carry("epoch", data.get("epoch"), "max_train_epochs")


def _noise(found: Found, data: Mapping[str, object]) -> None:
    """Take one of the two kinds of noise: the GUI hands over the one that noise_offset_type names."""
    is_multires = data.get("noise_offset_type") == "Multires"
    found.unset += [key for key in ("noise_offset_type",) if key in data]
    has_offset = bool(number(data.get("noise_offset")))
    for key in ("multires_noise_iterations", "multires_noise_discount"):
        if is_multires and number(data.get("multires_noise_iterations")):
            found.carry(key, data.get(key), key)
        elif key in data:
            found.unset.append(key)
    for key in ("noise_offset", "adaptive_noise_scale"):
        if is_multires:
            found.leave(key, data.get(key), _ANOTHER_NOISE)
        elif has_offset:
            found.carry(key, data.get(key), key)
        elif key in data:
            found.unset.append(key)


def _captions(found: Found, data: Mapping[str, object]) -> None:
    extension = data.get("caption_extension")
    if extension == ".none-use-foldername":
        found.defaults = {k: v for k, v in found.defaults.items() if k != "caption_extension"}
        reason = "the method has no trigger word: captions are in the files beside the images, and no folder's name"
        found.leave("caption_extension", extension, reason)
    elif "caption_extension" in data:
        found.carry("caption_extension", extension, "caption_extension", extension or ".caption")


def _command_line(found: Found, text: object) -> None:
    """Read the further options of the command line; the last of the same name counts, as it does there."""
    if is_unset(text) or not isinstance(text, str):
        found.unset += ["additional_parameters"] if text == "" else []
        return
    parts: list[tuple[str, list[str]]] = []
    for word in words(text):
        name, equals, value = word.removeprefix("--").partition("=")
        if word.startswith("--"):
            parts.append((name, [value] if equals else []))
        elif parts:
            parts[-1][1].append(word)
        else:
            found.leave("additional_parameters", word, "it belongs to no option")
    for name, given in parts:
        many = name in known_options() and known_options()[name]["many"]
        means: object = given if many else " ".join(given) if given else True
        found.carry(f"additional_parameters --{name}", " ".join(given) or True, name, means)
