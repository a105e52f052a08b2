"""Kinds of sources that can be imported: one file for each, and one table."""

from __future__ import annotations

from typing import Protocol

from lorarecipe.imports import (
    ai_toolkit,
    dataset_toml,
    folders,
    gui_json,
    metadata,
    onetrainer,
    training_toml,
)
from lorarecipe.imports.found import Found
from lorarecipe.imports.lookalikes import described
from lorarecipe.imports.source import Source


class Kind(Protocol):
    """What one kind of source says of itself."""

    @property
    def TITLE(self) -> str:  # noqa: N802 - a constant of a module
        """What it is called in messages."""

    def recognises(self, source: Source) -> bool:
        """Tell by its content whether a source is of this kind."""

    def read(self, source: Source) -> Found:
        """Read a source of this kind; refuses what it was not made for with a ``RecipeError``."""


KINDS: tuple[Kind, ...] = (folders, metadata, dataset_toml, training_toml, gui_json, onetrainer, ai_toolkit)


def kind_of(source: Source) -> tuple[str, Found]:
    """Find the kind of a source, and read it.

    Raises
    ------
    RecipeError
        When it is of none; the message says what was found, and what is accepted.
    """
    for kind in KINDS:
        if kind.recognises(source):
            return kind.TITLE, kind.read(source)
    accepted = "; ".join(kind.TITLE for kind in KINDS)
    raise source.refusal(f"found {described(source)}, expected one of: {accepted}")
