"""How captions are written from the names of images."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from lorarecipe.recipe.table import Table, Trait, example, fault

_LONGEST = 200
FIELDS = ("zoom", "view", "azimuth", "any")


def _a_pattern(text: str) -> str:
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
    return text


class Captions(Table):
    """How `lorarecipe caption` writes captions."""

    pattern: Annotated[str, AfterValidator(_a_pattern), example("{zoom}_{view}_{azimuth}")]
    """How images are named, without extension: `{zoom}_{view}_{azimuth}`; with `/`, their folders too."""
    words: Annotated[dict[str, Trait], example({"bust": "upper body"})] = {}
    """Tags that words of the names stand for, beyond the common ones: `{ bust = "upper body" }`."""
    tags: Annotated[tuple[Trait, ...], Field(strict=False), example(["nude"])] = ()
    """Tags of every image besides: `nude` or `completely nude`, if it is so rendered."""
