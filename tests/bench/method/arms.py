"""The arms: what each trains on what. Stages as ``lorarecipe run`` makes them, so that what is shared is made once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lorarecipe.demo import NANO
from lorarecipe.engines import ENGINES
from lorarecipe.files import file_digest
from lorarecipe.plan import DataStage, MergeStage, Model, Plan, Source, Stage, TrainStage
from lorarecipe.plan.data import Image
from lorarecipe.recipe.training import Training
from lorarecipe.run import Here, execute
from lorarecipe.store import Store
from lorarecipe.trainer import Installation
from lorarecipe.weights import Folder
from tests.bench.method.cast import FIVE, MIXED, SIX, Target, renders


@dataclass(frozen=True)
class Arm:
    """One way to a target's LoRA; ``steps`` of a target in bench's, ``weight`` is the one that it is used at."""

    told: str
    base: str | None = "five"
    captions: str = "closed"
    strength: float = 1.0
    rank: int = 16
    steps: int = 1
    text_encoder: bool = False
    regularised: bool = False
    distilled: bool = False
    merged: bool = True
    weight: float = 1.0
    without: str | None = None


#: by name; those of the same training differ in how they are used only
ARMS: dict[str, Arm] = {
    "five": Arm("two phases: a base of five characters with traits, merged at 1.0"),
    "naive": Arm("no base", base=None),
    "without": Arm("without a LoRA", base=None, weight=0.0),
    "naive-half": Arm("no base, used at 0.5", base=None, weight=0.5),
    "naive-no-down": Arm("no base, without its down blocks", base=None, without="down_blocks"),
    "naive-no-mid": Arm("no base, without its middle block", base=None, without="mid_block"),
    "naive-no-up": Arm("no base, without its up blocks", base=None, without="up_blocks"),
    "distilled": Arm("trained on pictures that the naive LoRA drew at 0.5", base=None, distilled=True),
    "one": Arm("a base of one character without traits", base="one"),
    "six": Arm("a base of six characters, blonde too", base="six"),
    "mixed": Arm("five colours, each with two hairstyles", base="mixed"),
    "words": Arm("`1girl`, `solo` and a trigger word left in the target's captions", captions="words"),
    "bare": Arm("no `white background`, no `arms at sides` in the target's captions", captions="bare"),
    "regularised": Arm("the base's renders as regularisation images", regularised=True, steps=2),
    "strength-0.9": Arm("base merged at 0.9", strength=0.9),
    "strength-0.8": Arm("base merged at 0.8", strength=0.8),
    "rank-half": Arm("target of half the base's rank", rank=8),
    "longer": Arm("target of twice the steps", steps=2),
    "text-encoder": Arm("text encoders trained too, in both phases", text_encoder=True),
}
#: repeated with sd-scripts; the last is its alone
MAIN = ("five", "naive")
LOADED = Arm("base loaded by --base_weights", merged=False)

_CASTS = {"one": FIVE[:1], "five": FIVE, "six": SIX, "mixed": MIXED}


@dataclass(frozen=True)
class Bench:
    """Where and how long it is trained; ``steps`` of a base and of a target."""

    store: Store
    trainer: Installation
    folder: Path
    steps: tuple[int, int]

    @property
    def engine(self) -> str:
        """Whose trainer."""
        return self.trainer.engine

    def base(self, arm: Arm, seed: int) -> TrainStage:
        """Give the training of an arm's base."""
        assert arm.base
        images = renders(_CASTS[arm.base], self.folder, "none" if arm.base == "one" else "traits")
        return self._training(
            images, (1,) * len(images), self._settings(16, 4e-3, self.steps[0], seed, arm.text_encoder)
        )

    def target(self, arm: Arm, target: Target, seed: int, picked: Sequence[Image] = ()) -> TrainStage:
        """Give the training of a target; of the distilled arm, on the pictures that were ``picked``."""
        settings = self._settings(arm.rank, 2e-3, self.steps[1] * arm.steps, seed, arm.text_encoder)
        if picked:
            return self._training((tuple(picked),), (1,), settings)
        images = renders([target.figure], self.folder, arm.captions)
        repeats: tuple[int, ...] = (2,)
        if arm.regularised:  # as many of them as of the target, which is seen as often in twice the steps
            images, repeats = (*images, *renders(FIVE, self.folder, "traits")), (5, *(1 for _ in FIVE))
        if not arm.base:
            return self._training(images, repeats, settings)
        base = self.base(arm, seed)
        if not arm.merged:
            return self._training(images, repeats, settings, loaded=base, strength=arm.strength)
        merged = MergeStage(self._model, base, arm.strength, ENGINES[self.engine].version())
        return self._training(images, repeats, settings, merged=merged)

    def train(self, stage: TrainStage) -> Path:
        """Make a stage and all before it, and give its LoRA."""
        stages = [*_before(stage), stage]
        plan = Plan(self.engine, tuple(stages), {one.key: one.short for one in stages}, ())
        for _ in execute(plan, Here(self.trainer, self.store), self.folder):
            pass
        return stage.file(self.store.path)

    @property
    def _model(self) -> Model:
        return Model("sd15", {"path": Source(NANO, Folder(NANO).digest, is_folder=True)})

    def _settings(self, rank: int, unet_lr: float, steps: int, seed: int, text_encoder: bool) -> Training:
        return Training(
            rank=rank,
            alpha=rank,
            unet_lr=unet_lr,
            text_encoder_lr=unet_lr / 20 if text_encoder else None,
            steps=steps,
            batch_size=8,
            resolution=(64, 64),
            buckets=None,
            seed=seed,
        )

    def _training(
        self,
        images: tuple[tuple[Image, ...], ...],
        repeats: tuple[int, ...],
        settings: Training,
        merged: MergeStage | None = None,
        loaded: TrainStage | None = None,
        strength: float = 1.0,
    ) -> TrainStage:
        commit = ENGINES[self.engine].version()
        data = DataStage(images)
        return TrainStage(data, repeats, self._model, settings, commit, merged, loaded, strength, device="cpu")


def picture(path: Path, caption: str) -> Image:
    """Give a drawn picture as one to train on."""
    return Image(path, file_digest(path), caption, 64, 64)


def _before(stage: TrainStage) -> Iterable[Stage]:
    base = stage.merged.base if stage.merged else stage.loaded
    if isinstance(base, TrainStage):
        yield from (base.data, base)
    yield from (one for one in (stage.merged, stage.data) if one)
