"""OneTrainer: a configuration in JSON, or a list of concepts, in any of its versions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PureWindowsPath

from lorarecipe.errors import RecipeError
from lorarecipe.imports.concepts import add_concepts, tables
from lorarecipe.imports.found import Found
from lorarecipe.imports.paths import here
from lorarecipe.imports.source import Source, read_source
from lorarecipe.imports.training_toml import refuse_foreign
from lorarecipe.imports.values import flat, is_unset, number

TITLE = "a LoRA configuration of OneTrainer, or its list of concepts (JSON)"

_FAMILIES = {
    "STABLE_DIFFUSION_15": "sd15",
    "STABLE_DIFFUSION_20_BASE": "sd2",
    "STABLE_DIFFUSION_20": "sd2",
    "STABLE_DIFFUSION_21_BASE": "sd2",
    "STABLE_DIFFUSION_21": "sd2",
    "STABLE_DIFFUSION_XL_10_BASE": "sdxl",
}
#: what OneTrainer takes where nothing is said
_DEFAULTS: Mapping[str, object] = {
    "network_dim": 16,
    "network_alpha": 1,
    "learning_rate": 3e-6,
    "max_train_epochs": 100,
    "resolution": 512,
    "lr_scheduler": "constant_with_warmup",
    "lr_warmup_steps": 200,
}
_PRECISIONS: Mapping[str, object] = {"FLOAT_32": "no", "TFLOAT_32": "no", "FLOAT_16": "fp16", "BFLOAT_16": "bf16"}
_SAVED: Mapping[str, object] = {"FLOAT_32": "float", "FLOAT_16": "fp16", "BFLOAT_16": "bf16"}
_CHECKPOINTING: Mapping[str, object] = {"ON": True, "CPU_OFFLOADED": True, "OFF": False, "True": True, "False": False}
_OPTIMIZERS = {"SCHEDULE_FREE_ADAMW": "AdamWScheduleFree"}
#: keys with the option that means the same, whose values are the same
_PLAIN = {
    "base_model_name": "pretrained_model_name_or_path",
    "batch_size": "train_batch_size",
    "clip_grad_norm": "max_grad_norm",
    "dropout_probability": "network_dropout",
    "epochs": "max_train_epochs",
    "force_v_prediction": "v_parameterization",
    "gradient_accumulation_steps": "gradient_accumulation_steps",
    "learning_rate": "learning_rate",
    "learning_rate_cycles": "lr_scheduler_num_cycles",
    "lora_alpha": "network_alpha",
    "lora_rank": "network_dim",
    "min_snr_gamma": "min_snr_gamma",
    "offset_noise_weight": "noise_offset",
    "rescale_noise_scheduler_to_zero_terminal_snr": "zero_terminal_snr",
    "resolution": "resolution",
    "text_encoder.learning_rate": "text_encoder_lr",
    "text_encoder_learning_rate": "text_encoder_lr",
    "unet.learning_rate": "unet_lr",
    "unet_learning_rate": "unet_lr",
    "vae.model_name": "vae",
    "vae_model_name": "vae",
}
#: arguments that optimizers have in sd-scripts too, beside betas
_ARGUMENTS = {
    "adamw": ("weight_decay", "eps"),
    "adamw8bit": ("weight_decay", "eps"),
    "lion": ("weight_decay",),
    "lion8bit": ("weight_decay",),
    "prodigy": ("weight_decay", "d_coef", "decouple", "use_bias_correction", "safeguard_warmup"),
    "adafactor": ("scale_parameter", "relative_step", "warmup_init"),
}
_OF_THE_PROGRAM = (
    r"workspace|cache|clear_cache|debug|backup|rolling_|continue_|tensorboard|temp_device|train_device|device_|dataloader|"
    r"latent_caching|only_cache|include_train_config|save_(filename|skip)|prevent_overwrites|output_model|async_|"
    r"fused_gradient|multi_gpu|gradient_reduce|compile|enable_a|attention_mechanism|layer_offload|validat"
)
_REASONS: tuple[tuple[str, str], ...] = (
    (r"(cloud|secrets)\.", "it is for a server, or a secret for one"),
    (r"concept_file_name|concepts?\[|concepts", "it says how OneTrainer reads the images of a folder"),
    (r"samples?(_|\[|$)", "lorarecipe draws the pictures itself: [samples]"),
    (_OF_THE_PROGRAM, "it says where OneTrainer keeps its files and how it works, and not what is learned"),
    (r".*(weight_dtype|_dtype)$", "precision in a recipe is one of no, fp16 and bf16, for all parts"),
    (r"optimizer[._]", "its optimizer does not have it in sd-scripts"),
)
#: keys of parts that these models do not have, and of other things than a LoRA
_OF_OTHERS = re.compile(
    r"prior|transformer|decoder|effnet|text_encoder_[34]|(additional_)?embedding|token_count|initial_emb|preserve_emb|"
    r"bundle_|quantization|frames|dynamic_timestep|oft_|coft|lora_decompose_"
)
#: keys that are read where another is on
_READ_WITH: tuple[tuple[str, str, tuple[object, ...]], ...] = (
    (r"ema_|non_ema", "ema", (None, "OFF")),
    (r"align_prop_", "align_prop", (None, False)),
    (r"unmasked_|normalize_masked|masked_prior", "masked_training", (None, False)),
    (r"text_encoder(_2)?\.(stop_training|weight_dtype)|train_text_encoder_(2_)?epochs", "text_encoder.train", (False,)),
    (r"layer_filter|lora_layers", "layer_filter_preset", ("full",)),
)
_SAME: Mapping[str, tuple[object, ...]] = {
    "training_method": ("LORA",),
    "peft_type": ("LORA",),
    "loss_weight_fn": ("CONSTANT",),
    "mse_strength": (1.0,),
    "vb_loss_strength": (1.0,),
    "max_noising_strength": (1.0,),
    "ema": ("OFF",),
    "loss_scaler": ("NONE",),
    "learning_rate_scaler": ("NONE",),
    "timestep_distribution": ("UNIFORM",),
    "layer_filter_preset": ("full",),
    "unet.train": (True,),
    "train_unet": (True,),
    "aspect_ratio_bucketing": (True,),
    "optimizer.fused": (True,),
}

Config = Mapping[str, object]


def recognises(source: Source) -> bool:
    """Look for concepts, or for a model type beside a training method."""
    data = source.data
    if source.form != "JSON":
        return False
    if isinstance(data, list):
        are_concepts = bool(data) and all(isinstance(one, Mapping) and "path" in one for one in data)
        return are_concepts and any("text" in one or "image" in one for one in data)
    return isinstance(data, Mapping) and (
        {"training_method", "model_type"} <= data.keys() or "concept_file_name" in data or "concepts" in data
    )


def read(source: Source) -> Found:
    """Take the settings with their names in sd-scripts; a full fine-tuning, or another model, is refused."""
    if isinstance(source.data, list):
        found = Found(name=source.path.stem, trains=False)
        add_concepts(found, source.data)
        return found
    assert isinstance(source.data, Mapping)
    data: Config = source.data
    model, method = data.get("model_type"), data.get("training_method", "LORA")
    images = next((one.get("path") for one in tables(data.get("concepts"))), None)
    if isinstance(model, str) and model not in _FAMILIES:
        refuse_foreign(source, (model,), images)
        raise source.refusal(f"found a training of {model}, expected one of: {', '.join(_FAMILIES)}")
    if method != "LORA":
        raise source.refusal(f"found training_method {method!r}, expected 'LORA': lorarecipe trains LoRAs")
    found = Found(name=source.path.stem, trainer="OneTrainer", defaults=_DEFAULTS)
    stem = PureWindowsPath(str(data.get("output_model_destination") or "")).stem
    if stem not in {"", "lora", "model"}:  # these are OneTrainer's own
        found.rename("output_model_destination", stem)
    found.family = _FAMILIES.get(str(model))
    found.unset += [key for key in ("model_type",) if key in data]
    _training(found, data)
    _images(found, data, source)
    return found


def _training(found: Found, data: Config) -> None:
    values = dict(flat({k: v for k, v in data.items() if k not in {"concepts", "model_type", found.name_key}}))
    for key in [*values]:
        if key in _PLAIN:
            # a rate of null is the common one
            found.carry(key, values[key], _PLAIN[key])
            del values[key]
    without = [pattern for pattern, other, off in _READ_WITH if values.get(other) in off]
    _translated(found, values)
    _optimizer(found, values)
    _schedule(found, values)
    for key, value in values.items():
        name = key.rpartition(".")[2]
        idle = _OF_OTHERS.match(key) or any(re.match(pattern, key) for pattern in without)
        if idle or name in {"__version", "uuid"} or value in _SAME.get(key, ()) or value in ("NEVER", "NONE"):
            found.unset.append(key)
        else:
            reason = next((why for pattern, why in _REASONS if re.match(pattern, key)), "a recipe has no key for it")
            found.leave(key, value, reason)


def _translated(found: Found, values: dict[str, object]) -> None:
    """Take the keys whose values mean something else in sd-scripts, and remove them from the rest."""
    for key, option, meanings in (
        ("train_dtype", "mixed_precision", _PRECISIONS),
        ("output_dtype", "save_precision", _SAVED),
        ("gradient_checkpointing", "gradient_checkpointing", _CHECKPOINTING),
    ):
        value = values.pop(key, None)
        if str(value) in meanings:
            found.carry(key, value, option, meanings[str(value)])
        elif value is not None:
            found.leave(key, value, f"expected one of {', '.join(map(str, meanings))}")
    for key in ("text_encoder.train", "train_text_encoder"):
        trains = values.pop(key, None)
        if trains is False:
            found.carry(key, False, "network_train_unet_only", True)
        elif trains is not None:
            found.unset.append(key)
    if values.get("aspect_ratio_bucketing") is False:
        found.carry("aspect_ratio_bucketing", values.pop("aspect_ratio_bucketing"), "enable_bucket", off_counts=True)
    skipped = number(values.get("text_encoder_layer_skip"))
    if isinstance(skipped, int) and skipped > 0:
        found.carry("text_encoder_layer_skip", values.pop("text_encoder_layer_skip"), "clip_skip", skipped + 1)
    weighting = values.get("loss_weight_fn")
    if weighting == "MIN_SNR_GAMMA":
        found.unset.append("loss_weight_fn")
        found.carry("loss_weight_strength", values.pop("loss_weight_strength", 5), "min_snr_gamma")
        values.pop("loss_weight_fn")
    elif weighting == "DEBIASED_ESTIMATION":
        found.carry("loss_weight_fn", values.pop("loss_weight_fn"), "debiased_estimation_loss", True)
    elif weighting in (None, "CONSTANT") and "loss_weight_strength" in values:
        values.pop("loss_weight_strength")
        found.unset.append("loss_weight_strength")
    for every in ("save_every", "save_after"):
        if values.get(f"{every}_unit") == "EPOCH" and every in values:
            found.carry(every, values.pop(every), "save_every_n_epochs")
            found.unset.append(f"{every}_unit")
            values.pop(f"{every}_unit")


def _optimizer(found: Found, values: dict[str, object]) -> None:
    key = "optimizer.optimizer" if "optimizer.optimizer" in values else "optimizer"
    name = values.pop(key, None)
    if not isinstance(name, str):
        return
    means = _OPTIMIZERS.get(name, name.replace("_", ""))
    found.carry(key, name, "optimizer_type", means)
    given: dict[str, str] = {}
    betas = [f"optimizer.{beta}" for beta in ("beta1", "beta2")]
    if means.lower() in _ARGUMENTS and means != "ADAFACTOR" and all(number(values.get(beta)) for beta in betas):
        first, second = (values.pop(beta) for beta in betas)
        given[", ".join(betas)] = f"betas=({first}, {second})"
    for argument in _ARGUMENTS.get(means.lower(), ()):
        for option in (f"optimizer.{argument}", f"optimizer_{argument}", argument):
            if option in values and not is_unset(values[option]):
                given[option] = f"{argument}={values.pop(option)}"
    found.carry(", ".join(given), ", ".join(given.values()), "optimizer_args", [*given.values()])


def _schedule(found: Found, values: dict[str, object]) -> None:
    key = "learning_rate_scheduler" if "learning_rate_scheduler" in values else ""
    scheduler = str(values.pop("learning_rate_scheduler", "CONSTANT"))
    warmup = values.pop("learning_rate_warmup_steps", None)
    steps = 200 if warmup is None else number(warmup)
    means = {"COSINE_WITH_HARD_RESTARTS": "cosine_with_restarts"}.get(scheduler, scheduler.lower())
    if means == "constant" and steps:
        means = "constant_with_warmup"
    found.carry(key, scheduler, "lr_scheduler", means)
    if warmup is not None:
        # up to 1, it is a share of the steps
        share = min(steps, 0.999) if steps and steps <= 1 else None
        found.carry("learning_rate_warmup_steps", warmup, "lr_warmup_steps", share)
        found.defaults = {key: value for key, value in found.defaults.items() if key != "lr_warmup_steps"}


def _images(found: Found, data: Config, source: Source) -> None:
    concepts = data.get("concepts")
    if isinstance(concepts, list):
        add_concepts(found, concepts)
        return
    name = data.get("concept_file_name")
    path = here(source, name) if isinstance(name, str) and name else None
    if path:
        try:
            read = read_source(path).data
        except RecipeError:
            read = None
        add_concepts(found, read)
