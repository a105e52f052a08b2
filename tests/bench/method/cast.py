"""Who is trained on: the base's characters, targets drawn at random, and their renders with captions of each kind."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Literal

import numpy as np

from lorarecipe.colour import lab
from lorarecipe.demo import DRESSES, HAIR, STYLES, VIEWS, ZOOMS, Figure, draw
from lorarecipe.demo.renders import BASE
from lorarecipe.files import file_digest
from lorarecipe.plan.data import Image

#: a word that the nano has no picture for
TRIGGER = "sks"
#: dE76 from every colour that has a tag: such hair was never named
_UNSEEN = 18.0

FIVE = tuple(BASE.values())
#: yellow is the end of Lab's axes that the five lack (technique reference, section 6)
SIX = (*FIVE, Figure("blonde hair", "short hair", "red dress"))
#: every colour with a second hairstyle, so that neither tells the other
MIXED = (
    *FIVE,
    *(
        replace(figure, style=style)
        for figure, style in zip(FIVE, ("twintails", "ponytail", "short hair", "long hair", "short hair"))
    ),
)


@dataclass(frozen=True)
class Target:
    """A character to learn, and the number of its draw."""

    number: int
    figure: Figure

    @property
    def colour(self) -> tuple[int, int, int]:
        """Its hair, as sRGB."""
        hair = self.figure.hair
        return HAIR[hair] if isinstance(hair, str) else hair


@dataclass(frozen=True)
class Picked:
    """Pictures to train on: another arm's LoRA draws every scene, and some are kept."""

    by: str
    weights: tuple[float, ...]
    images: int
    """Of each scene, at each weight."""
    keep: int
    seed: int
    """Of the first picture."""
    judged: bool = True
    """Whether the judge picks, as an author would, or else lorarecipe's own measures."""
    also: Literal["", "renders", "others"] = ""
    """What is trained on besides: the target's renders, or what the checkpoint draws of other characters."""


def target_of(number: int) -> Target:
    """Draw a target: every other one has hair of a colour that no tag names, the rest one that the base has not."""
    dice = random.Random(1000 + number)
    others = sorted(HAIR.keys() - {figure.hair for figure in FIVE})
    hair = dice.choice(others) if number % 2 else _unseen(dice)
    return Target(number, Figure(hair, dice.choice(STYLES), dice.choice(sorted(DRESSES))))


def _unseen(dice: random.Random) -> tuple[int, int, int]:
    while True:
        colour = (dice.randint(30, 245), dice.randint(30, 245), dice.randint(30, 245))
        if np.linalg.norm(lab(colour) - lab(list(HAIR.values())), axis=1).min() > _UNSEEN:
            return colour


def renders(figures: Iterable[Figure], folder: Path, captions: str) -> tuple[tuple[Image, ...], ...]:
    """Draw a character's renders, once; captions are ``traits``, ``none``, ``closed``, ``words`` or ``bare``.

    sd-scripts takes no empty captions, so that ``none`` and ``bare`` keep zoom and view.
    """
    groups = []
    for figure in figures:
        hair = figure.hair if isinstance(figure.hair, str) else "{:02x}{:02x}{:02x}".format(*figure.hair)
        place = folder / f"{hair}_{figure.style}_{figure.dress}".replace(" ", "-")
        place.mkdir(parents=True, exist_ok=True)
        group = []
        for view, zoom in product(VIEWS, ZOOMS):
            shot, path = replace(figure, view=view, zoom=zoom), place / f"{zoom}_{view}.png".replace(" ", "-")
            if not path.exists():
                draft = path.with_suffix(f".{random.getrandbits(32)}.part")
                draw(shot, "3d", 256).save(draft, "PNG")
                draft.replace(path)
            group.append(Image(path, file_digest(path), _caption(shot, captions), 256, 256))
        groups.append(tuple(group))
    return tuple(groups)


def _caption(shot: Figure, captions: str) -> str:
    upright = [shot.pose] if shot.zoom == "full body" else []
    constant = {
        "traits": [str(shot.hair), shot.style, str(shot.dress)],
        "closed": [shot.background, *upright],
        "words": [TRIGGER, "1girl", "solo", shot.background, *upright],
    }
    behind = [shot.view] if shot.view == "from behind" else []
    return ", ".join([*constant.get(captions, []), *behind, shot.zoom])
