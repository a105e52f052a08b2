"""The renders that a LoRA was trained on, as a yardstick for what it draws."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lorarecipe.colour import lab
from lorarecipe.dataset import Look
from lorarecipe.dataset.silhouette import Lab, Mask
from lorarecipe.dataset.tones import Colour
from lorarecipe.measures.pixels import overlap, softness
from lorarecipe.rules.vocabulary import HAIR_COLOURS, NOMINAL_HAIR, ZOOMS, corrected


@dataclass(frozen=True)
class Render:
    """One image, as it was trained on."""

    tags: tuple[str, ...]
    colours: Lab
    shape: Mask
    look: Look
    path: Path

    @property
    def zoom(self) -> str | None:
        """Its zoom tag."""
        return next((tag for tag in self.tags if tag in ZOOMS), None)

    @property
    def hair(self) -> str | None:
        """Its tag of a hair colour."""
        return next((tag for tag in self.tags if tag in HAIR_COLOURS), None)


def nearest(shape: Mask, renders: Sequence[Render]) -> tuple[float, Render]:
    """Find the render whose outline an outline has most in common with, and how much."""
    common = [overlap(shape, render.shape) for render in renders]
    best = max(range(len(renders)), key=common.__getitem__)
    return common[best], renders[best]


def nearest_colour(colour: npt.ArrayLike, colours: Mapping[str, Colour]) -> tuple[str, float] | None:
    """Give the tag whose colour is the nearest, and how far it is (dE76); None where there are no colours."""
    apart = {tag: float(np.linalg.norm(np.subtract(colour, other))) for tag, other in colours.items()}
    return min(apart.items(), key=lambda one: one[1], default=None)


def mean_softness(renders: Iterable[Render]) -> float:
    """Give the mean softness of renders."""
    return float(np.mean([softness(render.colours) for render in renders]))


def hair_colours(renders: Iterable[Render]) -> dict[str, Colour]:
    """Give the colour of each tag: the median of the renders that have it, or else as hair is commonly drawn."""
    found: dict[str, list[Colour]] = {}
    for render in renders:
        if render.hair and render.look.hair:
            found.setdefault(render.hair, []).append(render.look.hair)
    nominal = {
        corrected(f"{name} hair") or f"{name} hair": lab(colour).tolist() for name, colour in NOMINAL_HAIR.items()
    }
    measured = {tag: np.median(colours, axis=0).tolist() for tag, colours in found.items()}
    return {tag: (one, two, three) for tag, (one, two, three) in (nominal | measured).items()}
