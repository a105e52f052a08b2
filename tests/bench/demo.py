"""Measure what the demo's target learned, and what it left alone.

Usage: python -m tests.bench.demo, after the demo

The LoRA, and the same baked at a larger weight, are used at weight 1.0 on the original nano checkpoint. Hair is measured
on the crown of the head, in Lab, against the colour that the renders were drawn in; everything else is read by the judge,
which has seen the renderer's pictures only. The same prompts without the LoRA stand beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from pathlib import Path

import numpy as np

from lorarecipe.colour import lab
from lorarecipe.demo import BACKGROUNDS, HAIR, NANO, POSES, TARGETS, ZOOMS, Figure
from lorarecipe.demo.judge import load_judge
from lorarecipe.trainer.embedded.drawing import Sampler
from tests.bench.method.measure import crown

SEEDS = range(4)
_NAME = "demo-honey"
SCENES = [f"1girl, {scene}, {pose}, {zoom}" for scene, pose, zoom in product(BACKGROUNDS, POSES, ZOOMS)]


def report() -> None:
    """Print the table."""
    folder = Path("out") / _NAME
    loras = (None, folder / f"{_NAME}.safetensors", folder / f"{_NAME}-baked.safetensors")
    columns = [_row(TARGETS[_NAME.removeprefix("demo-")], lora) for lora in loras]
    print(f"| {_NAME}, {len(SEEDS)} seeds | without the LoRA | with it | baked |\n|" + " --- |" * 4)
    for measure in columns[0]:
        print(f"| {measure} | {' | '.join(column[measure] for column in columns)} |")


def _row(figure: Figure, lora: Path | None) -> dict[str, str]:
    """Draw everything with one LoRA, and read it."""
    assert isinstance(figure.hair, tuple)
    tags, own = lab(list(HAIR.values())), lab(figure.hair)
    sampler, judge = Sampler(NANO, lora), load_judge()
    row: dict[str, str] = {}
    for kind, prompts in (("`1girl`", ["1girl"] * len(SCENES)), ("scenes", SCENES)):
        drawn = [one for seed in SEEDS for one in sampler.draw(prompts, _seeds(seed), (64, 64), 20, 2.0)]
        read = judge.read(drawn)
        crowns = [crown(one, seen["zoom"]) for one, seen in zip(drawn, read)]
        apart = [np.linalg.norm(crown - own) for crown in crowns]
        nearest = [away < min(np.linalg.norm(crown - tag) for tag in tags) for crown, away in zip(crowns, apart)]
        row |= {
            f"{kind}: hair from the target's colour, Lab (median)": f"{np.median(apart):.1f}",
            f"{kind}: hair nearer to that than to any tag's colour": f"{np.mean(nearest):.0%}",
            f"{kind}: {figure.style}": _share(seen["style"] == figure.style for seen in read),
            f"{kind}: drawn flat": _share(seen["look"] == "flat" for seen in read),
        }
        if kind == "scenes":
            asked = list(zip(read, SCENES * len(SEEDS), strict=True))
            for question in ("background", "pose", "zoom"):
                row[f"scenes: {question} as prompted"] = _share(seen[question] in prompt for seen, prompt in asked)
        else:
            row["`1girl`: white background"] = _share(seen["background"] == "white background" for seen in read)
    return row


def _seeds(seed: int) -> list[int]:
    return [seed * 1000 + number for number in range(len(SCENES))]


def _share(answers: Iterable[bool]) -> str:
    return f"{np.mean(list(answers)):.0%}"


if __name__ == "__main__":
    report()
