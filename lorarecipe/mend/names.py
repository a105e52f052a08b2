"""Write captions from the names of images: what a camera list calls its shots, captions call by tags."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from lorarecipe.dataset import Dataset, Group
from lorarecipe.errors import CheckFailed, printable
from lorarecipe.mend.change import Change
from lorarecipe.recipe import Captions
from lorarecipe.rules.vocabulary import ALIASES, ZOOMS, plain

_SHORT = {
    "full": "full body",
    "whole": "full body",
    "upper": "upper body",
    "bust": "upper body",
    "cowboy": "cowboy shot",
    "close": "close-up",
    "face": "close-up",
}
_BEHIND = {"back", "behind", "rear", "from behind"}
_NOT_BEHIND = {"front", "side", "left", "right", "quarter", "three quarter", "profile", "straight"}
#: degrees from the front at which no face is seen
_FACELESS = range(135, 226)


def captions_from_names(dataset: Dataset) -> list[Change]:
    """Give the caption of every image whose phase has a pattern for names.

    A base caption holds the character's traits, ``from behind`` on back views, and the zoom; a target caption
    ``white background``, ``from behind``, the recipe's own tags, ``arms at sides`` on full-body images, and the zoom.

    Raises
    ------
    RecipeError
        When the recipe has no pattern.
    CheckFailed
        With every name that does not fit, or whose words are not known.
    """
    recipe = dataset.recipe
    tables = {"base": recipe.base.captions, "target": recipe.target.captions if recipe.target else None}
    if not any(tables.values()):
        message = 'missing; expected captions = { pattern = "{zoom}_{view}" } in [base] or [target]'
        raise recipe.error(("target",) if recipe.target else ("base",), message)
    changes, faults = [], []
    for group in dataset.groups:
        if told := tables[group.phase]:
            for path, caption in _captions(group, told):
                if isinstance(caption, str):
                    faults.append(printable(f"{path}:1:1: {caption}"))
                else:
                    place = path.with_suffix(".txt")
                    before = place.read_bytes() if place.exists() else None
                    changes.append(Change(place, before, ", ".join(dict.fromkeys(caption)) + "\n"))
    if faults:
        raise CheckFailed("\n".join([*faults, "nothing was written"]))
    return changes


def _captions(group: Group, told: Captions) -> Iterator[tuple[Path, list[str] | str]]:
    """Give each image's tags, or what is wrong with its name."""
    pattern, depth = _expression(told), told.pattern.count("/") + 1
    for picture in group.pictures:
        name = "/".join((picture.path.absolute().parent / picture.path.stem).parts[-depth:])
        found = pattern.fullmatch(name)
        if not found:
            yield picture.path, f"found the name {name!r}, expected {told.pattern!r}"
            continue
        zoom, view = _tag(found["zoom"], told), _view(found.groupdict(), told)
        if zoom not in ZOOMS:
            yield picture.path, f"found {found['zoom']!r} for a zoom, expected it in captions.words"
        elif view is None:
            yield (
                picture.path,
                f"found {found['view']!r} for a view, expected it in captions.words",
            )
        elif group.phase == "base":
            yield picture.path, [*group.traits, *view, *told.tags, zoom]
        else:
            upright = ["arms at sides"] if zoom == "full body" else []
            yield picture.path, ["white background", *view, *told.tags, *upright, zoom]


def _expression(told: Captions) -> re.Pattern[str]:
    """Turn a pattern into a regular expression; a zoom of two words is one, whatever stands between them."""
    known = sorted({*ZOOMS, *_SHORT, *ALIASES, *told.words}, key=len, reverse=True)
    zooms = "|".join("[ _-]".join(map(re.escape, re.split("[ _-]", word))) for word in known)
    parts = {
        "{zoom}": f"(?P<zoom>(?i:{zooms})|[^/]+?)",
        "{view}": "(?P<view>[^/]+?)",
        "{azimuth}": r"(?P<azimuth>-?\d+)",
        "{any}": "[^/]*?",
    }
    return re.compile("".join(parts.get(part, re.escape(part)) for part in re.split(r"(\{[a-z]+\})", told.pattern)))


def _tag(word: str, told: Captions) -> str:
    text = plain(word)
    spaced = text.replace("-", " ")
    known = told.words.get(word) or _SHORT.get(text) or ALIASES.get(text) or ALIASES.get(spaced)
    return known or (text if text in ZOOMS else spaced)


def _view(found: dict[str, str], told: Captions) -> list[str] | None:
    """``from behind`` on back views, nothing on others; None when the word is not known."""
    if "view" in found:
        word = _tag(found["view"], told)
        return ["from behind"] if word in _BEHIND else [] if word in _NOT_BEHIND or word == "from front" else None
    if "azimuth" in found:
        return ["from behind"] if int(found["azimuth"]) % 360 in _FACELESS else []
    return []
