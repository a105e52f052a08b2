"""Paths of a source: whether they are here, and how a recipe in another folder writes them."""

from __future__ import annotations

import re
from pathlib import Path, PureWindowsPath

from lorarecipe.dataset import EXTENSIONS
from lorarecipe.imports.found import ImageSet
from lorarecipe.imports.source import Source
from lorarecipe.recipe.writing import relative_path

_HUB = re.compile(r"[\w.-]+/[\w.-]+")
#: what stands where somebody is to write a path
_PLACEHOLDER = re.compile(r"\.{3,}$|[<>{}\[\]]|\$\w|path/to/|\bhere$|^(?:your|my)[ _-]", re.IGNORECASE)
_NUMBERED = re.compile(r"(\d+)_(.*)", re.DOTALL)


def here(source: Source, text: str) -> Path | None:
    """Give the path that a text of the source means, where there is something."""
    forms = dict.fromkeys([text, PureWindowsPath(text).as_posix()])
    return next((path for form in forms if (path := _found(source, form))), None)


def _found(source: Source, form: str) -> Path | None:
    try:
        path = source.folder / Path(form).expanduser()
        return path if path.exists() else None
    except (OSError, ValueError, RuntimeError):  # not a path at all, or one of a user who is not known here
        return None


def written(source: Source, text: str, folder: Path) -> str:
    """Write a path for a recipe in ``folder``: relative ones start from there, and all have slashes."""
    windows = PureWindowsPath(text)
    form = windows.as_posix() if "\\" in text and not _found(source, text) else text
    if not windows.drive and not form.startswith(("/", "~")):
        form = relative_path(source.folder.resolve() / form, folder.resolve())
    return form.encode("utf-8", "replace").decode()  # a name on a disk need not be text


def is_placeholder(text: str) -> bool:
    """Tell whether a path is where somebody was to write one."""
    return bool(_PLACEHOLDER.search(text.strip()))


def is_hub_name(text: str) -> bool:
    """Tell whether a checkpoint is named as a hub names models."""
    return bool(_HUB.fullmatch(text)) and not text.endswith((".safetensors", ".ckpt", ".pt")) and text[0] != "."


def numbered(name: str) -> tuple[int, str]:
    """Read the repeats of a folder's name: ``10_akane`` -> 10 and ``akane``; without a number, 1."""
    found = _NUMBERED.fullmatch(name)
    return (int(found[1]) or 1, found[2]) if found and len(found[1]) < 7 else (1, name)


def is_numbered(name: str) -> bool:
    """Tell whether a folder's name begins with repeats."""
    return bool(_NUMBERED.fullmatch(name))


def images_in(folder: Path) -> int:
    """Count the images of a folder."""
    try:
        return sum(path.suffix.lower() in EXTENSIONS for path in folder.iterdir())
    except OSError:
        return 0


def sets_of(source: Source, key: str, text: str) -> list[ImageSet]:
    """Give the image folders of a ``train_data_dir``: the folders ``N_name`` in it, or itself where it is one.

    sd-scripts reads the folders in it alone. To name one of them is a common mistake, whose meaning is clear.
    """
    name = PureWindowsPath(text).name
    folder = here(source, text)
    inside = (
        sorted(path for path in folder.iterdir() if path.is_dir() and is_numbered(path.name))
        if (folder and folder.is_dir())
        else []
    )
    if inside:
        joined = text.rstrip("/\\")
        return [
            ImageSet(key, f"{joined}/{path.name}" if joined else path.name, numbered(path.name)[0]) for path in inside
        ]
    return [ImageSet(key, text, numbered(name)[0], is_parent=not folder and not is_numbered(name))]
