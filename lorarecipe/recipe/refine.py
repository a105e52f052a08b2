"""The third phase of a recipe."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from lorarecipe.recipe.samples import Pictures, Prompt, SamplerSteps, Scale, Seed
from lorarecipe.recipe.table import Count, Table, example, fault
from lorarecipe.recipe.training import Training


class Refine(Table):
    """The third phase: the target draws scenes, the best pictures are picked, and a last LoRA is trained on them."""

    prompts: Annotated[
        Annotated[tuple[Prompt, ...], Field(strict=False, min_length=1)] | None, example(["1girl, forest, sitting"])
    ] = None
    """What the target draws, on the original checkpoint; left out, `1girl` in places, poses and zooms in turn."""
    weights: Annotated[
        tuple[Annotated[float, Field(gt=0, le=2)], ...], Field(strict=False, min_length=1), example([1.0, 1.5])
    ] = (*(1.0, 1.5, 2.0),)
    """Weights that it draws at; none is picked from above the largest at which its pictures are still flat."""
    images: Annotated[Pictures, example(2)] = 2
    """Pictures of each prompt, at each weight."""
    pick: Annotated[Literal["measures", "author"], example("author")] = "measures"
    """Who picks; with `author`, the run ends at the pictures until `picks` names some."""
    picks: Annotated[tuple[str, ...], Field(strict=False), example(["00_1_1001.png", "01_1.5_1001.png"])] = ()
    """Names of the pictures to train on, as `report.html` lists them; they go before what is measured."""
    keep: Annotated[int, Field(ge=1, le=1000), example(24)] = 24
    """Pictures that are picked by measures; a sixth of them of one prompt at most, where there are six prompts."""
    training: Annotated[Training, example({"epochs": 5})]
    """How the last LoRA is trained; what is left out is the target's."""
    repeats: Annotated[Count | None, example(4)] = None
    """Times each pick is seen in an epoch; left out, as often as makes an epoch as long as the target's."""
    rounds: Annotated[int, Field(ge=1, le=4), example(2)] = 1
    """How often it is done: from the second on, the LoRA of the round before draws."""
    seed: Annotated[Seed, example(1001)] = 1001
    """Seed of a prompt's first picture; the next ones count up."""
    steps: Annotated[SamplerSteps, example(25)] = 25
    """Steps of the sampler."""
    scale: Annotated[Scale, example(7.0)] = 7.0
    """Classifier-free guidance."""

    @model_validator(mode="after")
    def _one_who_picks(self) -> Self:
        if self.rounds > 1 and (self.picks or self.pick == "author"):
            raise fault(f"found rounds = {self.rounds} with an author's picks, expected 1: they are of one round")
        return self
