"""What each image of a character shows, by its name or its outline, and the caption that follows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TypeVar

from lorarecipe.dataset import Group
from lorarecipe.drafts.outlines import Shot, propose_shots
from lorarecipe.mend import Change, caption_tags
from lorarecipe.recipe import Captions
from lorarecipe.rules.names import read_name

Shots = Mapping[Path, Shot]
Value = TypeVar("Value")


def shots_of(group: Group, captions: Captions | None) -> Shots:
    """Say what each image of a character shows, by its name, or by its outline where names say nothing."""
    return (
        propose_shots(group) if captions is None else {one.path: _by_name(one.path, captions) for one in group.pictures}
    )


def agreed(proposals: Sequence[Shots]) -> list[Shots]:
    """Let characters that were shot from one list of cameras agree, image by image in the order of their names.

    They are taken to be so shot where there are three or more, each with as many images. What most of them seem to show
    goes for all: hair that hides an outline hides it in one character, and not in another.
    """
    if len(proposals) < _ENOUGH or len({len(shots) for shots in proposals}) > 1:
        return [*proposals]
    cameras = zip(*(shots.values() for shots in proposals), strict=True)
    common = [Shot(_most(shot.zoom for shot in same), _most(shot.behind for shot in same)) for same in cameras]
    return [dict(zip(shots, common, strict=True)) for shots in proposals]


#: characters that can outvote one
_ENOUGH = 3


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
    changes = []
    for picture in group.pictures:
        shot = shots[picture.path]
        if not picture.caption and not picture.problem and shot.zoom:
            words = dict.fromkeys(caption_tags(group, shot.zoom, tags, behind=bool(shot.behind)))
            changes.append(Change(picture.path.with_suffix(".txt"), None, ", ".join(words) + "\n"))
    return changes


def _by_name(image: Path, captions: Captions) -> Shot:
    name = read_name(image, captions)
    return Shot(name.zoom, name.behind)


def _most(values: Iterable[Value | None]) -> Value | None:
    """Give the most frequent of the values that are known."""
    counts = Counter(value for value in values if value is not None)
    return counts.most_common(1)[0][0] if counts else None
