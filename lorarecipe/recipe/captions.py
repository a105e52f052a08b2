"""How captions are written from the names of images."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field

from lorarecipe.recipe.table import Table, Trait, example, fault

_LONGEST = 200
FIELDS = ("zoom", "view", "azimuth", "any")


def _a_pattern(text: str) -> None:
    names = re.findall(r"\{([^{}]*)\}", text)
    fields = ", ".join(f"{{{name}}}" for name in FIELDS)
    if strange := [name for name in names if name not in FIELDS]:
        raise fault(f"found {{{strange[0]}}}, expected {fields}")
    if len(text) > _LONGEST:
        raise fault(f"found a pattern of {len(text)} letters, expected {_LONGEST} at most")
    if "}{" in text or re.search(r"[{}]", re.sub(r"\{[^{}]*\}", "", text)) or not text.isprintable():
        raise fault(f"found {text!r}, expected {fields} with something between each two")
    if names.count("zoom") != 1 or names.count("view") > 1 or names.count("azimuth") > 1:
        raise fault(f"found {text!r}, expected {{zoom}} once, and {{view}} and {{azimuth}} once at most")


def _patterns(value: object) -> object:
    """Look at each of the patterns, of which there may be one or several."""
    for pattern in value if isinstance(value, list | tuple) else [value]:
        if not isinstance(pattern, str):
            raise fault(f"found {pattern!r}, expected a text, or a list of texts")
        _a_pattern(pattern)
    if not value:
        raise fault(f"found {value!r}, expected one pattern or more")
    return value


class Captions(Table):
    """How `lorarecipe caption` writes captions."""

    pattern: Annotated[
        str | Annotated[tuple[str, ...], Field(strict=False, min_length=1)],
        BeforeValidator(_patterns),
        example("{zoom}_{view}_{azimuth}"),
    ]
    """How images are named, without extension: `{zoom}_{view}_{azimuth}`; with `/`, their folders too. Or a list."""
    words: Annotated[dict[str, Trait], example({"bust": "upper body"})] = {}
    """Tags that words of the names stand for, beyond the common ones: `{ bust = "upper body" }`."""
    tags: Annotated[tuple[Trait, ...], Field(strict=False), example(["nude"])] = ()
    """Tags of every image besides: `nude` or `completely nude`, if it is so rendered."""

    @property
    def patterns(self) -> tuple[str, ...]:
        """The patterns, the one that is tried first in front."""
        return (self.pattern,) if isinstance(self.pattern, str) else self.pattern
