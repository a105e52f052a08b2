"""The checkout of sd-scripts that this version of lorarecipe was tested with, from ``vendor/sd-scripts.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache

from lorarecipe.files import vendor


@dataclass(frozen=True)
class Pin:
    """Where sd-scripts comes from, and what it runs on."""

    url: str
    commit: str
    exclude: tuple[str, ...]
    torch: tuple[str, ...]
    torch_index: dict[str, str]


@cache
def pin() -> Pin:
    """Read the pin."""
    raw = tomllib.loads(vendor("sd-scripts.toml").read_text("utf-8"))
    return Pin(raw["url"], raw["commit"], tuple(raw["exclude"]), tuple(raw["torch"]["packages"]), raw["torch"]["index"])
