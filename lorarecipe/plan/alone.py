"""Plans without a base: the two earlier ways, plain and distilled, to compare with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lorarecipe.dataset import Dataset
from lorarecipe.plan.delivery import Delivery
from lorarecipe.plan.given import Image
from lorarecipe.plan.parts import data_of, model_of, samples_of
from lorarecipe.plan.pin import commit_of
from lorarecipe.plan.stages import PickStage, SampleStage, Stage, TrainStage
from lorarecipe.recipe import Samples


def compile_alone(dataset: Dataset) -> tuple[Delivery, list[tuple[Stage, str]]]:
    """Compile a recipe of ``method = "plain"`` or ``"distill"``.

    Raises
    ------
    RecipeError
        When a pick is none of the pictures that are drawn.
    """
    recipe, distill = dataset.recipe, dataset.recipe.distill
    assert recipe.target
    assert dataset.target
    training, trainer = recipe.target.training, recipe.trainer
    data = data_of((dataset.target,), training)
    lora = TrainStage(
        data,
        (recipe.target.repeats,),
        model_of(dataset),
        training,
        commit_of(trainer.engine),
        trainer.engine,
        processes=trainer.processes,
        device=trainer.device,
        role="teacher" if distill else "plain",
    )
    wanted: list[tuple[Stage, str]] = [(data, f"images of {recipe.name}"), (lora, f"plain LoRA of {recipe.name}")]
    candidates = None
    if distill:
        asked = Samples(
            prompts=distill.prompts,
            weights=(distill.weight,),
            seed=distill.seed,
            images=distill.images,
            steps=distill.steps,
            scale=distill.scale,
        )
        candidates = SampleStage(lora.model, lora, asked, lora.commit, training.resolution, device=trainer.device)
        wanted.append((candidates, f"pictures to pick from, for {recipe.name}"))
        if not distill.picks:
            return Delivery(recipe.name, lora, recipe, None, candidates=candidates, picked=False), wanted
        if strangers := sorted({*distill.picks} - candidates.names.keys()):
            told = f"found {strangers[0]!r}, expected names of pictures, as {next(iter(candidates.names))!r}"
            raise recipe.error(("distill", "picks"), told)
        images = tuple(
            Image(Path(name), name, prompt, *training.resolution)
            for name, (prompt, _, _) in candidates.names.items()
            if name in distill.picks
        )
        picks = PickStage((images,), candidates)
        lora = replace(lora, data=picks, repeats=(1,), role="distilled")
        wanted += [(picks, f"picked pictures of {recipe.name}"), (lora, f"distilled LoRA of {recipe.name}")]
    drawn = tuple(samples_of(recipe, recipe.samples, "target", lora, lora)) if recipe.samples else ()
    for stage in drawn:
        epoch = f", epoch {stage.epoch}" if stage.epoch else ""
        wanted.append((stage, f"samples of {recipe.name} on the original checkpoint{epoch}"))
    return Delivery(recipe.name, lora, recipe, None, {"target": drawn} if drawn else {}, candidates=candidates), wanted
