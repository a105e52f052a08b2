"""Checked datasets in, one plan out: stages in order, each once, and what is delivered at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lorarecipe.dataset import Dataset, Group
from lorarecipe.errors import CheckFailed
from lorarecipe.files import large_file_digest
from lorarecipe.plan.pin import commit_of
from lorarecipe.plan.stages import BaseFile, DataStage, Image, MergeStage, Model, SampleStage, Stage, TrainStage
from lorarecipe.plan.steps import BucketChooser
from lorarecipe.recipe import Engine, Recipe, Training
from lorarecipe.rules import Checked
from lorarecipe.weights import Folder


@dataclass(frozen=True)
class Delivery:
    """A finished LoRA that a recipe asks for."""

    name: str
    stage: TrainStage
    recipe: Recipe
    base: TrainStage | BaseFile | None
    samples: tuple[SampleStage, ...] = ()
    control: tuple[SampleStage, ...] = ()

    @property
    def keys(self) -> frozenset[str]:
        """Keys of the stages that it came from."""
        arms = (self.stage, self.base, *(stage.lora for stage in self.control))
        trained = [stage for stage in arms if isinstance(stage, TrainStage)]
        others = [stage.key for stage in (self.stage.merged, *self.samples, *self.control) if stage]
        return frozenset([*others, *(key for stage in trained for key in (stage.key, stage.data.key))])


@dataclass(frozen=True)
class Plan:
    """What a run does, in order; ``titles`` name stages for people and are in no key."""

    engine: Engine
    stages: tuple[Stage, ...]
    titles: dict[str, str]
    deliveries: tuple[Delivery, ...]

    def title(self, stage: Stage) -> str:
        """What a stage is for."""
        return self.titles[stage.key]


def compile_plan(checked: Sequence[Checked]) -> Plan:
    """Compile a plan for one or more recipes; what they share appears once.

    Reads the checkpoint once for its digest (remembered afterwards), starts nothing and writes nothing else.

    Raises
    ------
    RecipeError
        When the checkpoint is not there, or is not the one that the recipe's ``sha256`` names.
    CheckFailed
        When an image is too small for the buckets, or two recipes want different trainers.
    """
    engines = {one.dataset.recipe.trainer.engine for one in checked}
    if len(engines) > 1:
        raise CheckFailed(f"found recipes for {' and '.join(sorted(engines))}, expected one trainer in a run")
    stages: dict[str, Stage] = {}
    titles: dict[str, dict[str, None]] = {}
    deliveries = []
    for one in checked:
        delivery, wanted = _compile_one(one)
        deliveries.append(delivery)
        for stage, title in wanted:
            stages.setdefault(stage.key, stage)
            titles.setdefault(stage.key, {})[title] = None
    joined = {key: "; ".join(told) for key, told in titles.items()}
    return Plan(engines.pop(), tuple(sorted(stages.values(), key=_depth)), joined, tuple(deliveries))


def _depth(stage: Stage) -> int:
    """All data first, so that no image can stop a run after a training; then bases, merges, targets."""
    if isinstance(stage, DataStage):
        return 0
    if isinstance(stage, SampleStage):
        return 4
    if isinstance(stage, MergeStage):
        return 2
    return 3 if stage.merged or stage.loaded else 1


def _compile_one(checked: Checked) -> tuple[Delivery, list[tuple[Stage, str]]]:
    dataset, recipe = checked.dataset, checked.dataset.recipe
    model, commit, trainer = _model(dataset), commit_of(recipe.trainer.engine), recipe.trainer
    wanted: list[tuple[Stage, str]] = []
    base: TrainStage | BaseFile
    if recipe.base.weights:
        base = BaseFile(recipe.base.weights, large_file_digest(recipe.base.weights))
    else:
        assert recipe.base.training is not None
        data = _data(dataset.base, recipe.base.training)
        repeats = tuple(group.repeats for group in dataset.base)
        base = TrainStage(
            data,
            repeats,
            model,
            recipe.base.training,
            commit,
            trainer.engine,
            processes=trainer.processes,
            device=trainer.device,
        )
        wanted += [(data, f"images of the base {recipe.base_name}"), (base, f"base {recipe.base_name}")]
    if not dataset.target or not recipe.target:
        if isinstance(base, BaseFile):
            raise recipe.error(("target",), "found neither a base to train nor a target, expected one of them")
        return Delivery(recipe.name, base, recipe, None), wanted
    training = recipe.target.training
    data = _data((dataset.target,), training)
    merged, loaded = None, None
    if recipe.merge.mode == "checkpoint":
        merged = MergeStage(model, base, recipe.merge.strength, commit, trainer.engine)
        wanted.append((merged, f"base {recipe.base_name} merged into {model.path.name}"))
    else:
        loaded = base
    target = TrainStage(
        data,
        (recipe.target.repeats,),
        model,
        training,
        commit,
        trainer.engine,
        merged,
        loaded,
        recipe.merge.strength,
        trainer.processes,
        trainer.device,
    )
    wanted += [(data, f"images of {recipe.name}"), (target, f"target {recipe.name}")]
    arms = {recipe.name: target}
    if recipe.control.enabled:
        arms[f"the control arm of {recipe.name}"] = replace(
            target, merged=None, loaded=None, strength=1.0, control=True
        )
    samples = {}
    for name, lora in arms.items():
        wanted += [(lora, name)] if lora.control else []
        samples[name] = tuple(_samples(recipe, lora))
        of = f"samples of {name} on the original checkpoint"
        wanted += [(stage, of + (f", epoch {stage.epoch}" if stage.epoch else "")) for stage in samples[name]]
    target_samples, *control_samples = samples.values()
    return Delivery(recipe.name, target, recipe, base, target_samples, *control_samples), wanted


def _samples(recipe: Recipe, target: TrainStage) -> Iterator[SampleStage]:
    if not (samples := recipe.samples):
        return
    if target.control:  # without a LoRA, both arms are the same
        samples = samples.model_copy(
            update={"weights": tuple(weight for weight in samples.weights if weight) or (1.0,)}
        )
    for epoch in (*sorted({*recipe.samples.epochs}), None):
        if epoch and epoch >= target.steps.epochs:
            told = f"found {epoch}, expected epochs before the last, which is {target.steps.epochs}"
            raise recipe.error(("samples", "epochs"), told)
        yield SampleStage(target.model, target, samples, target.commit, epoch, target.device)


def _model(dataset: Dataset) -> Model:
    recipe, checkpoint = dataset.recipe, dataset.recipe.checkpoint
    weights = dataset.checkpoint_weights
    if isinstance(weights, Folder):
        digest = _promised(recipe, weights.digest, checkpoint.sha256)
    else:
        digest = _digest(recipe, "path", checkpoint.path, checkpoint.sha256)
    vae = _digest(recipe, "vae", checkpoint.vae, None) if checkpoint.vae else None
    return Model(
        checkpoint.family,
        checkpoint.path,
        digest,
        weights.precision if weights else "fp16",
        checkpoint.vae,
        vae,
        checkpoint.clip_skip,
        checkpoint.v_prediction,
    )


def _digest(recipe: Recipe, key: str, path: Path, promised: str | None) -> str:
    if not path.is_file():
        if promised:
            return promised
        raise recipe.error(("checkpoint", key), f"found {str(path)!r}, which is not there, expected a file")
    return _promised(recipe, large_file_digest(path), promised)


def _promised(recipe: Recipe, digest: str, promised: str | None) -> str:
    if promised and digest != promised:
        told = f"found {promised}, but {recipe.checkpoint.path} has {digest}"
        raise recipe.error(("checkpoint", "sha256"), told)
    return digest


def _data(groups: Iterable[Group], training: Training) -> DataStage:
    chooser = BucketChooser(training.resolution, training.buckets)
    staged = []
    for group in groups:
        images = []
        for picture in group.pictures:
            if not picture.caption or picture.problem:
                raise CheckFailed(f"{picture.path}: not fit to train on\nRun: lorarecipe check")
            if 0 in chooser.bucket((picture.width, picture.height)):
                size = f"{picture.width}x{picture.height}"
                raise CheckFailed(
                    f"{picture.path}: found {size} pixels, too small for buckets with no_upscale; "
                    "expected a larger image, or buckets without no_upscale"
                )
            images.append(Image(picture.path, picture.digest, picture.caption.text, picture.width, picture.height))
        staged.append(tuple(images))
    return DataStage(tuple(staged))
