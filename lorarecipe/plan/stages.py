"""Stages: what is made, each named by the hash of what it is made from.

A key holds content only: digests, captions, settings that change the weights, the trainer's commit, and the keys
of the stages it consumes. No name, path or machine setting is in it, so two characters that share a base
share its stage without any code for it. A setting that is left unset is left out, so that a new one does not
change the keys of old work.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from lorarecipe.plan.given import BaseFile, DataStage, Keyed, Model
from lorarecipe.plan.steps import Steps, count_steps
from lorarecipe.recipe import Engine, Samples, Training


@dataclass(frozen=True)
class MergeStage(Keyed):
    """The checkpoint with the base in it."""

    kind = "merge"
    model: Model
    base: TrainStage | BaseFile
    strength: float
    commit: str
    engine: Engine = "sd-scripts"

    @property
    def why(self) -> str:
        """What the method needs it for, in a line."""
        return "a checkpoint that draws any figure 3D, white and upright: a target on it need not learn that"

    def identity(self) -> dict[str, Any]:
        """Checkpoint, base, strength, trainer."""
        # the key was made before there were two trainers
        embedded = {"engine": self.engine} if self.engine != "sd-scripts" else {}
        return embedded | {
            "family": self.model.family,
            "checkpoint": self.model.sha256,
            "base": self.base.key,
            "strength": self.strength,
            "commit": self.commit,
        }


Role = Literal["base", "target", "control", "plain", "teacher", "distilled"]
_WHY: dict[Role, str] = {
    "base": "the 3D look, the white background and the pose are learned here, from characters that vary",
    "target": "only what the base does not draw already is left to learn: the character",
    "control": "the control arm: what it leaks and the target does not, the base has kept out",
    "plain": "the naive way, to compare with: the renders' look is learned with the character",
    "teacher": "a plain LoRA, which is only used at a low weight, to draw what the final one is trained on",
    "distilled": "trained on pictures without the renders' look, as far as those that were picked are without it",
}


@dataclass(frozen=True)
class TrainStage(Keyed):
    """One training: of the base, or of a target on the base.

    ``merged`` is the checkpoint to train on when the base is merged into a file; ``loaded`` the base to merge
    in memory, at ``strength``. ``device`` is the machine's affair, and ``role`` a purpose: both are in no key.
    """

    kind = "train"
    data: DataStage
    repeats: tuple[int, ...]
    model: Model
    training: Training
    commit: str
    engine: Engine = "sd-scripts"
    merged: MergeStage | None = None
    loaded: TrainStage | BaseFile | None = None
    strength: float = 1.0
    processes: int = 1
    device: str = "auto"
    role: Role = "base"

    @property
    def why(self) -> str:
        """What the method needs it for, in a line."""
        return _WHY[self.role]

    def identity(self) -> dict[str, Any]:
        """Everything that changes the weights or which epochs are kept."""
        identity: dict[str, Any] = {
            "engine": self.engine,
            "commit": self.commit,
            "data": self.data.key,
            "repeats": list(self.repeats),
            "family": self.model.family,
            "checkpoint": self.merged.key if self.merged else self.model.sha256,
            "training": self.training.model_dump(mode="json", exclude_none=True, exclude=self._unset()),
        }
        optional = {
            "vae": self.model.vae_sha256,
            "clip_skip": self.model.clip_skip,
            "v_prediction": self.model.v_prediction or None,
            "loaded": [self.loaded.key, self.strength] if self.loaded else None,
            "processes": self.processes if self.processes > 1 else None,
        }
        return identity | {name: value for name, value in optional.items() if value is not None}

    def _unset(self) -> set[str]:
        return set() if self.training.extra else {"extra"}

    @cached_property
    def steps(self) -> Steps:
        """How long it is."""
        sizes = (
            ((image.width, image.height), repeats)
            for group, repeats in zip(self.data.groups, self.repeats, strict=True)
            for image in group
        )
        return count_steps(sizes, self.training, self.processes)


@dataclass(frozen=True)
class SampleStage(Keyed):
    """Pictures drawn with a LoRA on the original checkpoint: with the finished one, or with that of an ``epoch``.

    Or, to see whether a base got into it, with a ``merged`` checkpoint alone. ``size`` is in pixels.
    """

    kind = "sample"
    model: Model
    lora: TrainStage | BaseFile
    samples: Samples
    commit: str
    size: tuple[int, int]
    epoch: int | None = None
    merged: MergeStage | None = None
    device: str = "auto"
    yardstick: DataStage | None = None
    """Renders that the pictures of a base's gate are measured by; in no key."""

    @property
    def why(self) -> str:
        """What the method needs it for, in a line."""
        weights = ", ".join(f"{weight:g}" for weight in self.samples.weights)
        if self.merged:
            return "it has to draw what the base draws: the target learns whatever it does not"
        if self.yardstick:
            return "any trait that is asked for, and whatever is asked for 3D, white and upright: or a target leaks it"
        role = self.lora.role if isinstance(self.lora, TrainStage) else "base"
        if role == "control":
            return f"the same pictures with the control arm's LoRA, at weight {weights}"
        if role == "base":
            return "the same pictures with the base's LoRA: what a target on it need not learn"
        if role == "teacher":
            return f"the plain LoRA at weight {weights}: what is picked of them, the final one is trained on"
        return f"the target's LoRA alone at weight {weights}, on the original checkpoint: as it will be used"

    def identity(self) -> dict[str, Any]:
        """Checkpoint, LoRA, and what the sampler is told; a training's size is in its own key."""
        told = {
            "epoch": self.epoch,
            "merged": self.merged.key if self.merged else None,
            "size": list(self.size) if isinstance(self.lora, BaseFile) else None,
        }
        return {name: value for name, value in told.items() if value is not None} | {
            "checkpoint": self.model.sha256,
            "lora": self.lora.key,
            "samples": self.samples.model_dump(mode="json", exclude={"epochs", "tagger", "ccip"}, exclude_none=True),
            "commit": self.commit,
        }

    @property
    def names(self) -> dict[str, tuple[str, float, int]]:
        """Prompt, weight and seed of each picture, by the name of its file."""
        told = self.samples
        return {
            f"{number:02}_{weight:g}_{seed}.png": (prompt, weight, seed)
            for number, prompt in enumerate(told.drawn)
            for weight in told.weights
            for seed in range(told.seed, told.seed + told.images)
        }


@dataclass(frozen=True)
class PickStage(DataStage):
    """A staged copy of drawn pictures, those that the author picked; their captions are the prompts."""

    drawn: SampleStage

    @property
    def why(self) -> str:
        """What the method needs it for, in a line."""
        return "the pictures that were picked, for the final training"

    def identity(self) -> dict[str, Any]:
        """Where they come from, and which they are."""
        return {"version": 1, "drawn": self.drawn.key, "picks": [image.path.name for image in self.groups[0]]}


Stage = DataStage | TrainStage | MergeStage | SampleStage
