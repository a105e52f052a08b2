"""Values as other programs write them: numbers as texts, truth values as texts, nothing as an empty text."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Literal

#: keys whose values are nobody's business
_SECRET = re.compile(r"(^|_|\.)token$|api_?key|password|secrets?\.|key_file", re.IGNORECASE)
HIDDEN = "(not shown)"
_TRUTH = {"true": True, "false": False}


def is_unset(value: object) -> bool:
    """Tell whether a value is how nothing is written: null, or an empty text, list or table."""
    return value is None or (isinstance(value, str | list | dict) and not value)


def is_off(value: object) -> bool:
    """Tell whether a value is how most settings are turned off: a flag that is not set, or 0."""
    return value is False or number(value) == 0


def number(value: object) -> int | float | None:
    """Read a number, also from a text; None where it is no finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        read = float(value)
        if not math.isfinite(read):
            return None
        # a count may be written as 1.0
        return int(read) if read.is_integer() and abs(read) < 2**53 else read
    except (ValueError, OverflowError):
        return None


def as_option(value: object, kind: Literal["flag", "int", "float", "str"]) -> object:
    """Give a value as sd-scripts has it for an option of this kind; what cannot be read so stays as it is."""
    if kind == "flag":
        return _TRUTH.get(value.lower(), value) if isinstance(value, str) else value
    if kind == "str":
        return value
    read = number(value)
    return value if read is None else read


def words(value: object) -> list[str]:
    """Give the items of a list, or of a text that has spaces between them; quotes round an item are taken off."""
    if isinstance(value, str):
        return [re.sub(r"[\"']", "", word) for word in re.findall(r"(?:[^\s\"']|\"[^\"]*\"|'[^']*')+", value)]
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def shown(key: str, value: object) -> object:
    """Give what may be shown of a value: secrets are not."""
    return HIDDEN if _SECRET.search(key) and isinstance(value, str) else value


def flat(value: object, prefix: str = "") -> Iterator[tuple[str, object]]:
    """Give what tables and lists of tables hold, each value with its dotted key."""
    items: list[tuple[str, object]]
    if isinstance(value, Mapping) and value:
        items = [(f"{prefix}.{name}" if prefix else str(name), inner) for name, inner in value.items()]
    elif isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
        items = [(f"{prefix}[{index}]", inner) for index, inner in enumerate(value)]
    else:
        yield prefix, value
        return
    for name, inner in items:
        yield from flat(inner, name)


def at(value: object, *keys: str) -> object:
    """Give what stands at a path of keys; None where there is nothing."""
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def parsed_json(text: str | None) -> object:
    """Read a text of JSON; None where it is none."""
    try:
        return json.loads(text or "null")
    except (ValueError, RecursionError):
        return None
