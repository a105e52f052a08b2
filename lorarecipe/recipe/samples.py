"""Pictures that a recipe asks for: of the base, of the finished target, and of the control arm."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from lorarecipe.recipe.table import Count, RecipePath, Table, example, fault, shape


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise fault(f"found {text!r}, expected a prompt on one line")
    if sign := next((sign for sign in (" --", "{", "}") if sign in f" {text}"), None):
        # sd-scripts reads options after the first, and variants of the prompt within the others
        raise fault(f"found {sign.strip()!r} in {text!r}, expected a prompt without it")
    if text.lstrip().startswith("#"):
        raise fault(f"found '#' at the beginning of {text!r}, expected a prompt: the sampler skips such a line")
    if re.search(r"\sAND\s", f" {text} "):
        raise fault(f"found 'AND' in {text!r}, expected it in lower case: the sampler splits the prompt there")
    return text.strip()


def _a_prompt(text: str) -> str:
    if not text.strip():
        raise fault(f"found {text!r}, expected a prompt on one line")
    return _one_line(text)


def _a_line(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise fault(f"found {text!r}, expected a text on one line")
    return text.strip()


Prompt = Annotated[str, AfterValidator(_a_prompt), shape(pattern=r"\S")]
#: A prompt that may be empty: what is drawn when nothing is asked for
AnyPrompt = Annotated[str, AfterValidator(_one_line)]
#: A text of one line
Line = Annotated[str, AfterValidator(_a_line), shape(pattern=r"\S"), Field(max_length=200)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Pictures = Annotated[int, Field(ge=1, le=100)]
SamplerSteps = Annotated[int, Field(ge=1, le=200)]
Scale = Annotated[float, Field(ge=1, le=30)]


class Samples(Table):
    """Pictures to draw with the finished LoRA, on the original checkpoint."""

    prompts: Annotated[
        tuple[AnyPrompt, ...],
        Field(strict=False, min_length=1),
        example(["1girl, forest", "1girl, white background, arms at sides"]),
    ]
    """What to draw, one prompt a picture."""
    unrelated: Annotated[Annotated[tuple[Prompt, ...], Field(strict=False)] | None, example(["scenery, mountains"])] = (
        None
    )
    """Prompts that have nothing to do with the character, to see what the LoRA changes in them."""
    negative: Annotated[Prompt | None, example("lowres, bad anatomy")] = None
    """What not to draw, in all of them."""
    weights: Annotated[
        tuple[Annotated[float, Field(ge=0, le=2)], ...], Field(strict=False, min_length=1), example([0, 0.75, 1.0])
    ] = (*(0.0, 0.75, 1.0, 1.25, 1.5),)
    """Weights of the LoRA to draw each prompt at (bench: `five-at-1.25`); 0 draws it without, to compare with."""

    @field_validator("weights")
    @classmethod
    def _each_once(cls, weights: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(dict.fromkeys(weights))

    epochs: Annotated[tuple[Count, ...], Field(strict=False), example([4, 8])] = ()
    """Saved epochs to draw with too, before the last."""
    every_epochs: Annotated[Count | None, example(2)] = None
    """Draw with every n-th epoch too, of those that are saved."""
    seed: Annotated[Seed, example(1)] = 1
    """Seed of a prompt's first picture; the next ones count up."""
    images: Annotated[Pictures, example(4)] = 1
    """Pictures of each prompt and weight."""
    steps: Annotated[SamplerSteps, example(25)] = 25
    """Steps of the sampler."""
    scale: Annotated[Scale, example(7.0)] = 7.0
    """Classifier-free guidance."""
    tagger: Annotated[RecipePath | None, example("models/wd-tagger")] = None
    """Folder of a WD tagger (`model.onnx`, `selected_tags.csv`), whose scores of `3d` and `realistic` are given too."""
    ccip: Annotated[RecipePath | None, example("models/ccip")] = None
    """Folder of a CCIP model (`model_feat.onnx`, `model_metrics.onnx`): how unlike the pictures are to the renders."""

    @property
    def drawn(self) -> tuple[str, ...]:
        """All prompts, those that are unrelated last."""
        return (*self.prompts, *(self.unrelated or ()))


class Gate(Table):
    """What a base is asked to draw, with it on the checkpoint and then merged: any trait, always 3D, white, upright."""

    mode: Annotated[Literal["report", "stop", "off"], example("stop")] = "report"
    """`stop`: no target is trained on a base that fails; `off`: nothing is drawn."""
    prompts: Annotated[
        Annotated[tuple[AnyPrompt, ...], Field(strict=False, min_length=1)] | None,
        example(["red hair, short hair, forest", ""]),
    ] = None
    """What to draw; left out, the base's hair colours, unseen pairs of colour and style, zooms, back views, nothing."""
    against: Annotated[tuple[Prompt, ...], Field(strict=False), example(["forest, night, sitting"])] = (
        "forest, night, sitting",
        "beach, jumping, dress",
        "indoors, looking back, arms up",
    )
    """Prompts that a base has to withstand: places, poses and clothes that its renders do not have."""
    seed: Annotated[Seed, example(1)] = 1
    """Seed of a prompt's first picture; the next ones count up."""
    images: Annotated[Pictures, example(3)] = 3
    """Pictures of each prompt with the base; of the merged checkpoint, one is drawn."""
    steps: Annotated[SamplerSteps, example(25)] = 25
    """Steps of the sampler."""
    scale: Annotated[Scale, example(7.0)] = 7.0
    """Classifier-free guidance."""


class Deliver(Table):
    """What is delivered, and what its file says of itself; a change of it trains nothing again."""

    weight: Annotated[Literal["advised"] | Annotated[float, Field(gt=0, le=4)] | None, example(1.25, "advised")] = None
    """Write `NAME-baked.safetensors`, whose weight 1.0 is this weight: a number, or what the leak test advises."""
    metadata: Annotated[Literal["full", "public", "minimal"], example("public")] = "full"
    """What the file tells: `public` leaves out tags and names of folders; `minimal`, all but what programs need."""
    author: Annotated[Line | None, example("Aoi")] = None
    """Who made it, as its metadata says (`modelspec.author`)."""
    license: Annotated[Line | None, example("CC-BY-NC-4.0")] = None
    """Its license, as its metadata says (`modelspec.license`)."""


class Control(Table):
    """The control arm: the same target without the base, to see what the base keeps out."""

    enabled: Annotated[bool, example(True)] = False
    """Train it, and draw the same pictures with it and with the base, into `out/<name>/samples`."""


class Distill(Table):
    """The way before bases: a plain LoRA at half weight draws what the final one is trained on."""

    prompts: Annotated[
        tuple[Prompt, ...], Field(strict=False, min_length=1), example(["1girl, forest", "1girl, beach"])
    ]
    """What to draw to pick from; a picture's prompt becomes its caption."""
    weight: Annotated[float, Field(gt=0, le=2), example(0.5)] = 0.5
    """Weight of the plain LoRA: low enough that the 3D look stays away."""
    picks: Annotated[tuple[str, ...], Field(strict=False), example(["00_0.5_1.png", "01_0.5_2.png"])] = ()
    """Names of the pictures to train on, as `report.html` lists them; with none, the run ends at the pictures."""
    seed: Annotated[Seed, example(1)] = 1
    """Seed of a prompt's first picture; the next ones count up."""
    images: Annotated[Pictures, example(4)] = 4
    """Pictures of each prompt."""
    steps: Annotated[SamplerSteps, example(25)] = 25
    """Steps of the sampler."""
    scale: Annotated[Scale, example(7.0)] = 7.0
    """Classifier-free guidance."""
