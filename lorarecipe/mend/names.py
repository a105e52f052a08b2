"""Write captions from the names of images: what a camera list calls its shots, captions call by tags."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lorarecipe.dataset import Dataset, Group, Picture
from lorarecipe.errors import CheckFailed, printable
from lorarecipe.files import read_file
from lorarecipe.mend.change import Change
from lorarecipe.recipe import Captions
from lorarecipe.rules.names import read_name


def captions_from_names(dataset: Dataset) -> list[Change]:
    """Give the caption of every image whose phase has a pattern for names.

    A base caption holds the character's traits, ``from behind`` on back views, and the zoom; a target caption
    ``white background``, ``from behind``, the recipe's own tags, ``arms at sides`` on full-body images, and the zoom.

    Raises
    ------
    RecipeError
        When the recipe has no pattern.
    CheckFailed
        With every name that does not fit, or whose words are not known.
    """
    recipe, tables = dataset.recipe, _tables(dataset)
    if not any(tables.values()):
        message = 'missing; expected captions = { pattern = "{zoom}_{view}" } in [base] or [target]'
        raise recipe.error(("target",) if recipe.target else ("base",), message)
    changes, faults = [], []
    for group in dataset.groups:
        if table := tables[group.phase]:
            for picture, caption in _captions(group, table):
                if isinstance(caption, str):
                    faults.append(printable(f"{picture.path}:1:1: {caption}"))
                else:
                    path = picture.caption.path if picture.caption else picture.path.with_suffix(".txt")
                    before = read_file(path) if picture.caption else None
                    changes.append(Change(path, before, ", ".join(dict.fromkeys(caption)) + "\n"))
    if faults:
        raise CheckFailed("\n".join([*faults, "nothing was written"]))
    return changes


def without_pattern(dataset: Dataset) -> list[tuple[Path, str]]:
    """Give the folders whose captions are not written from names, each with its phase."""
    tables = _tables(dataset)
    return [(group.folder, group.phase) for group in dataset.groups if not tables[group.phase]]


def _tables(dataset: Dataset) -> dict[str, Captions | None]:
    recipe = dataset.recipe
    return {"base": recipe.base.captions, "target": recipe.target.captions if recipe.target else None}


def _captions(group: Group, table: Captions) -> Iterator[tuple[Picture, list[str] | str]]:
    """Give each image's tags, or what is wrong with its name."""
    for picture in group.pictures:
        name = read_name(picture.path, table)
        if name.problem or name.zoom is None:
            yield picture, name.problem or "found no zoom"
        elif _outside(picture, group):
            yield picture, "found a link out of its folder; run: lorarecipe check"
        else:
            yield picture, caption_tags(group, name.zoom, table.tags, behind=bool(name.behind))


def caption_tags(group: Group, zoom: str, tags: tuple[str, ...] = (), *, behind: bool) -> list[str]:
    """Give the tags of an image's caption, from what it shows; ``tags`` are those of every image besides."""
    view = ["from behind"] if behind else []
    if group.phase == "base":
        return [*group.traits, *view, *tags, zoom]
    upright = ["arms at sides"] if zoom == "full body" else []
    return ["white background", *view, *tags, *upright, zoom]


def _outside(picture: Picture, group: Group) -> bool:
    return picture.path in group.outside or (picture.caption is not None and picture.caption.path in group.outside)
