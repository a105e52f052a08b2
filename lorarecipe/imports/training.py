"""Options of sd-scripts into the keys of ``[target.training]``, by the very table that recipes are read with."""

from __future__ import annotations

from math import ceil
from typing import get_args

from lorarecipe.imports.draft import Draft
from lorarecipe.imports.found import Setting
from lorarecipe.imports.values import number, words
from lorarecipe.recipe.arguments import options_of
from lorarecipe.recipe.options import extra_problems, known_options, only_for
from lorarecipe.recipe.refused import REFUSED
from lorarecipe.recipe.training import Training

_TRAINING = "target.training."
_FIELDS = options_of(Training, _TRAINING)
_OPTIMIZERS: dict[str, str] = {name.lower(): name for name in get_args(Training.model_fields["optimizer"].annotation)}
_SCHEDULERS: tuple[str, ...] = get_args(Training.model_fields["scheduler"].annotation)
#: a rate that is above is none: it multiplies what the optimizer finds by itself
_MULTIPLIER = 0.1

#: values that are sd-scripts' own when nothing is said, or what lorarecipe does anyway
_SAME: dict[str, tuple[object, ...]] = {
    "cache_latents": (True,),
    "caption_extension": (".txt",),
    "caption_extention": (".txt",),
    "dynamo_backend": ("no",),
    "gradient_accumulation_steps": (1,),
    "huber_c": (0.1,),
    "huber_scale": (1,),
    "huber_schedule": ("snr",),
    "loss_type": ("l2",),
    "lr_scheduler_num_cycles": (1,),
    "lr_scheduler_power": (1,),
    "max_grad_norm": (1,),
    "max_timestep": (1000,),
    "max_token_length": (75,),
    "network_module": ("networks.lora",),
    "prior_loss_weight": (1,),
    "save_model_as": ("safetensors",),
    "sdpa": (True,),
    "token_warmup_min": (1,),
    "vae_batch_size": (1,),
}
#: reasons that ``refused.py`` does not have: these options are keys of a recipe, though not in this form
_INSTEAD = {
    "dataset_repeats": "sd-scripts reads it with data sets for fine-tuning only",
    "keep_tokens": "the method has no trigger word that would have to stay in front of a caption",
    "lr_scheduler_type": f"a recipe's scheduler is one of {', '.join(_SCHEDULERS)}",
    "output_dir": "the results of a recipe go into out/NAME, or where --out says",
    "save_every_n_steps": "a recipe saves by epochs: save_every_epochs",
    "use_8bit_adam": "the optimizer is said by another key",
    "use_lion_optimizer": "the optimizer is said by another key",
}
_UNKNOWN = "neither recipes nor the trainings of sd-scripts for sd15, sd2 and sdxl have it"


def write_training(draft: Draft, images: int | None) -> None:
    """Carry over what says how to train; ``images`` is what an epoch has of them, where it can be counted."""
    _network(draft)
    _optimizer(draft)
    _rates(draft)
    _length(draft)
    _schedule(draft, images)
    for option in [*draft.pending]:
        _other(draft, draft.pending.pop(option))


def _network(draft: Draft) -> None:
    module, arguments = draft.take("network_module"), draft.take("network_args")
    kept: list[str] = []
    algorithm = "lora"
    for word in words(arguments.means) if arguments else []:
        name, _, value = word.partition("=")
        part = Setting(f"{arguments.key} {name}" if arguments else name, value, "network_args", word)
        if name == "algo":
            algorithm = value
        if word in {"algo=lora", "algo=locon"} or number(value) == 0:
            draft.same(part)
        elif problem := extra_problems({"network_args": [word]}, {}).get("network_args"):
            draft.leave(part, problem)
        else:
            kept.append(word)
    if kept:
        draft.put(f"{_TRAINING}extra.network_args", kept, arguments)
    is_lora = not module or module.means in ("networks.lora", "lycoris.kohya")
    if is_lora and algorithm in {"lora", "locon"}:
        draft.same(module)
    else:
        draft.leave(module, "a recipe trains LoRAs (networks.lora), and no other form")


def _optimizer(draft: Draft) -> None:
    setting, arguments = draft.take("optimizer_type"), draft.take("optimizer_args")
    name = str(setting.means).rpartition(".")[2].lower() if setting else "adamw"
    if setting and name in _OPTIMIZERS:
        draft.put(f"{_TRAINING}optimizer", _OPTIMIZERS[name], setting)
    elif setting:
        draft.leave(setting, f"a recipe's optimizer is one of {', '.join(_OPTIMIZERS.values())}; AdamW is the default")
    kept: list[str] = []
    for word in words(arguments.means) if arguments else []:
        if name not in _OPTIMIZERS:
            problem: str | None = "its optimizer is not carried over"
        else:
            problem = extra_problems({"optimizer_args": [word]}, {}).get("optimizer_args")
        if problem and arguments:
            key, _, value = word.partition("=")
            draft.leave(Setting(f"{arguments.key} {key}", value, "optimizer_args", word), problem)
        else:
            kept.append(word)
    if kept:
        draft.put(f"{_TRAINING}extra.optimizer_args", kept, arguments)


