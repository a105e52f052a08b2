"""What each image of a character shows, by its name or its outline, and the caption that follows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TypeVar

from lorarecipe.dataset import Group
from lorarecipe.drafts.outlines import Shot
from lorarecipe.mend import Change, caption_tags
from lorarecipe.recipe import Captions
from lorarecipe.rules.names import read_name

Shots = Mapping[Path, Shot]
Value = TypeVar("Value")


def named_shots(group: Group, captions: Captions) -> Shots:
    """Say what the name of each image says that it shows; nothing of a name that does not fit."""
    names = {picture.path: read_name(picture.path, captions) for picture in group.pictures}
    return {path: Shot(name.zoom, name.behind) for path, name in names.items()}


def agreed(proposals: Sequence[Shots]) -> list[Shots]:
    """Let characters that were shot from one list of cameras agree, image by image in the order of their names.

    They are taken to be so shot where there are three or more, each with as many images. What most of them seem to show
    goes for all: hair that hides an outline hides it in one character, and not in another. A character that was shot in
    another order is left as it is.
    """
    if len(proposals) < _ENOUGH or len({len(shots) for shots in proposals}) > 1:
        return [*proposals]
    cameras = zip(*(shots.values() for shots in proposals), strict=True)
    common = [Shot(_most(shot.zoom for shot in same), _most(shot.behind for shot in same)) for same in cameras]
    return [
        dict(zip(shots, common, strict=True)) if _agrees([*shots.values()], common) else shots for shots in proposals
    ]


#: characters that can outvote one; share of a character's zooms that are as the others'
_ENOUGH, _ALIKE = 3, 0.7


def _agrees(own: Sequence[Shot], common: Sequence[Shot]) -> bool:
    known = [one.zoom == other.zoom for one, other in zip(own, common, strict=True) if one.zoom]
    return sum(known) >= _ALIKE * len(known)


def hinted(shots: Shots, zooms: Mapping[str, str], backs: Sequence[str]) -> Shots:
    """Let what the author says go before all else.

    Parameters
    ----------
    shots
        What images seem to show.
    zooms
        Zoom tags by patterns of file names (``{"Render_1*": "upper body"}``).
    backs
        Patterns of the names of back views. Where there are any, no other image is a back view.
    """
    found = {}
    for path, shot in shots.items():
        zoom = next((zoom for pattern, zoom in zooms.items() if fnmatchcase(path.name, pattern)), shot.zoom)
        behind = any(fnmatchcase(path.name, pattern) for pattern in backs) if backs else shot.behind
        found[path] = replace(shot, zoom=zoom, behind=behind)
    return found


def missing_captions(group: Group, shots: Shots, tags: tuple[str, ...] = ()) -> list[Change]:
    """Give the captions of the images that have none and whose zoom is known; ``tags`` stand in each."""
    changes = {}
    for picture in group.pictures:
        shot, path = shots[picture.path], picture.path.with_suffix(".txt")
        if not picture.caption and not picture.problem and shot.zoom and path not in changes:
            words = dict.fromkeys(caption_tags(group, shot.zoom, tags, behind=bool(shot.behind)))
            changes[path] = Change(path, None, ", ".join(words) + "\n")
    return [*changes.values()]


def _most(values: Iterable[Value | None]) -> Value | None:
    """Give the most frequent of the values that are known."""
    counts = Counter(value for value in values if value is not None)
    return counts.most_common(1)[0][0] if counts else None
