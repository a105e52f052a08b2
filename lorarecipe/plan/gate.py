"""What a base is asked to draw before a target is trained on it."""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.recipe import Samples
from lorarecipe.rules.vocabulary import HAIR_COLOURS, HAIRSTYLES, ZOOMS


def gate_samples(dataset: Dataset) -> Samples:
    """Give the prompts of a base's gate and how they are drawn.

    Source of the default prompts: technique reference, section 5.
    """
    gate = dataset.recipe.base.gate
    prompts = gate.prompts if gate.prompts is not None else (*dict.fromkeys(_prompts(dataset)), "")
    return Samples(
        prompts=(*prompts, *gate.against),
        weights=(1.0,),
        seed=gate.seed,
        images=gate.images,
        steps=gate.steps,
        scale=gate.scale,
    )


def _prompts(dataset: Dataset) -> Iterator[str]:
    """Every colour; a colour with each a style that no character has with it; every zoom; the back of every style."""
    pairs = dict.fromkeys(
        (_first(group.traits, HAIR_COLOURS), _first(group.traits, HAIRSTYLES)) for group in dataset.base
    )
    colours, styles = (
        ([*dict.fromkeys(one for one in tags if one)] for tags in zip(*pairs, strict=True)) if pairs else ([], [])
    )
    yield from colours
    for at, colour in enumerate(colours):
        unseen = [style for style in styles if (colour, style) not in pairs]
        if unseen:
            yield f"{colour}, {unseen[at % len(unseen)]}"
    used = {word for group in dataset.groups for picture in group.pictures for word in picture.words}
    yield from (zoom for zoom in ZOOMS if zoom in used)
    if "from behind" in used:
        yield from (f"{style}, from behind" for style in styles or [""])


def _first(traits: tuple[str, ...], tags: frozenset[str]) -> str | None:
    return next((trait for trait in traits if trait in tags), None)
