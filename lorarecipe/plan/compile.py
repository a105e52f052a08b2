"""Checked datasets in, one plan out: stages in order, each once, and what is delivered at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from lorarecipe.dataset import Dataset
from lorarecipe.errors import CheckFailed
from lorarecipe.files import large_file_digest
from lorarecipe.plan.alone import compile_alone
from lorarecipe.plan.delivery import Arm, Delivery, Plan
from lorarecipe.plan.gate import gate_samples
from lorarecipe.plan.given import BaseFile, DataStage, Model
from lorarecipe.plan.parts import data_of, model_of, samples_of
from lorarecipe.plan.pin import commit_of
from lorarecipe.plan.stages import MergeStage, PickStage, SampleStage, Stage, TrainStage
from lorarecipe.recipe import Recipe
from lorarecipe.rules import Checked


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
        two_phases = one.dataset.recipe.method == "two-phase"
        delivery, wanted = (_compile_one if two_phases else compile_alone)(one.dataset)
        deliveries.append(delivery)
        for stage, title in wanted:
            stages.setdefault(stage.key, stage)
            titles.setdefault(stage.key, {})[title] = None
    joined = {key: "; ".join(told) for key, told in titles.items()}
    return Plan(engines.pop(), tuple(sorted(stages.values(), key=_depth)), joined, tuple(deliveries))


def _depth(stage: Stage) -> int:
    """All data first, so that no image can stop a run after a training; then bases, merges, targets.

    What a base and a merge draw is looked at before the next training.
    """
    if isinstance(stage, DataStage):
        return 4 if isinstance(stage, PickStage) else 0
    if isinstance(stage, SampleStage):
        teaches = isinstance(stage.lora, TrainStage) and stage.lora.role == "teacher"
        return 2 if teaches else 6 if not stage.yardstick else 4 if stage.merged else 2
    if isinstance(stage, MergeStage):
        return 3
    return 1 if stage.role in {"base", "teacher"} else 5


def _compile_one(dataset: Dataset) -> tuple[Delivery, list[tuple[Stage, str]]]:
    recipe = dataset.recipe
    model, commit, trainer = model_of(dataset), commit_of(recipe.trainer.engine), recipe.trainer
    wanted: list[tuple[Stage, str]] = []
    base: TrainStage | BaseFile
    if recipe.base.weights:
        base = BaseFile(recipe.base.weights, large_file_digest(recipe.base.weights))
    else:
        assert recipe.base.training is not None
        data = data_of(dataset.base, recipe.base.training)
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
        gate = [*_gate(dataset, model, base, base.data, commit)]
        return Delivery(recipe.name, base, recipe, base, gate=tuple(gate)), [*wanted, *_gated(recipe, gate)]
    training = recipe.target.training
    data = data_of((dataset.target,), training)
    # a foreign base's renders are not at hand: the target's come from the same cameras
    gate = [*_gate(dataset, model, base, base.data if isinstance(base, TrainStage) else data, commit)]
    merged, loaded = None, None
    if recipe.merge.mode == "checkpoint":
        merged = MergeStage(model, base, recipe.merge.strength, commit, trainer.engine)
        wanted.append((merged, f"base {recipe.base_name} merged into {model.path.name}"))
        gate += [_of_merged(stage, merged) for stage in gate]
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
        "target",
    )
    wanted += [*_gated(recipe, gate), (data, f"images of {recipe.name}"), (target, f"target {recipe.name}")]
    arms: dict[Arm, TrainStage | BaseFile] = {"target": target}
    if recipe.control.enabled:
        control = replace(target, merged=None, loaded=None, strength=1.0, role="control")
        wanted.append((control, f"the control arm of {recipe.name}"))
        arms |= {"control": control, "base": base}
    samples: dict[Arm, tuple[SampleStage, ...]] = {}
    if recipe.samples:
        of = {"target": recipe.name, "control": f"the control arm of {recipe.name}", "base": f"base {recipe.base_name}"}
        samples = {arm: tuple(samples_of(recipe, recipe.samples, arm, lora, target)) for arm, lora in arms.items()}
        for arm, stages in samples.items():
            title = f"samples of {of[arm]} on the original checkpoint"
            wanted += [(stage, title + (f", epoch {stage.epoch}" if stage.epoch else "")) for stage in stages]
    return Delivery(recipe.name, target, recipe, base, samples, tuple(gate)), wanted


def _gate(
    dataset: Dataset, model: Model, base: TrainStage | BaseFile, renders: DataStage, commit: str
) -> Iterator[SampleStage]:
    recipe = dataset.recipe
    training = recipe.base.training or (recipe.target and recipe.target.training)
    if recipe.base.gate.mode != "off" and training:
        samples, device = gate_samples(dataset), recipe.trainer.device
        yield SampleStage(model, base, samples, commit, training.resolution, device=device, yardstick=renders)


def _of_merged(stage: SampleStage, merged: MergeStage) -> SampleStage:
    """Draw one of each prompt's pictures with the merged checkpoint, of the seed that the base has drawn it from."""
    samples = stage.samples.model_copy(update={"images": 1, "weights": (0.0,)})
    return replace(stage, samples=samples, merged=merged)


def _gated(recipe: Recipe, gate: Iterable[SampleStage]) -> Iterator[tuple[Stage, str]]:
    for stage in gate:
        merged = f"base {recipe.base_name} merged into {stage.model.path.name}"
        yield stage, f"gate of {merged if stage.merged else f'base {recipe.base_name}'}"
