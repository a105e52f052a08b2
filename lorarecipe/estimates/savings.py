"""Settings that have a training take less memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from lorarecipe.engines import embedded
from lorarecipe.estimates.memory import Memory, memory_of
from lorarecipe.plan import TrainStage

_RESOLUTION = "a smaller resolution"
#: options with which captions are other ones each time, so that nothing can be kept of them
_CHANGES_CAPTIONS = {"shuffle_caption", "caption_dropout_rate", "caption_tag_dropout_rate", "token_warmup_step"}


@dataclass(frozen=True)
class Saving:
    """A setting, and the memory of the training with it and with those before it."""

    setting: str
    memory: Memory


def savings_of(stage: TrainStage) -> tuple[Saving, ...]:
    """List the settings that are not yet set, those first that change least of what is learned."""
    found = []
    for setting, updates in _settings(stage):
        stage = replace(stage, training=stage.training.model_copy(update=updates))
        found.append(Saving(setting, memory_of(stage)))
    return tuple(found)


def advice_of(stage: TrainStage) -> str:
    """Say what to set for less memory, in the order in which to try it."""
    return f"set {', then '.join([*(setting for setting, _ in _settings(stage)), _RESOLUTION])}"


def _settings(stage: TrainStage) -> Iterator[tuple[str, dict[str, object]]]:
    training, extra = stage.training, stage.training.extra
    if not training.gradient_checkpointing:
        yield "gradient_checkpointing = true", {"gradient_checkpointing": True}
    if training.batch_size > 1:
        yield "batch_size = 1", {"batch_size": 1}
    # a base that is merged in memory is merged after that cache was filled
    cacheable = stage.model.family == "sdxl" and training.text_encoder_lr is None and not stage.loaded
    if cacheable and not _CHANGES_CAPTIONS & extra.keys() and not extra.get("cache_text_encoder_outputs"):
        setting = "cache_text_encoder_outputs = true"
        yield f"extra = {{ {setting} }}", {"extra": extra | {"cache_text_encoder_outputs": True}}
    if training.precision == "no" and stage.device != "cpu":
        yield 'precision = "bf16"', {"precision": "bf16"}
    # not for a target, whose small differences need the whole states; the embedded trainer has AdamW alone
    if training.optimizer == "AdamW" and stage.role == "base" and stage.commit != embedded.version():
        yield 'optimizer = "AdamW8bit"', {"optimizer": "AdamW8bit"}
