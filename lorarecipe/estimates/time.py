"""How long a stage takes, by what was measured before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lorarecipe.errors import count
from lorarecipe.plan import MergeStage, SampleStage, Stage, TrainStage

#: settings of a training on which the time of a step depends
_SAME = ("resolution", "batch_size", "precision", "gradient_checkpointing", "optimizer", "mask")
#: how many times larger or smaller the rank of a training may be that another is compared with
_NEAR = 2.0
#: share of a training's steps that another must have had: of a shorter one, most of the time may be the trainer's start
_ENOUGH = 0.1


#: kinds of stages that are timed
TIMED = (TrainStage, SampleStage, MergeStage)


@dataclass(frozen=True)
class Past:
    """A stage that was made on this machine."""

    run: str
    """Name of the run in the ledger."""
    engine: str
    kind: str
    identity: Mapping[str, object]
    """What its key was made from, as JSON."""
    on_cpu: bool
    """Whether it is a training that was told to use no GPU."""
    seconds: float
    units: int
    """Steps of a training, pictures of samples, 1 of anything else."""


@dataclass(frozen=True)
class Timing:
    """How long a stage takes, and what that rests on."""

    seconds: float
    basis: str


def times_of(
    stages: Iterable[Stage], engine: str, past: Iterable[Past], speed: float | None = None
) -> dict[str, Timing]:
    """Estimate how long trainings, samples and merges take, by their keys; those like nothing made here are left out.

    Parameters
    ----------
    stages
        What is still to be made.
    engine
        The trainer.
    past
        What was made on this machine, newest first; it is read as far as something is still looked for.
    speed
        Steps a second of trainings, where they are known.
    """
    found: dict[str, Timing] = {}
    sought: dict[str, tuple[Stage, list[object]]] = {}
    for stage in stages:
        if isinstance(stage, TrainStage) and speed:
            basis = f"{count(stage.steps.total, 'step')} at {speed:g} steps a second"
            found[stage.key] = Timing(stage.steps.total / speed, basis)
        elif like := _likeness(stage.kind, stage.identity()):
            sought[stage.key] = (stage, like)
    made = iter(past)
    while sought and (one := next(made, None)):
        likeness = _likeness(one.kind, one.identity) if one.engine == engine else None
        for stage in [stage for stage, like in sought.values() if like == likeness and _near(stage, one)]:
            found[stage.key] = _timing(stage, one)
            del sought[stage.key]
    return found


def _timing(stage: Stage, past: Past) -> Timing:
    pace = past.seconds / past.units
    if isinstance(stage, TrainStage):
        steps = stage.steps.total
        basis = f"{count(steps, 'step')} at {1 / pace:.3g} steps a second, as in run {past.run}"
        return Timing(steps * pace, basis)
    if isinstance(stage, SampleStage):
        pictures = len(stage.names)
        return Timing(pictures * pace, f"{count(pictures, 'picture')} at {pace:.3g} s each, as in run {past.run}")
    return Timing(pace, f"as in run {past.run}")


def _near(stage: Stage, past: Past) -> bool:
    if stage.kind != past.kind or past.on_cpu != (isinstance(stage, TrainStage) and stage.device == "cpu"):
        return False
    if not isinstance(stage, TrainStage):
        return True
    if past.units < _ENOUGH * stage.steps.total:
        return False
    training = past.identity.get("training")
    rank = training.get("rank") if isinstance(training, dict) else None
    return isinstance(rank, int) and 1 / _NEAR <= rank / stage.training.rank <= _NEAR


def _likeness(kind: str, identity: Mapping[str, object]) -> list[object] | None:
    """Give what must be the same in two stages of a kind, so that a step, a picture or a merge of each takes as long.

    The checkpoint is the same file: one of the same family may be of another size. None for stages that are not timed.
    """
    model, training, samples = (_table(identity, name) for name in ("model", "training", "samples"))
    match kind:
        case TrainStage.kind:
            of_text, extra = "text_encoder_lr" in training, _table(training, "extra")
            options = {name: value for name, value in extra.items() if name not in _NOT_TIMED}
            settings = [training.get(name) for name in _SAME]
            return [model, *map(_listed, settings), of_text, options, identity.get("processes")]
        case SampleStage.kind:
            return [model, _listed(identity.get("resolution")), samples.get("steps")]
        case MergeStage.kind:
            return [identity.get("checkpoint")]
    return None


#: options that change no step's time
_NOT_TIMED = {"min_snr_gamma", "noise_offset", "optimizer_args", "training_comment", "no_metadata"}


def _table(tables: Mapping[str, object], name: str) -> dict[str, object]:
    found = tables.get(name)
    return found if isinstance(found, dict) else {}


def _listed(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
