"""What ``extra`` may hold: options of the pinned sd-scripts, from its own parser's list in ``vendor/``.

An option is passed on only when it is known to do nothing but change the training; ``refused.py`` has the reason why
any other is not.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Literal, TypedDict

from lorarecipe.errors import did_you_mean
from lorarecipe.files import vendor
from lorarecipe.recipe.refused import REFUSED

#: option -> the key of a recipe that sets it, beside what the fields of a training are annotated with
_OWNED = {
    "pretrained_model_name_or_path": "checkpoint.path",
    "v2": "checkpoint.family",
    "v_parameterization": "checkpoint.v_prediction",
    "vae": "checkpoint.vae",
    "clip_skip": "checkpoint.clip_skip",
    "train_data_dir": "target.images",
    "dataset_config": "target.images",
    "dataset_repeats": "repeats",
    "enable_bucket": "buckets",
    "output_name": "name",
    "output_dir": "name",
    "save_every_n_steps": "save_every_epochs",
    "use_8bit_adam": "optimizer",
    "use_lion_optimizer": "optimizer",
    "lr_scheduler_type": "scheduler",
    "base_weights": "merge.mode",
    "base_weights_multiplier": "merge.strength",
}

#: options that change nothing but the training (and its use of memory)
_ALLOWED = frozenset(
    """
    adaptive_noise_scale cache_text_encoder_outputs caption_dropout_every_n_epochs caption_dropout_rate
    caption_tag_dropout_rate debiased_estimation_loss flip_aug fp8_base fp8_base_unet full_bf16 full_fp16
    gradient_accumulation_steps highvram huber_c huber_scale huber_schedule ip_noise_gamma
    ip_noise_gamma_random_strength keep_tokens loss_type lowram lr_scheduler_args lr_scheduler_num_cycles
    lr_scheduler_power max_grad_norm max_timestep max_token_length min_snr_gamma min_timestep
    multires_noise_discount multires_noise_iterations network_args network_dropout no_half_vae noise_offset
    noise_offset_random_strength optimizer_args resize_interpolation save_precision
    scale_v_pred_loss_like_noise_pred scale_weight_norms shuffle_caption v_pred_like_loss vae_batch_size
    weighted_captions zero_terminal_snr
    """.split()
)

_KEY_VALUE = re.compile(r"[A-Za-z_]\w*=[^\x00-\x1f]*")

#: keys of ``network_args`` that ``networks.lora`` reads (it ignores every other one without a word), but for those
#: that train some blocks with another rank or not at all: a result could not be distinguished from a failed one
_NETWORK_ARGS = frozenset(
    """
    conv_dim conv_alpha rank_dropout module_dropout loraplus_lr_ratio loraplus_unet_lr_ratio
    loraplus_text_encoder_lr_ratio
    """.split()
)


class Option(TypedDict):
    """An option of the trainer's parser."""

    kind: Literal["flag", "int", "float", "str"]
    choices: list[str | int | float] | None
    many: bool
    only: str | None
    """The one family that it is for."""


@cache
def known_options() -> dict[str, Option]:
    """Options of the pinned checkout by name."""
    listed: dict[str, Option] = json.loads(vendor("options.json").read_text("utf-8"))["options"]
    return listed


def allowed_options() -> dict[str, Option]:
    """Options that a training's ``extra`` may hold."""
    return {name: known_options()[name] for name in _ALLOWED}


def extra_problems(extra: Mapping[str, object], owned: Mapping[str, str]) -> dict[str, str]:
    """Say what is wrong with a training's ``extra``: option -> problem.

    Parameters
    ----------
    extra
        Options and their values.
    owned
        Options that the training's own fields set, with the names of these.
    """
    return {name: problem for name, value in extra.items() if (problem := _problem(name, value, {**owned, **_OWNED}))}


def only_for(name: str) -> str | None:
    """Family that an option is for, or None when it is for all."""
    option = known_options().get(name)
    return option["only"] if option else None


def _problem(name: str, value: object, owned: Mapping[str, str]) -> str | None:
    if name in owned:
        return f"found an option that the recipe sets, expected {owned[name]} in its place"
    if name not in known_options():
        return f"found an option that sd-scripts does not have{did_you_mean(name, sorted(_ALLOWED))}"
    if name not in _ALLOWED:
        return f"found an option that a recipe may not set: {REFUSED[name]}"
    return _value_problem(name, value)


def _is_literal(word: str) -> bool:
    """Tell whether a word is one key and one value that Python reads; a comma at its end would make a tuple of it."""
    _, _, value = word.partition("=")
    try:
        ast.literal_eval(value.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return False
    return not value.rstrip().endswith(",")


def _value_problem(name: str, value: object) -> str | None:
    option = known_options()[name]
    if option["many"]:
        # a word that begins with a dash would be read as an option of its own
        if not isinstance(value, list) or not all(isinstance(v, str) and _KEY_VALUE.fullmatch(v) for v in value):
            return f'found {value!r}, expected a list of "key=value"'
        if name != "network_args" and (odd := [word for word in value if not _is_literal(word)]):
            # sd-scripts splits at each `=` and reads the value as Python does
            return (
                f"found {odd[0]!r}, expected one key=value with a value of Python: a number, True, False, (0.9, 0.99)"
            )
        strangers = [key for item in value if (key := item.split("=", 1)[0]) not in _NETWORK_ARGS]
        if name == "network_args" and strangers:
            known = sorted(_NETWORK_ARGS)
            return f"found {strangers[0]!r}, expected one of {', '.join(known)}{did_you_mean(strangers[0], known)}"
        return None
    kinds: dict[str, tuple[type, ...]] = {"flag": (bool,), "int": (int,), "float": (int, float), "str": (str,)}
    right = isinstance(value, kinds[option["kind"]]) and (option["kind"] == "flag" or not isinstance(value, bool))
    if not right:
        words = {"flag": "true or false", "int": "a whole number", "float": "a number", "str": "a text"}
        return f"found {value!r}, expected {words[option['kind']]}"
    if isinstance(value, int | float) and not abs(value) < 1e9:
        return f"found {value!r}, expected a smaller number"
    if option["choices"] and value not in option["choices"]:
        return f"found {value!r}, expected one of {', '.join(map(str, option['choices']))}"
    if name == "gradient_accumulation_steps" and isinstance(value, int) and value < 1:
        return f"found {value!r}, expected 1 or more"
    return None
