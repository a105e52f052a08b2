"""Plans without a base: the two earlier ways, plain and distilled, to compare with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lorarecipe.dataset import Dataset
from lorarecipe.plan.data import Image
from lorarecipe.plan.delivery import Compiled, Delivery
from lorarecipe.plan.parts import leak_of, samples_of, title_of_samples, training_of
from lorarecipe.plan.picks import PickStage
from lorarecipe.plan.sample import Arm, SampleStage
from lorarecipe.plan.stage import Stage
from lorarecipe.recipe import Distill, Samples


def compile_alone(dataset: Dataset) -> Compiled:
    """Compile a recipe of ``method = "plain"`` or ``"distill"``.

    Raises
    ------
    RecipeError
        When a pick is none of the pictures that are drawn.
    """
    recipe, distill = dataset.recipe, dataset.recipe.distill
    assert recipe.target
    assert dataset.target
    lora = training_of(dataset, dataset.target, recipe.target.training, "teacher" if distill else "plain")
    resolution = lora.training.resolution
    stages: list[tuple[Stage, str]] = [
        (lora.data, f"images of {recipe.name}"),
        (lora, f"plain LoRA of {recipe.name}"),
    ]
    candidates = None
    if distill:
        candidates = SampleStage(
            lora.model, lora, _asked(distill), lora.commit, resolution, device=lora.device, purpose="pick"
        )
        stages.append((candidates, f"pictures to pick from, for {recipe.name}"))
        if not distill.picks:
            return Compiled(Delivery(recipe.name, lora, recipe, None, candidates=candidates, picked=False), stages)
        if strangers := sorted({*distill.picks} - candidates.names.keys()):
            message = f"found {strangers[0]!r}, expected names of pictures, as {next(iter(candidates.names))!r}"
            raise recipe.error(("distill", "picks"), message)
        images = tuple(
            Image(Path(name), name, prompt, *resolution)
            for name, (prompt, _, _) in candidates.names.items()
            if name in distill.picks
        )
        picks = PickStage((images,), candidates)
        lora = replace(lora, data=picks, repeats=(1,), role="distilled")
        stages += [(picks, f"picked pictures of {recipe.name}"), (lora, f"distilled LoRA of {recipe.name}")]
    drawn = tuple(samples_of(recipe, "target", lora, lora))
    stages += [(stage, title_of_samples(stage, recipe.name)) for stage in drawn]
    arms: dict[Arm, tuple[SampleStage, ...]] = {"target": drawn} if drawn else {}
    leak = leak_of(recipe, arms, lora)
    stages += [(leak, f"leak test of {recipe.name}")] if leak else []
    return Compiled(Delivery(recipe.name, lora, recipe, None, arms, leak=leak, candidates=candidates), stages)


def _asked(distill: Distill) -> Samples:
    """Give what is drawn to pick from."""
    return Samples(
        prompts=distill.prompts,
        weights=(distill.weight,),
        seed=distill.seed,
        images=distill.images,
        steps=distill.steps,
        scale=distill.scale,
    )
