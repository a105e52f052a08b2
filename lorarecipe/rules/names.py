"""Read what the names of images say: zoom and view, by the recipe's pattern or by common words.

`lorarecipe caption` writes captions from this reading, and the check compares captions with it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lorarecipe.dataset import plain
from lorarecipe.recipe import Captions
from lorarecipe.rules.vocabulary import ALIASES, ZOOMS

_SHORT = {
    "full": "full body",
    "whole": "full body",
    "upper": "upper body",
    "bust": "upper body",
    "cowboy": "cowboy shot",
    "close": "close-up",
    "face": "close-up",
    "全身": "full body",
    "上半身": "upper body",
    "バストアップ": "upper body",
    "膝上": "cowboy shot",
    "顔": "close-up",
    "顔アップ": "close-up",
}
_BEHIND = {"back", "behind", "rear", "from behind", "後ろ", "後", "背面", "背後", "後ろ姿"}
_NOT_BEHIND = {
    *("front", "side", "left", "right", "quarter", "three quarter", "profile", "straight", "from front"),
    *("前", "正面", "横", "側面", "左", "右", "斜め", "横顔"),
}
#: words that say the view wherever they stand in a name without a pattern
_ANYWHERE = {True: {"back", "behind"}, False: {"front", "side"}}
#: degrees from the front at which no face is seen
_FACELESS = range(135, 226)


@dataclass(frozen=True)
class Name:
    """What an image's name says; ``problem`` is set where it does not fit the pattern, or has an unknown word."""

    zoom: str | None = None
    behind: bool | None = None
    """Whether it is a view from behind; None where the name says nothing of the view."""
    problem: str | None = None
    azimuth: int | None = None
    """Degrees from the front, where the name has them."""


def read_name(path: Path, captions: Captions | None) -> Name:
    """Read an image's name.

    Parameters
    ----------
    path
        The image. Where the pattern holds ``/``, the folders above it are read too.
    captions
        The recipe's table for the image's phase; None where it has none, so that only the view is read, from the words
        ``back``, ``behind``, ``front`` and ``side``.
    """
    if captions is None:
        words = set(re.split(r"[^a-z]+", path.stem.lower()))
        return Name(behind=next((behind for behind, known in _ANYWHERE.items() if words & known), None))
    patterns = [(_Pattern(text, captions), _part(path, text.count("/") + 1)) for text in captions.patterns]
    ways = ((pattern, name, strict) for strict in (True, False) for pattern, name in patterns)
    found = next((fields for pattern, name, strict in ways if (fields := pattern.match(name, strict=strict))), None)
    if found is None:
        wanted = " or ".join(map(repr, captions.patterns))
        return Name(problem=f"found the name {patterns[0][1]!r}, expected {wanted}")
    zoom, view = _tag(found["zoom"], captions), found.get("view")
    behind = _is_behind(_tag(view, captions)) if view is not None else None
    if zoom not in ZOOMS:
        return Name(problem=f"found {found['zoom']!r} for a zoom, expected it in captions.words")
    if view is not None and behind is None:
        return Name(problem=f"found {view!r} for a view, expected it in captions.words")
    azimuth = int(found["azimuth"]) if "azimuth" in found else None
    if view is None and azimuth is not None:
        behind = azimuth % 360 in _FACELESS
    return Name(zoom, behind, azimuth=azimuth)


def _part(path: Path, depth: int) -> str:
    """Give the end of an image's path, without extension: its name, and as many folders above it as are asked for."""
    return unicodedata.normalize("NFC", "/".join((path.absolute().parent / path.stem).parts[-depth:]))


def _tag(word: str, captions: Captions) -> str:
    text = plain(word)
    spaced = text.replace("-", " ")
    known = captions.words.get(word) or _SHORT.get(text) or ALIASES.get(text) or ALIASES.get(spaced)
    return known or (text if text in ZOOMS else spaced)


def _is_behind(tag: str) -> bool | None:
    return True if tag in _BEHIND else False if tag in _NOT_BEHIND else None


class _Pattern:
    """A pattern whose fields stand between literals; the time to match is bounded by the square of a name's length."""

    def __init__(self, pattern: str, captions: Captions) -> None:
        self._captions = captions
        self._parts = [part for part in re.split(r"(\{[a-z]+\})", pattern) if part]

    def match(self, name: str, *, strict: bool) -> dict[str, str] | None:
        """Give the fields of a name; with ``strict``, zoom and view are words that are known."""
        dead: set[tuple[int, int]] = set()  # from here on nothing fits: it is not tried again

        def walk(index: int, at: int) -> dict[str, str] | None:
            if index == len(self._parts):
                return {} if at == len(name) else None
            if (index, at) in dead:
                return None
            part = self._parts[index]
            if not part.startswith("{"):
                found = walk(index + 1, at + len(part)) if name.startswith(part, at) else None
            else:
                found = None
                for end in self._ends(index, name, at):
                    text = name[at:end]
                    if self._fits(part[1:-1], text, strict=strict) and (rest := walk(index + 1, end)) is not None:
                        found = {part[1:-1]: text, **rest}
                        break
            if found is None:
                dead.add((index, at))
            return found

        return walk(0, 0)

    def _ends(self, index: int, name: str, at: int) -> Iterable[int]:
        """Give where a field may end, nearest first; of a zoom or a view farthest first, as it may be two words."""
        ends = [*self._ends_of(index, name, at)]
        return ends if self._parts[index] in {"{any}", "{azimuth}"} else reversed(ends)

    def _ends_of(self, index: int, name: str, at: int) -> Iterator[int]:
        last = name.find("/", at) if "/" in name[at:] else len(name)
        if index + 1 == len(self._parts):
            yield from [len(name)] if last == len(name) else []
            return
        end = name.find(self._parts[index + 1], at)
        while 0 <= end <= last:
            yield end
            end = name.find(self._parts[index + 1], end + 1)

    def _fits(self, field: str, text: str, *, strict: bool) -> bool:
        if field == "any":
            return True
        if field == "azimuth":
            return re.fullmatch(r"-?\d+", text) is not None
        if not strict:
            return bool(text)
        tag = _tag(text, self._captions)
        return tag in ZOOMS if field == "zoom" else _is_behind(tag) is not None
