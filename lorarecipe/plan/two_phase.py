"""The plan of the method: a base, the base in the checkpoint, and a target trained on top of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lorarecipe.dataset import Dataset
from lorarecipe.files import large_file_digest
from lorarecipe.plan.delivery import Compiled, Delivery
from lorarecipe.plan.gate import gate_samples
from lorarecipe.plan.lora import BaseFile, Lora
from lorarecipe.plan.measure import GateStage
from lorarecipe.plan.merge import MergeStage
from lorarecipe.plan.parts import leak_of, samples_of, title_of_samples, training_of
from lorarecipe.plan.refine import Refined, refine_of
from lorarecipe.plan.sample import Arm, SampleStage
from lorarecipe.plan.stage import Stage
from lorarecipe.plan.train import TrainStage
from lorarecipe.recipe import Recipe


def compile_two_phase(dataset: Dataset) -> Compiled:
    """Compile a recipe of ``method = "two-phase"``: of a base alone, or of a target on a base.

    Raises
    ------
    RecipeError
        When there is neither a base to train nor a target, or a component of the checkpoint is not there.
    """
    recipe = dataset.recipe
    base, stages = _base(dataset)
    trained = base if isinstance(base, TrainStage) else None
    if not dataset.target or not recipe.target:
        return _base_alone(dataset, trained, stages)
    target = _on_base(recipe, base, training_of(dataset, dataset.target, recipe.target.training, "target"))
    # the renders of a base that was trained elsewhere are not at hand: the target's come from the same cameras
    gate = tuple(_gate(dataset, base, trained or target))
    if target.merged:
        stages.append((target.merged, _named(recipe, target.merged)))
        gate += tuple(replace(stage, pictures=_of_merged(stage.pictures, target.merged)) for stage in gate)
    stages += [
        *_titled_gate(recipe, gate),
        (target.data, f"images of {recipe.name}"),
        (target, f"target {recipe.name}"),
    ]
    refined = refine_of(recipe, recipe.refine, target) if recipe.refine else Refined(target)
    enabled = recipe.control.enabled
    controls = [replace(target, merged=None, loaded=None, strength=1.0, role="control")] if enabled else []
    arms = _arms(recipe, base, target, refined.lora or target, controls)
    stages += [*refined.stages, *((control, arms["control"][1]) for control in controls)]
    drawn = {arm: tuple(samples_of(recipe, arm, lora, target)) for arm, (lora, _) in arms.items() if recipe.samples}
    stages += [(stage, title_of_samples(stage, arms[arm][1])) for arm, samples in drawn.items() for stage in samples]
    leak = leak_of(recipe, drawn, target)
    stages += [(leak, f"leak test of {recipe.name}")] if leak else []
    delivery = Delivery(
        *(recipe.name, refined.lora or target, recipe, base, drawn, gate, leak),
        candidates=refined.candidates,
        choice=refined.choice,
        picked=refined.lora is not None,
        target=target if recipe.refine else None,
    )
    return Compiled(delivery, stages, [*_waits(delivery, target, controls)])


def _on_base(recipe: Recipe, base: Lora, target: TrainStage) -> TrainStage:
    """Train a target on a base that is merged into the checkpoint's file, or in memory."""
    strength = recipe.merge.strength
    if recipe.merge.mode == "load":
        return replace(target, loaded=base, strength=strength)
    return replace(target, merged=MergeStage(target.model, base, strength, target.commit), strength=strength)


def _waits(delivery: Delivery, target: TrainStage, controls: Sequence[TrainStage]) -> Iterator[tuple[Stage, Stage]]:
    """Give pairs of a stage and another that it waits for, beside what it is made from."""
    yield from ((training, stage) for training in (target, *controls) for stage in delivery.gate)
    yield from ((stage, target) for stage in (*controls, *delivery.sampled))
    yield from ((target.merged, stage) for stage in delivery.gate[:1] if target.merged)


def _arms(
    recipe: Recipe, base: Lora, target: TrainStage, last: TrainStage, controls: Sequence[TrainStage]
) -> dict[Arm, tuple[Lora, str]]:
    """Give the LoRAs that samples are drawn with, each with its title."""
    arms: dict[Arm, tuple[Lora, str]] = {"target": (target, recipe.name)}
    if last != target:
        arms = {"refined": (last, recipe.name), "target": (target, f"{recipe.name}-target")}
    for control in controls:
        arms["control"] = (control, f"the control arm of {recipe.name}")
        arms["base"] = (base, f"base {recipe.base_name}")
    return arms


def _base_alone(dataset: Dataset, base: TrainStage | None, stages: Sequence[tuple[Stage, str]]) -> Compiled:
    recipe = dataset.recipe
    if not base:
        raise recipe.error(("target",), "found neither a base to train nor a target, expected one of them")
    gate = tuple(_gate(dataset, base, base))
    return Compiled(Delivery(recipe.name, base, recipe, base, gate=gate), [*stages, *_titled_gate(recipe, gate)])


def _base(dataset: Dataset) -> tuple[Lora, list[tuple[Stage, str]]]:
    """Give the base, and the stages that make it."""
    recipe = dataset.recipe
    if recipe.base.weights:
        return BaseFile(recipe.base.weights, large_file_digest(recipe.base.weights)), []
    assert recipe.base.training
    base = training_of(dataset, dataset.base, recipe.base.training, "base")
    return base, [(base.data, f"images of the base {recipe.base_name}"), (base, f"base {recipe.base_name}")]


def _gate(dataset: Dataset, base: Lora, like: TrainStage) -> Iterator[GateStage]:
    """Draw what a base's gate is measured on, with the settings of a training: its own, or else the target's."""
    gate = dataset.recipe.base.gate
    if gate.mode != "off":
        samples, resolution = gate_samples(dataset), like.training.resolution
        pictures = SampleStage(like.model, base, samples, like.commit, resolution, device=like.device, purpose="gate")
        yield GateStage(pictures, like.data)


def _of_merged(stage: SampleStage, merged: MergeStage) -> SampleStage:
    """Draw one of each prompt's pictures with the merged checkpoint, of the seed that the base has drawn it from."""
    samples = stage.samples.model_copy(update={"images": 1, "weights": (0.0,)})
    return replace(stage, samples=samples, merged=merged)


def _titled_gate(recipe: Recipe, gate: tuple[GateStage, ...]) -> Iterator[tuple[Stage, str]]:
    for stage in gate:
        base = _named(recipe, stage.pictures.merged)
        yield stage.pictures, f"pictures for the gate of {base}"
        yield stage, f"gate of {base}"


def _named(recipe: Recipe, merge: MergeStage | None) -> str:
    """Name a base, alone or merged into a checkpoint."""
    base = f"base {recipe.base_name}"
    if not merge:
        return base
    merged = f"{base} merged into {merge.model.main.path.name}"
    return merged if merge.strength == 1 else f"{merged} at strength {merge.strength:g}"
