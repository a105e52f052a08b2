"""One training: of a base, of a target on it, or of a LoRA without a base."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lorarecipe.errors import count
from lorarecipe.families import lora_values
from lorarecipe.plan.data import DataStage
from lorarecipe.plan.lora import Lora, Role
from lorarecipe.plan.merge import MergeStage
from lorarecipe.plan.model import Model
from lorarecipe.plan.stage import FolderOf, Source, Stage
from lorarecipe.plan.steps import Steps, count_steps
from lorarecipe.recipe import Training
from lorarecipe.weights import open_checkpoint

#: name of what a training saves, within its folder; the recipe's name is given at delivery
OUTPUT = "lora"
#: file of the finished LoRA
LORA = f"{OUTPUT}.safetensors"
#: a state is the weights and the optimizer's two moments of each, in sizes of a LoRA
_STATE_SIZE = 3
#: states on the disk at once: the two that are kept, and the one that is being written
_STATES = 3
_WHY: dict[Role, str] = {
    "base": "the 3D look, the white background and the pose are learned here, from characters that vary",
    "target": "only what the base does not draw already is left to learn: the character",
    "control": "the control arm: what it leaks and the target does not, the base has kept out",
    "plain": "the naive way, to compare with: the renders' look is learned with the character",
    "teacher": "a plain LoRA, which is only used at a low weight, to draw what the final one is trained on",
    "refined": "trained on pictures that the target drew, flat and in many places: what it draws unsurely becomes sure",
    "distilled": "trained on pictures without the renders' look, as far as those that were picked are without it",
}


@dataclass(frozen=True)
class TrainStage(Stage):
    """One training.

    ``merged`` is the checkpoint to train on when the base is merged into a file; ``loaded`` is the base to merge in
    memory, at ``strength``. ``device`` is the machine's affair, ``role`` a purpose, and ``can_go_on`` tells whether it
    can go on from a state, which with several processes not every trainer can: these are in no key.
    """

    kind = "train"
    data: DataStage
    repeats: tuple[int, ...]
    model: Model
    training: Training
    commit: str
    merged: MergeStage | None = None
    loaded: Lora | None = None
    strength: float = 1.0
    processes: int = 1
    device: str = "auto"
    role: Role = "base"
    can_go_on: bool = True

    @property
    def why(self) -> str:
        """What the method needs it for."""
        return _WHY[self.role]

    @property
    def family(self) -> str | None:
        """Family of its checkpoint."""
        return self.model.family

    @property
    def sum(self) -> list[str]:
        """How long it is: images x repeats, folder by folder; then buckets to batches to steps."""
        return list(self._sum())

    @property
    def inputs(self) -> tuple[Stage, ...]:
        """Images, the merged checkpoint, the training of a base that is merged in memory."""
        merged = (self.merged,) if self.merged else ()
        return (self.data, *merged, *(self.loaded.stages if self.loaded else ()))

    @property
    def sources(self) -> tuple[Source, ...]:
        """The checkpoint where nothing was merged into it, its other components, and a base trained elsewhere."""
        components = self.model.sources(merged=self.merged is not None)
        return (*components, *(self.loaded.files if self.loaded else ()))

    def identity(self) -> dict[str, object]:
        """Everything that changes the weights or which epochs are kept."""
        training = self.training.model_dump(mode="json", exclude_none=True)
        identity: dict[str, object] = {
            "commit": self.commit,
            "data": self.data.key,
            "repeats": list(self.repeats),
            "model": self.model.identity(),
            "training": {name: value for name, value in training.items() if value != {}},
        }
        optional = {
            "merged": self.merged.key if self.merged else None,
            "loaded": [self.loaded.key, self.strength] if self.loaded else None,
            "processes": self.processes if self.processes > 1 else None,
        }
        return identity | {name: value for name, value in optional.items() if value is not None}

    @cached_property
    def steps(self) -> Steps:
        """How long it is."""
        sizes = (
            ((image.width, image.height), repeats)
            for group, repeats in zip(self.data.groups, self.repeats, strict=True)
            for image in group
        )
        return count_steps(sizes, self.training, self.processes)

    def _sum(self) -> Iterator[str]:
        for group, repeats in zip(self.data.groups, self.repeats, strict=True):
            yield f"{count(len(group), 'image')} x {count(repeats, 'repeat')}"
        steps = self.steps
        for bucket in steps.buckets:
            batches = count(bucket.batches, "batch", "batches")
            yield f"{bucket.width}x{bucket.height}: {count(bucket.images, 'image visit')} -> {batches}"
        if self.processes > 1:
            yield f"{count(steps.batches, 'batch', 'batches')} an epoch, shared by {self.processes} processes"
        if not self.can_go_on:
            yield "this trainer cannot go on from where it was stopped with several processes: it begins anew"
        epochs = count(steps.epochs, "epoch")
        yield f"{count(steps.per_epoch, 'step')} an epoch, {epochs} -> {count(steps.total, 'step')}"

    @property
    def epochs_between_states(self) -> int | None:
        """Epochs after each of which a state is saved: as often as LoRAs are, or ten times in all; None for never."""
        if self.steps.epochs < 2 or not self.can_go_on:
            return None
        return self.training.save_every_epochs or max(1, self.steps.epochs // 10)

    @property
    def lora_size(self) -> int:
        """Bytes of its LoRA in float32, as both trainers hold and save it; 0 before the checkpoint is here."""
        if self.model.main.coming:
            return 0
        shapes, trained = open_checkpoint(self.model.main.path).shapes, self.training.text_encoder_lr is not None
        return 4 * self.training.rank * lora_values(shapes, self.model.traits, text_encoder=trained)

    @property
    def state_size(self) -> int:
        """Bytes of a state, with the LoRA that is saved beside it."""
        return (_STATE_SIZE + 1) * self.lora_size

    @property
    def size(self) -> int:
        """Bytes of the LoRAs that it saves, and of the states that it keeps meanwhile."""
        between, saves = self.epochs_between_states, self.training.save_every_epochs
        loras = self.steps.epochs // (between or saves or self.steps.epochs + 1) + 1
        return self.lora_size * (loras + (_STATE_SIZE * _STATES if between else 0))

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stage itself."""
        return (self,)

    @property
    def files(self) -> tuple[Source, ...]:
        """None: a run makes it."""
        return ()

    def file(self, folder_of: FolderOf, epoch: int | None = None) -> Path:
        """Path of the finished LoRA, or of the one that was saved after an epoch."""
        return folder_of(self.short) / (f"{OUTPUT}-{epoch:06d}.safetensors" if epoch else LORA)
