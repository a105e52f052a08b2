"""Pictures that are drawn with a LoRA, or with a merged checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from lorarecipe.plan.lora import Lora
from lorarecipe.plan.merge import MergeStage
from lorarecipe.plan.model import Model
from lorarecipe.plan.stage import Source, Stage
from lorarecipe.recipe import Samples

#: What samples are drawn with
Arm = Literal["refined", "target", "control", "base"]


@dataclass(frozen=True)
class SampleStage(Stage):
    """Pictures drawn with a LoRA on the original checkpoint: with the finished one, or with that of an ``epoch``.

    Or, to see whether a base got into it, with a ``merged`` checkpoint alone. ``resolution`` is width and height
    in pixels.
    """

    kind = "sample"
    processes: ClassVar[int] = 1
    model: Model
    lora: Lora
    samples: Samples
    commit: str
    resolution: tuple[int, int]
    epoch: int | None = None
    merged: MergeStage | None = None
    device: str = "auto"
    purpose: Literal["show", "gate", "pick"] = "show"
    """Whether the pictures are shown, a base's gate is measured on them, or some are picked; in no key."""

    @property
    def why(self) -> str:
        """What the method needs it for."""
        weights = ", ".join(f"{weight:g}" for weight in self.samples.weights)
        if self.merged:
            return "the merged checkpoint must draw what the base draws; what it does not, the target will learn"
        if self.purpose == "pick":
            return f"drawn at weight {weights}, to pick from: the next LoRA is trained on what is picked"
        if self.purpose == "gate":
            return (
                "the base must draw the traits you ask for, and keep the 3D look, the white background and the upright "
                "pose whatever you ask for; what it does not hold, the target will learn"
            )
        match self.lora.role:
            case "control":
                return f"the same pictures with the control arm's LoRA, at weight {weights}"
            case "base":
                return "the same pictures with the base's LoRA: what a target on it need not learn"
        of = "refined" if self.lora.role == "refined" else "target's"
        return f"the {of} LoRA alone at weight {weights}, on the original checkpoint: as it will be used"

    @property
    def family(self) -> str | None:
        """Family of its checkpoint."""
        return self.model.family

    @property
    def inputs(self) -> tuple[Stage, ...]:
        """The training of the LoRA, and the merged checkpoint."""
        return (*self.lora.stages, *((self.merged,) if self.merged else ()))

    @property
    def sources(self) -> tuple[Source, ...]:
        """The checkpoint where nothing was merged into it, its other components, and a base trained elsewhere."""
        return (*self.model.sources(merged=self.merged is not None), *self.lora.files)

    @property
    def zero_terminal_snr(self) -> bool:
        """Whether it is drawn on a noise schedule that ends in pure noise: the LoRA was trained on such a one."""
        training = self.lora.training
        return bool(training and training.extra.get("zero_terminal_snr"))

    def identity(self) -> dict[str, object]:
        """Checkpoint, LoRA, and all that the sampler is given."""
        unset = {
            "epoch": self.epoch,
            "merged": self.merged.key if self.merged else None,
            # pictures of before this was told to the sampler have another key
            "zero_terminal_snr": self.zero_terminal_snr or None,
        }
        return {
            "model": self.model.identity(),
            "lora": self.lora.key,
            "samples": self.samples.model_dump(
                mode="json", exclude={"epochs", "every_epochs", "tagger", "ccip"}, exclude_none=True
            ),
            "resolution": list(self.resolution),
            "commit": self.commit,
        } | {name: value for name, value in unset.items() if value is not None}

    @property
    def names(self) -> dict[str, tuple[str, float, int]]:
        """Prompt, weight and seed of each picture, by the name of its file."""
        samples = self.samples
        return {
            f"{number:02}_{weight:g}_{seed}.png": (prompt, weight, seed)
            for number, prompt in enumerate(samples.drawn)
            for weight in samples.weights
            for seed in range(samples.seed, samples.seed + samples.images)
        }
