"""Measure what the demo's target learned, and what it left alone.

Usage: python -m tests.bench.demo [NAME], after the demo; NAME is demo-honey unless it is demo-auburn

The LoRA is used at weight 1.0 on the original nano checkpoint. Hair is measured on the crown of the head, in Lab,
against the colour that the renders were drawn in; everything else is read by the judge, which has seen the renderer's
pictures only. The same prompts without the LoRA stand beside it.
"""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from lorarecipe.demo import BACKGROUNDS, HAIR, NANO, POSES, TARGETS, ZOOMS
from lorarecipe.demo.judge import load_judge
from lorarecipe.trainer.embedded.gen_img import Sampler

SEEDS = range(100, 108)
SCENES = [f"1girl, {scene}, {pose}, {zoom}" for scene, pose, zoom in product(BACKGROUNDS, POSES, ZOOMS)]
#: crown of the head, in pixels of 64 x 64: where every hairstyle, and both views, have hair
_CROWN = {"full body": (28, 6, 36, 9), "upper body": (28, 8, 37, 13)}
_TO_LAB = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")

Lab = npt.NDArray[np.float64]


def lab(image: Image.Image) -> Lab:
    """Median L*, a*, b* of a picture."""
    converted = ImageCms.applyTransform(image, _TO_LAB)
    assert converted
    lightness, a, b = np.median(np.asarray(converted).reshape(-1, 3), axis=0)
    signed = [value - 256 if value > 127 else value for value in (a, b)]
    return np.array([lightness / 2.55, *signed])


def report(name: str) -> None:
    """Print the table."""
    figure = TARGETS[name.removeprefix("demo-")]
    assert isinstance(figure.hair, tuple)
    colours = {tag: lab(Image.new("RGB", (1, 1), colour)) for tag, colour in HAIR.items()}
    wanted = lab(Image.new("RGB", (1, 1), figure.hair))
    judge, rows = load_judge(), []
    for label, lora in (("without", None), ("with", Path("out") / name / f"{name}.safetensors")):
        sampler = Sampler(NANO, lora)
        row = {"": label}
        for kind, prompts in (("1girl", ["1girl"] * 5), ("scenes", SCENES)):
            seeds = list(SEEDS) if kind == "scenes" else [*SEEDS]
            drawn, asked = [], []
            for at, seed in enumerate(seeds):
                own = [seed * 100 + at * 1000 + number for number in range(len(prompts))]
                drawn += sampler.draw(prompts, own, (64, 64), 20, 4.0)
                asked += prompts
            read = judge.read(drawn)
            crowns = [lab(one.crop(_CROWN[seen["zoom"]])) for one, seen in zip(drawn, read, strict=True)]
            apart = [float(np.linalg.norm(crown - wanted)) for crown in crowns]
            nearest = [all(d < np.linalg.norm(crown - c) for c in colours.values()) for d, crown in zip(apart, crowns)]
            row |= {
                f"{kind}: hair, Lab distance (median)": f"{np.median(apart):.1f}",
                f"{kind}: nearer to its colour than to any tag's": f"{np.mean(nearest):.0%}",
                f"{kind}: {figure.style}": _share(seen["style"] == figure.style for seen in read),
                f"{kind}: {figure.dress}": _share(seen["dress"] == figure.dress for seen in read),
                f"{kind}: drawn flat": _share(seen["look"] == "flat" for seen in read),
            }
            if kind == "scenes":
                for question in ("background", "pose", "zoom"):
                    row[f"scenes: {question} as prompted"] = _share(
                        seen[question] in prompt for seen, prompt in zip(read, asked)
                    )
            else:
                row["1girl: white background"] = _share(seen["background"] == "white background" for seen in read)
                row["1girl: arms at sides"] = _share(seen["pose"] == "arms at sides" for seen in read)
        rows.append(row)
    print(f"| {name} | without the LoRA | with it |\n| --- | --- | --- |")
    for key in list(rows[0])[1:]:
        print(f"| {key} | {rows[0][key]} | {rows[1][key]} |")


def _share(answers: object) -> str:
    return f"{np.mean(list(answers)):.0%}"  # type: ignore[call-overload]


if __name__ == "__main__":
    report(sys.argv[1] if len(sys.argv) > 1 else "demo-honey")
