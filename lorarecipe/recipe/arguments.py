"""What a field of a recipe becomes for the trainer: said once, in the field's own annotation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel

T = TypeVar("T")


def _as_it_is(value: object) -> object:
    return value


@dataclass(frozen=True)
class Argument:
    """An argument of the trainer's command line; ``write`` gives its value, None where it is left out."""

    name: str
    write: Callable[..., object] = _as_it_is


@dataclass(frozen=True)
class DatasetKey:
    """A key of the trainer's dataset TOML; ``option`` is the argument of the same meaning, if it is named otherwise."""

    name: str
    option: str = ""


def arguments_of(table: BaseModel) -> dict[str, object]:
    """Give the arguments that a table's fields become, with their values."""
    return {one.name: one.write(getattr(table, field)) for field, one in _annotations(type(table), Argument)}


def dataset_keys_of(table: BaseModel) -> dict[str, object]:
    """Give the keys of the dataset TOML that a table's fields become, with their values."""
    values = {one.name: getattr(table, field) for field, one in _annotations(type(table), DatasetKey)}
    return {name: [*value] if isinstance(value, tuple) else value for name, value in values.items()}


def options_of(table: type[BaseModel], prefix: str = "") -> dict[str, str]:
    """Give the trainer's options that a table's fields set: option to the key of the recipe."""
    keys = {one.option or one.name: f"{prefix}{field}" for field, one in _annotations(table, DatasetKey)}
    return keys | {one.name: f"{prefix}{field}" for field, one in _annotations(table, Argument)}


def _annotations(table: type[BaseModel], kind: type[T]) -> Iterator[tuple[str, T]]:
    for field, about in table.model_fields.items():
        yield from ((field, one) for one in about.metadata if isinstance(one, kind))
