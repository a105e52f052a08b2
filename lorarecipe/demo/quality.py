"""What the nano checkpoint can draw: figures drawn at random are painted from their captions, and read back."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline

from lorarecipe.demo.judge import QUESTIONS, Judge, answers_of
from lorarecipe.demo.world import BACKGROUNDS, DRESSES, HAIR, POSES, STYLES, VIEWS, ZOOMS, Figure, draw

SIZE = 64
#: classifier-free guidance at which the quality is measured, and the demo samples
GUIDANCE = 4.0


def figure_of(dice: random.Random) -> Figure:
    """Draw the attributes of one figure: white one time in four, the back one time in three."""
    scene = "white background" if dice.random() < 0.25 else dice.choice(BACKGROUNDS[1:])
    return Figure(
        dice.choice(list(HAIR)),
        dice.choice(STYLES),
        dice.choice([None, *DRESSES, *DRESSES]),
        dice.choice(POSES),
        dice.choices(VIEWS, (2, 1))[0],
        dice.choice(ZOOMS),
        scene,
    )


def measure(checkpoint: Path, judge: Judge, pictures: int = 400) -> dict[str, float]:
    """Have figures drawn from full captions, and read them: the share of right answers, by question.

    ``judge`` is the same of pictures that the renderer drew, which the judge has not seen.
    """
    pipeline = StableDiffusionPipeline.from_pretrained(checkpoint, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    dice, right, asked = random.Random(2), Counter[str](), Counter[str]()
    for start in range(0, pictures, 50):
        figures = [figure_of(dice) for _ in range(50)]
        painted = pipeline(
            [", ".join(("1girl", *figure.tags)) for figure in figures],
            num_inference_steps=20,
            guidance_scale=GUIDANCE,
            generator=torch.Generator().manual_seed(start),
        ).images
        rendered = [draw(figure, "flat", SIZE, 10**6 + start + at) for at, figure in enumerate(figures)]
        for kind, shown in (("", painted), ("judge ", rendered)):
            for figure, read in zip(figures, judge.read(shown), strict=True):
                for at, name in enumerate(QUESTIONS):
                    if name != "dress" or figure.dress:  # the suit has no tag
                        asked[kind + name] += 1
                        right[kind + name] += read[name] == QUESTIONS[name][answers_of(figure, "flat")[at]]
    return {name: round(right[name] / asked[name], 4) for name in asked}
