"""Traits of a base character: its hair's colour as measured, and what its folder's name says."""

from __future__ import annotations

import re

from lorarecipe.dataset import Group
from lorarecipe.measures.renders import hair_colours, nearest_colour
from lorarecipe.rules.shots import hair_of
from lorarecipe.rules.vocabulary import TRAIT_KINDS, contained

#: dE76 to the nearest colour that has a tag; real renders lie up to 24 from theirs, since their hair is shaded
_MOST = 40.0


def hair_tag(group: Group) -> str | None:
    """Name the colour of a character's hair by the nearest tag; None where no crown tells it."""
    hair = hair_of(group)
    if hair is None:
        return None
    near = nearest_colour(hair, hair_colours(()))
    return near[0] if near and near[1] <= _MOST else None


def traits_in(name: str) -> list[str]:
    """Read the traits that stand in a folder's name, a hair colour first: ``red hair_twintails``."""
    words = re.sub(r"[_\-]+", " ", name)
    return [tag for tags in TRAIT_KINDS.values() if (tag := contained(words, tags))]
