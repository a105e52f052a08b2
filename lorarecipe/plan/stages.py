"""Stages: what is made, each named by the hash of what it is made from.

A key holds content only: digests, captions, settings that change the weights, the trainer's commit, and the keys
of the stages it consumes. No name, path or machine setting is in it, so two characters that share a base
share its stage without any code for it. A setting that is left unset is left out, so that a new one does not
change the keys of old work.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from lorarecipe.files import digest_of
from lorarecipe.plan.steps import Steps, count_steps
from lorarecipe.recipe import Engine, Samples, Training
from lorarecipe.weights import Family


class Keyed:
    """Something whose key is the digest of its identity."""

    kind: ClassVar[str]

    def identity(self) -> dict[str, Any]:
        """Give what the key is the digest of."""
        raise NotImplementedError

    @cached_property
    def key(self) -> str:
        """SHA-256 (hex) of the identity."""
        return digest_of({"stage": self.kind, **self.identity()})

    @property
    def short(self) -> str:
        """Kind and the key's first digits: the name of the stage's folder."""
        return f"{self.kind}-{self.key[:16]}"


@dataclass(frozen=True)
class Image:
    """An image to stage, and the caption that is put beside it."""

    path: Path
    digest: str
    caption: str
    width: int
    height: int


@dataclass(frozen=True)
class DataStage(Keyed):
    """A staged copy of the images of one phase, folder by folder."""

    kind = "data"
    groups: tuple[tuple[Image, ...], ...]

    @property
    def why(self) -> str:
        """What the method needs it for, in a line."""
        return "a copy that the trainer reads without surprises: upright, on white, a caption beside each image"

    def identity(self) -> dict[str, Any]:
        """Digests and captions in the order in which the trainer will see them; 1 is the way of staging."""
        return {"version": 1, "groups": [[[image.digest, image.caption] for image in group] for group in self.groups]}


@dataclass(frozen=True)
class Model:
    """A checkpoint with what is needed to use it; ``precision`` is its own (``float``, ``fp16``, ``bf16``)."""

    family: Family
    path: Path
    sha256: str
    precision: str
    vae: Path | None = None
    vae_sha256: str | None = None
    clip_skip: int | None = None
    v_prediction: bool = False


@dataclass(frozen=True)
class BaseFile(Keyed):
    """A base that was trained elsewhere."""

    kind = "file"
    path: Path
    sha256: str

    def identity(self) -> dict[str, Any]:
        """Digest of the file."""
        return {"sha256": self.sha256}


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


@dataclass(frozen=True)
class TrainStage(Keyed):
    """One training: of the base, or of a target on the base.

    ``merged`` is the checkpoint to train on when the base is merged into a file; ``loaded`` the base to merge
    in memory, at ``strength``. ``device`` is the machine's affair, and ``control`` a purpose: both are in no key.
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
    control: bool = False

    @property
    def why(self) -> str:
        """What the method needs it for, in a line."""
        if self.control:
            return "the control arm: what it leaks and the target does not, the base has kept out"
        if self.merged or self.loaded:
            return "only what the base does not draw already is left to learn: the character"
        return "the 3D look, the white background and the pose are learned here, from characters that vary"

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
    """Pictures drawn with a LoRA on the original checkpoint: with the finished one, or with that of an ``epoch``."""

    kind = "sample"
    model: Model
    lora: TrainStage
    samples: Samples
    commit: str
    epoch: int | None = None
    device: str = "auto"

    @property
    def why(self) -> str:
        """What the method needs it for, in a line."""
        weights = ", ".join(f"{weight:g}" for weight in self.samples.weights)
        if self.lora.control:
            return f"the same pictures with the control arm's LoRA, at weight {weights}"
        return f"the target's LoRA alone at weight {weights}, on the original checkpoint: as it will be used"

    def identity(self) -> dict[str, Any]:
        """Checkpoint, LoRA, and what the sampler is told."""
        epoch = {"epoch": self.epoch} if self.epoch else {}
        return epoch | {
            "checkpoint": self.model.sha256,
            "lora": self.lora.key,
            "samples": self.samples.model_dump(mode="json", exclude={"epochs"}, exclude_none=True),
            "commit": self.commit,
        }

    @property
    def names(self) -> dict[str, tuple[str, float, int]]:
        """Prompt, weight and seed of each picture, by the name of its file."""
        told = self.samples
        return {
            f"{number:02}_{weight:g}_{seed}.png": (prompt, weight, seed)
            for number, prompt in enumerate(told.prompts)
            for weight in told.weights
            for seed in range(told.seed, told.seed + told.images)
        }


Stage = DataStage | TrainStage | MergeStage | SampleStage
