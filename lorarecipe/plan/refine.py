"""The third phase: the target draws, the best pictures are picked, and a last LoRA is trained on them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import cycle, product
from pathlib import Path

from lorarecipe.measures.choice import versions
from lorarecipe.plan.choice import ChoiceStage
from lorarecipe.plan.data import Image
from lorarecipe.plan.parts import models_of
from lorarecipe.plan.picks import PickStage
from lorarecipe.plan.sample import SampleStage
from lorarecipe.plan.stage import Stage
from lorarecipe.plan.train import TrainStage
from lorarecipe.recipe import Recipe, Refine, Samples

#: tags that checkpoints of every family know, and that say nothing of a character
_PLACES = ("forest", "beach", "night sky", "indoors", "city street", "garden")
_POSES = ("sitting", "arms up", "walking", "standing")
#: five, so that each pose gets several of them
_FRAMES = ("full body", "cowboy shot", "upper body", "from behind, full body", "from side, cowboy shot")


@dataclass(frozen=True)
class Refined:
    """What is delivered (None until the author has picked), and the stages that a third phase adds."""

    lora: TrainStage | None
    stages: tuple[tuple[Stage, str], ...] = ()
    candidates: SampleStage | None = None
    choice: ChoiceStage | None = None


def refine_of(recipe: Recipe, refine: Refine, target: TrainStage) -> Refined:
    """Compile the third phase of a target.

    Raises
    ------
    RecipeError
        When a pick is none of the pictures that are drawn.
    """
    teacher, stages = target, list[tuple[Stage, str]]()
    for number in range(1, refine.rounds + 1):
        which = f", round {number}" if refine.rounds > 1 else ""
        size = target.training.resolution
        drawn = SampleStage(
            target.model, teacher, _asked(refine), target.commit, size, device=target.device, purpose="pick"
        )
        stages.append((drawn, f"pictures to pick from, for {recipe.name}{which}"))
        if refine.pick == "author" and not refine.picks:
            return Refined(None, tuple(stages), drawn)
        choice = None if refine.picks else _chosen(recipe, refine, drawn, target)
        picks = choice or _picked(recipe, refine, drawn)
        teacher = replace(
            target,
            data=picks,
            repeats=(refine.repeats or max(1, round(_visits(target) / len(picks.groups[0]))),),
            training=refine.training,
            merged=None,
            loaded=None,
            strength=1.0,
            role="refined",
        )
        stages += [
            (picks, f"picked pictures of {recipe.name}{which}"),
            (teacher, f"refined LoRA of {recipe.name}{which}"),
        ]
    return Refined(teacher, tuple(stages), drawn, choice)


def default_prompts() -> tuple[str, ...]:
    """Give places with poses, each in one of the frames in turn."""
    frames = cycle(_FRAMES)
    return tuple(f"1girl, {place}, {pose}, {next(frames)}" for place, pose in product(_PLACES, _POSES))


def _asked(refine: Refine) -> Samples:
    """Give what is drawn to pick from; without the LoRA too, to see what it changes."""
    return Samples(
        prompts=refine.prompts or default_prompts(),
        weights=(0.0, *refine.weights),
        seed=refine.seed,
        images=refine.images,
        steps=refine.steps,
        scale=refine.scale,
    )


def _chosen(recipe: Recipe, refine: Refine, drawn: SampleStage, target: TrainStage) -> ChoiceStage:
    blank = Image(Path(), "", "", *drawn.resolution)
    models = models_of(recipe, "ccip")
    return ChoiceStage(((blank,) * refine.keep,), drawn, target.data, models, versions(models))


def _picked(recipe: Recipe, refine: Refine, drawn: SampleStage) -> PickStage:
    by_name = {name: prompt for name, (prompt, weight, _) in drawn.names.items() if weight}
    if strangers := sorted({*refine.picks} - by_name.keys()):
        message = f"found {strangers[0]!r}, expected names of pictures, as {next(iter(by_name))!r}"
        raise recipe.error(("refine", "picks"), message)
    size = drawn.resolution
    images = (Image(Path(name), name, prompt, *size) for name, prompt in by_name.items() if name in refine.picks)
    return PickStage((tuple(images),), drawn)


def _visits(stage: TrainStage) -> int:
    """Count how often a training sees an image in an epoch."""
    return sum(len(group) * repeats for group, repeats in zip(stage.data.groups, stage.repeats, strict=True))
