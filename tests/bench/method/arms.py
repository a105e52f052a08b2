"""The arms: what each trains on what. Stages as ``lorarecipe run`` makes them, so that what is shared is made once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from lorarecipe.demo import NANO
from lorarecipe.engines import ENGINES
from lorarecipe.files import digest_of, file_digest
from lorarecipe.measures.choice import VERSION
from lorarecipe.plan import DataStage, MergeStage, Model, Plan, Source, Stage, TrainStage
from lorarecipe.plan.data import Image
from lorarecipe.recipe.training import Training
from lorarecipe.run import Here, execute
from lorarecipe.store import Store
from lorarecipe.trainer import Installation
from lorarecipe.weights import Folder
from tests.bench.method.cast import FIVE, MIXED, SIX, Picked, Target, renders
from tests.bench.method.measure import Studio

#: raised whenever the same LoRA would be measured otherwise
MEASURE = 1


@dataclass(frozen=True)
class Arm:
    """One way to a target's LoRA; ``steps`` of a target in bench's, ``weight`` is the one that it is used at."""

    title: str
    base: str | None = "five"
    captions: str = "closed"
    strength: float = 1.0
    rank: int = 16
    steps: int = 1
    text_encoder: bool = False
    regularised: bool = False
    picked: Picked | None = None
    merged: bool = True
    weight: float = 1.0
    without: str | None = None
    mask: Literal["figure", "figure-by-area", "prior"] | None = None
    max_timestep: int | None = None

    @property
    def digest(self) -> str:
        """Digest of all that changes a result; what is as it is by default is left out."""
        changed = {
            name: value for name, value in asdict(replace(self, title="")).items() if value != getattr(Arm(""), name)
        }
        version = {"choice": VERSION} if self.picked and not self.picked.judged else {}
        return digest_of({"measure": MEASURE, **changed, **version})[:16]


def _at(name: str, arm: Arm) -> dict[str, Arm]:
    """Use an arm at other weights, without another training."""
    return {
        f"{name}-at-{weight:g}": replace(arm, title=f"{arm.title}, used at {weight:g}", weight=weight)
        for weight in _WEIGHTS
    }


_WEIGHTS = (0.25, 0.5, 0.75, 1.25, 1.5, 2.0)
_FIVE = Arm("two phases: a base of five characters with traits, merged at 1.0")
_NAIVE = Arm("no base", base=None)
_SCENES = Picked("five", (1.0, 1.5, 2.0), 2, 24, 1001, judged=False)
_REFINE = Arm("three phases: on pictures that `five` drew, picked by measures", base=None, picked=_SCENES)
#: by name; those of the same training differ in how they are used only
ARMS: dict[str, Arm] = {
    "five": _FIVE,
    "naive": _NAIVE,
    "without": Arm("without a LoRA", base=None, weight=0.0),
    "naive-no-down": Arm("no base, without its down blocks", base=None, without="down_blocks"),
    "naive-no-mid": Arm("no base, without its middle block", base=None, without="mid_block"),
    "naive-no-up": Arm("no base, without its up blocks", base=None, without="up_blocks"),
    "distilled": Arm(
        "trained on pictures that the naive LoRA drew at 0.5", base=None, picked=Picked("naive", (0.5,), 2, 12, 0)
    ),
    "one": Arm("a base of one character without traits", base="one"),
    "six": Arm("a base of six characters, blonde too", base="six"),
    "mixed": Arm("five colours, each with two hairstyles", base="mixed"),
    "words": Arm("`1girl`, `solo` and a trigger word left in the target's captions", captions="words"),
    "bare": Arm("no `white background`, no `arms at sides` in the target's captions", captions="bare"),
    "regularised": Arm("the base's renders as regularisation images", regularised=True, steps=2),
    "strength-0.9": Arm("base merged at 0.9", strength=0.9),
    "strength-0.8": Arm("base merged at 0.8", strength=0.8),
    "rank-half": Arm("target of half the base's rank", rank=8),
    "rank-quarter": Arm("target of a quarter of the base's rank", rank=4),
    "longer": Arm("target of twice the steps", steps=2),
    "longest": Arm("target of four times the steps", steps=4),
    "naive-mask": Arm("no base, the loss in the figure only", base=None, mask="figure"),
    "naive-mask-by-area": Arm("no base, the loss in the figure only, by its area", base=None, mask="figure-by-area"),
    "naive-mask-prior": Arm("no base, held to the checkpoint outside the figure", base=None, mask="prior"),
    "mask": Arm("two phases, the target's loss in the figure only", mask="figure"),
    "mask-by-area": Arm("two phases, the target's loss in the figure only, by its area", mask="figure-by-area"),
    "mask-prior": Arm("two phases, the target held to the checkpoint outside the figure", mask="prior"),
    "late-noise": Arm("two phases, the target without the noisiest 300 of 1000 timesteps", max_timestep=700),
    "text-encoder": Arm("text encoders trained too, in both phases", text_encoder=True),
    "refine": _REFINE,
    "refine-judged": Arm(
        "the same, picked by the judge as an author would", base=None, picked=replace(_SCENES, judged=True)
    ),
    "refine-twice": Arm("the same, and once more by what came of it", base=None, picked=replace(_SCENES, by="refine")),
    "refine-renders": Arm("the same, with the renders in the set", base=None, picked=replace(_SCENES, also="renders")),
    "refine-others": Arm(
        "the same, with other characters in the set", base=None, picked=replace(_SCENES, also="others")
    ),
    **_at("refine", _REFINE),
    **_at("five", _FIVE),
    **_at("naive", _NAIVE),
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
        settings = self._settings(arm.rank, 2e-3, self.steps[1] * arm.steps, seed, arm.text_encoder).model_copy(
            update={"mask": arm.mask, "extra": {"max_timestep": arm.max_timestep} if arm.max_timestep else {}}
        )
        if arm.picked:
            groups: list[tuple[Image, ...]] = [tuple(picked)]
            if arm.picked.also == "renders":
                groups += renders([target.figure], self.folder, arm.captions)
            return self._training(tuple(groups), (1, 2)[: len(groups)], settings)
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

    def made(self, arm: Arm, studio: Studio, seed: int) -> Path:
        """Make the LoRA of an arm, and give its file."""
        picked: list[Image] = []
        if asked := arm.picked:
            teacher = self.made(ARMS[asked.by], studio, seed)
            picked = [picture(path, caption) for path, caption in studio.picks(teacher, self.folder / "picked", asked)]
        return self.train(self.target(arm, studio.target, seed, picked))

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
        data = DataStage(images, masked=settings.mask is not None)
        return TrainStage(data, repeats, self._model, settings, commit, merged, loaded, strength, device="cpu")


def picture(path: Path, caption: str) -> Image:
    """Give a drawn picture as one to train on."""
    return Image(path, file_digest(path), caption, 64, 64)


def _before(stage: TrainStage) -> Iterable[Stage]:
    base = stage.merged.base if stage.merged else stage.loaded
    if isinstance(base, TrainStage):
        yield from (base.data, base)
    yield from (one for one in (stage.merged, stage.data) if one)
