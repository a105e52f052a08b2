"""Read a source, whatever it is: a folder, a safetensors file's metadata, or a text in JSON, TOML or YAML."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml

from lorarecipe.errors import Fault, RecipeError
from lorarecipe.files import read_file
from lorarecipe.recipe.decoding import text_of
from lorarecipe.weights import SafetensorsError, Weights

#: bytes of a configuration; lists of statistics make some of them large
_LARGEST = 16_000_000
#: values of a configuration, and tables within each other: aliases of YAML make many of few
_MOST_VALUES = 50_000
_DEEPEST = 32

Form = Literal["folder", "safetensors", "JSON", "TOML", "YAML"]


@dataclass(frozen=True)
class Source:
    """What is to be imported."""

    path: Path
    form: Form
    data: object
    """What it holds: tables of a text, the metadata of a safetensors file, nothing for a folder."""
    names: frozenset[str] = frozenset()
    """Names of the tensors of a safetensors file."""

    @property
    def folder(self) -> Path:
        """The folder that its relative paths start from."""
        return self.path if self.form == "folder" else self.path.parent

    def refusal(self, message: str) -> RecipeError:
        """Give the error that says why it cannot be imported."""
        return RecipeError((Fault(self.path, 1, "", message),))


def read_source(path: Path) -> Source:
    """Read a source.

    Raises
    ------
    RecipeError
        When it cannot be read, or is neither JSON, TOML, YAML nor safetensors; with the line.
    """
    if path.is_dir():
        return Source(path, "folder", None)
    try:
        content = read_file(path, _LARGEST) if not _is_safetensors(path) else None
    except OSError as problem:
        message = f"found {str(path)!r} ({problem.strerror}), expected a configuration, a folder or a LoRA"
        raise RecipeError((Fault(path, 1, "", message),)) from problem
    if content is None:
        try:
            weights = Weights(path)
        except SafetensorsError as problem:
            raise RecipeError((Fault(path, 1, "", str(problem).removeprefix(f"{path}: ")),)) from problem
        return Source(path, "safetensors", weights.metadata, weights.names)
    form, data = _parsed(path, text_of(path, content))
    _measure(path, data)
    return Source(path, form, _clean(data))


def _is_safetensors(path: Path) -> bool:
    """Tell by the content: the length of a header, and the bracket that it begins with."""
    if path.suffix.lower() == ".safetensors":
        return True
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        head = stream.read(9)
    return head[8:] == b"{" and 2 <= int.from_bytes(head[:8], "little") <= path.stat().st_size


def _parsed(path: Path, text: str) -> tuple[Form, object]:
    """Parse a text by what it is, whatever its name ends with; a fault is that of the form which it seems to have."""
    faults: dict[str, Fault] = {}
    try:
        return "JSON", json.loads(text)
    except json.JSONDecodeError as problem:
        faults["JSON"] = Fault(path, problem.lineno, "", f"not JSON: {problem.msg}")
    except (ValueError, RecursionError) as problem:
        raise RecipeError((Fault(path, 1, "", f"not JSON: {problem}"),)) from problem
    try:
        return "TOML", tomllib.loads(text)
    except (ValueError, RecursionError) as problem:
        line = re.search(r"at line (\d+)", str(problem))
        faults["TOML"] = Fault(path, int(line[1]) if line else 1, "", f"not TOML: {problem}")
    if _seeming(path, text) != "YAML":  # YAML reads most of what was meant as JSON, and otherwise than it was meant
        raise RecipeError((faults[_seeming(path, text)],))
    try:
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark
        faults["YAML"] = Fault(path, mark.line + 1 if mark else 1, "", f"not YAML: {problem.problem}")
    except (yaml.YAMLError, ValueError, RecursionError) as problem:
        faults["YAML"] = Fault(path, 1, "", f"not YAML: {' '.join(str(problem).split())}")
    else:
        if isinstance(data, dict):
            return "YAML", data
        faults["YAML"] = Fault(path, 1, "", "not JSON, TOML or YAML: found a text without keys")
    raise RecipeError((faults["YAML"],))


def _seeming(path: Path, text: str) -> Form:
    """Tell what a text is meant to be: by its name, or else by how it begins."""
    named: dict[str, Form] = {".json": "JSON", ".toml": "TOML", ".yaml": "YAML", ".yml": "YAML"}
    return named.get(path.suffix.lower()) or ("JSON" if text.lstrip()[:1] == "{" else "YAML")


def _measure(path: Path, data: object) -> None:
    """Refuse what is too deep or too much to be a configuration."""
    layer, values = [data], 0
    for _ in range(_DEEPEST):
        layer = [
            inner
            for one in layer
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        values += len(layer)
        if values > _MOST_VALUES:
            message = f"found more than {_MOST_VALUES} values, expected the configuration of a training"
            raise RecipeError((Fault(path, 1, "", message),))
        if not layer:
            return
    message = f"found more than {_DEEPEST} tables or lists within each other, expected the configuration of a training"
    raise RecipeError((Fault(path, 1, "", message),))


def _clean(data: object) -> object:
    """Give the data with keys that are texts, and texts that can be written: JSON may hold halves of characters."""
    match data:
        case dict():
            return {_text(str(key)): _clean(value) for key, value in data.items()}
        case list() | tuple() | set():
            return [_clean(value) for value in data]
        case str():
            return _text(data)
        case bool() | int() | float() | None:
            return data
    return str(data)  # a date of TOML or YAML


def _text(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