def _rates(draft: Draft) -> None:
    common, unet, encoder = (draft.take(option) for option in ("learning_rate", "unet_lr", "text_encoder_lr"))
    unet_only = draft.take("network_train_unet_only")
    if encoder and isinstance(encoder.means, list):
        rates = encoder.means
        if len({*map(str, rates)}) > 1:
            draft.leave(encoder, f"a recipe has one rate for all text encoders; the first, {rates[0]}, is taken")
        first = number(rates[0]) if rates else None
        encoder = None if first is None else Setting(encoder.key, encoder.value, encoder.option, first)
    _rate(draft, "unet_lr", unet or common)
    if unet and encoder:
        if common and number(common.means) in {number(unet.means), number(encoder.means)}:
            draft.same(common)
        else:
            draft.leave(common, "the rates of U-Net and text encoder go before it")
    if unet_only and unet_only.means is True:
        draft.same(unet_only)
        draft.leave(encoder, "the same source says that only the U-Net is trained")
    elif encoder and number(encoder.means) == 0:
        draft.same(encoder)
    elif encoder or common:
        _rate(draft, "text_encoder_lr", encoder or common)


def _rate(draft: Draft, name: str, setting: Setting | None) -> None:
    if not setting:
        return
    rate, optimizer = number(setting.means), draft.values.get(f"{_TRAINING}optimizer")
    if rate is not None and rate > _MULTIPLIER and optimizer != "Prodigy":
        reason = "it multiplies the rate that the source's optimizer finds by itself, which this optimizer does not"
        draft.leave(setting, reason)
        draft.decide(_TRAINING + name, f"found {rate}, {reason}; expected a learning rate", 1e-4)
    else:
        draft.put(_TRAINING + name, setting.means, setting)


def _length(draft: Draft) -> None:
    epochs, steps = draft.take("max_train_epochs"), draft.take("max_train_steps")
    if epochs:
        draft.put(f"{_TRAINING}epochs", epochs.means, epochs)
        draft.leave(steps, "the epochs of the same source go before it")
    elif steps:
        draft.put(f"{_TRAINING}steps", steps.means, steps)


def _schedule(draft: Draft, images: int | None) -> None:
    scheduler, warmup = draft.take("lr_scheduler"), draft.take("lr_warmup_steps")
    name = str(scheduler.means).lower() if scheduler else ""
    if "lr_scheduler_type" in draft.pending:
        draft.leave(draft.take("lr_scheduler_args"), "its scheduler is not carried over")
    if name in _SCHEDULERS:
        draft.put(f"{_TRAINING}scheduler", name, scheduler)
    elif scheduler:
        draft.leave(scheduler, f"a recipe's scheduler is one of {', '.join(_SCHEDULERS)}; cosine is the default")
    length = number(warmup.means) if warmup else None
    if not warmup or length == 0:
        draft.same(warmup)
        return
    if name == "constant":
        draft.leave(warmup, "the scheduler constant has no warm-up, in sd-scripts either")
        return
    if length is not None and length < 1:
        steps = _steps(draft, images)
        if steps is None:
            reason = "it is a share of the steps, which are not known before the images are here: set warmup_steps"
            draft.leave(warmup, reason)
            return
        length = round(length * steps)
    draft.put(f"{_TRAINING}warmup_steps", warmup.means if length is None else length, warmup)


def _steps(draft: Draft, images: int | None) -> int | None:
    """Steps of the whole training, where they can be known."""
    steps, epochs = (number(draft.values.get(_TRAINING + name)) for name in ("steps", "epochs"))
    if isinstance(steps, int):
        return steps
    if not isinstance(epochs, int) or not images:
        return None
    given = (draft.pending.get(option) for option in ("train_batch_size", "gradient_accumulation_steps"))
    batch, accumulation = (number(setting.means) or 1 if setting else 1 for setting in given)
    return ceil(ceil(images / batch) / accumulation) * epochs


def _other(draft: Draft, setting: Setting) -> None:
    option, value = setting.option, setting.means
    if value in _SAME.get(option, ()):
        draft.same(setting)
    elif option == "alpha_mask":
        draft.put(f"{_TRAINING}mask", "figure", setting)
    elif option.startswith("caption_exten"):
        draft.leave(setting, "lorarecipe reads the caption of a.png from a.txt: name the files so")
    elif option in _INSTEAD:
        draft.leave(setting, _INSTEAD[option])
    elif option in _FIELDS:
        draft.put(_FIELDS[option], value, setting)
    elif option in REFUSED:
        draft.leave(setting, REFUSED[option])
    elif option not in known_options():
        draft.leave(setting, _UNKNOWN)
    elif (family := only_for(option)) not in {None, draft.values.get("checkpoint.family")}:
        draft.leave(setting, f"it is for {family} checkpoints, and the source does not say that its checkpoint is one")
    elif problem := extra_problems({option: [*words(value)] if known_options()[option]["many"] else value}, {}):
        draft.leave(setting, problem[option])
    else:
        draft.put(f"{_TRAINING}extra.{option}", words(value) if known_options()[option]["many"] else value, setting)
