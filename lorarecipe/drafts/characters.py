"""Find the folders of characters, and which of them are a base's."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lorarecipe.dataset import EXTENSIONS
from lorarecipe.imports.paths import numbered

#: folders whose name says what the characters in them are for
_BASE = {"base", "bases", "ベース", "土台"}
_TARGET = {"target", "targets", "main", "ターゲット", "本番"}
#: a folder of results, not of renders
_RESULTS = "run.json"


@dataclass(frozen=True)
class Character:
    """A folder that holds images of one character."""

    folder: Path
    name: str
    """The folder's name, without the number of repeats before it; of two alike, with the folder above."""
    repeats: int
    """Of ``10_akane``, as kohya's tools read it, 10; of other names 1."""


def find_characters(root: Path) -> list[Character]:
    """Find every folder under ``root``, and itself, that holds images; hidden folders and results are left out."""
    folders = []
    for path, inner, files in os.walk(root):
        if _RESULTS in files:
            inner.clear()
            continue
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        if any(not name.startswith(".") and Path(name).suffix.lower() in EXTENSIONS for name in files):
            folders.append(Path(path))
    return [
        Character(folder, name, numbered(folder.absolute().name)[0])
        for folder, name in zip(folders, _names(folders), strict=True)
    ]


def parted(
    root: Path, characters: Sequence[Character], named: Sequence[str] = ()
) -> tuple[list[Character], list[Character]] | None:
    """Part the characters into those of the base and the targets.

    Parameters
    ----------
    root
        The folder that they were found in.
    characters
        What ``find_characters`` gave.
    named
        Names or paths of the targets, as an author gives them.

    Returns
    -------
    tuple or None
        Characters of the base, and targets. None where neither ``named`` nor the folders' names say which are which.
    """
    if named:
        targets = [one for one in characters if one.name in named or any(_is(one, root, name) for name in named)]
    else:
        targets = [one for one in characters if _among(one, root, _TARGET)]
        if not targets and (base := [one for one in characters if _among(one, root, _BASE)]):
            targets = [one for one in characters if one not in base]
    if not targets:
        return None
    return [one for one in characters if one not in targets], targets


def _is(character: Character, root: Path, name: str) -> bool:
    return character.folder.name == name or character.folder.absolute() in {
        Path(name).absolute(),
        (root / name).absolute(),
    }


def _among(character: Character, root: Path, names: set[str]) -> bool:
    return not names.isdisjoint(part.lower() for part in character.folder.relative_to(root).parts)


def _names(folders: Sequence[Path]) -> list[str]:
    """Name each folder by itself, and those that are named alike by the folders above them too."""
    parts = [[numbered(part)[1] or part for part in folder.absolute().parts] for folder in folders]
    depths = [1] * len(folders)
    while True:
        names = ["-".join(part[-depth:]) for part, depth in zip(parts, depths, strict=True)]
        often = Counter(names)
        deeper = [
            min(depth + 1, len(part)) if often[name] > 1 else depth
            for name, part, depth in zip(names, parts, depths, strict=True)
        ]
        if deeper == depths:
            return names
        depths = deeper
