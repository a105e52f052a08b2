"""What a measure has to offer, and what it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from lorarecipe.dataset.silhouette import Lab, Mask, silhouette
from lorarecipe.dataset.tones import Colour, rounded, skin_of
from lorarecipe.measures.ccip import Ccip
from lorarecipe.measures.pixels import Palette, hair_of, palette_of, shape_of, softness
from lorarecipe.measures.renders import Render, mean_softness
from lorarecipe.measures.tagger import Tagger

#: dE76 from the hair of what may be skin
_NO_HAIR = 12.0


@dataclass(frozen=True)
class Drawn:
    """A picture to measure."""

    path: Path
    colours: Lab
    """As ``pixels.seen`` gives it: L*a*b*, of shape (height, width, 3)."""
    prompt: str
    weight: float
    """Of the LoRA; 0 is the checkpoint alone."""
    unrelated: bool
    """Whether the prompt has nothing to do with the character."""
    bare: Lab | None
    """The picture of the same prompt and seed without the LoRA, where there is one."""


@dataclass(frozen=True)
class Yardstick:
    """What pictures are compared with: the renders that the LoRA was trained on, and further models by their names."""

    renders: Sequence[Render]
    models: Mapping[str, Path]
    """Folder of a model's files, by the key of ``[samples]`` that names it."""

    @cached_property
    def palette(self) -> Palette | None:
        """The character's colours; None where no render shows a figure."""
        return palette_of([render.colours for render in self.renders])

    @cached_property
    def hair(self) -> Colour | None:
        """Median colour of the renders' hair; None where no render shows any."""
        crowns = [render.look.hair for render in self.renders if render.look.hair]
        return rounded(np.median(crowns, axis=0)) if crowns else None

    @cached_property
    def skin(self) -> Colour | None:
        """Median colour of the renders' skin, of what is not hair; None where no render shows any."""
        figures = np.concatenate([render.colours[silhouette(render.colours).figure] for render in self.renders])
        if self.hair:
            figures = figures[np.linalg.norm(figures - np.array(self.hair, np.float32), axis=1) > _NO_HAIR]
        found = skin_of(figures)
        return rounded(np.median(found, axis=0)) if found.size else None

    @cached_property
    def hair_shapes(self) -> list[Mask]:
        """The shape of the hair on each render that shows it."""
        shapes = [shape_of(self.hair_on(render.colours)) for render in self.renders] if self.hair else []
        return [shape for shape in shapes if shape is not None]

    def hair_on(self, colours: Lab) -> Mask:
        """Find the character's hair on a picture."""
        assert self.hair
        return hair_of(colours, self.hair, self.skin)

    @cached_property
    def softness(self) -> float:
        """Mean softness of the renders' shading."""
        return mean_softness(self.renders)

    @cached_property
    def tagger(self) -> Tagger:
        """The tagger of ``samples.tagger``."""
        return Tagger(self.models["tagger"])

    @cached_property
    def ccip(self) -> Ccip:
        """The model of ``samples.ccip``, which knows the renders."""
        return Ccip(self.models["ccip"], [render.path for render in self.renders])

    def room(self, bare: Lab) -> float:
        """How much softer than a picture without the LoRA the renders are."""
        return self.softness - softness(bare)


class Measure(Protocol):
    """One file of this folder: a number that says what a LoRA brings along besides its character."""

    KEY: str
    """Name in records."""
    TITLE: str
    """Head of its column."""
    MEANING: str
    """What the number means, in plain words."""
    FORM: str
    """How it is written, as Python's ``format`` has it."""
    VERSION: int
    """Raised whenever it would give another number of the same picture; stands in the key of a leak test."""
    NEEDS: str
    """Key of ``[samples]`` that names the folder of the model that it asks; empty where it asks none."""

    def of(self, drawn: Drawn, yardstick: Yardstick) -> float | None:
        """Measure a picture; None where the number makes no sense for it."""
