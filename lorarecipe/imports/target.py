"""Image folders of a source into ``[target]``: one of them is the character to learn."""

from __future__ import annotations

from pathlib import Path

from lorarecipe.imports.draft import Draft
from lorarecipe.imports.found import ImageSet, Left, Setting
from lorarecipe.imports.paths import here, images_in, is_placeholder, written
from lorarecipe.imports.source import Source

_OTHERS = (
    "a recipe trains one character: if this shows the same one, put the images into one folder; another character may "
    "be one of the base's, or have a recipe of its own"
)


def write_target(draft: Draft, source: Source, folder: Path) -> int | None:
    """Carry over the folder that has most to see, and give how many images of it an epoch has, where it is here."""
    sets = draft.found.sets
    if not sets:
        draft.decide("target.images", "the source names no folder of images; expected the renders", "renders")
        return None
    counts = [images_in(path) * one.repeats if (path := here(source, one.folder)) else 0 for one in sets]
    chosen = counts.index(max(counts))
    others = [one for index, one in enumerate(sets) if index != chosen]
    draft.left += [Left(one.key, one.folder, _OTHERS) for one in others]
    draft.left += [Left(one.repeats_key, one.repeats, _OTHERS) for one in others if one.repeats_key]
    _write(draft, source, folder, sets[chosen])
    return counts[chosen] or None


def _write(draft: Draft, source: Source, folder: Path, one: ImageSet) -> None:
    path = here(source, one.folder)
    if not path and is_placeholder(one.folder):
        draft.left.append(Left(one.key, one.folder, "it stands in place of a path"))
        draft.decide("target.images", f"{one.folder!r} stands in place of a path; expected the renders", "renders")
    else:
        setting = Setting(one.key, one.folder, "train_data_dir", one.folder)
        draft.put("target.images", written(source, one.folder, folder), setting)
        if not path:
            inside = ", and of the folders N_name in it the one of the character" if one.is_parent else ""
            message = f"found no folder {one.folder} here, expected the folder of the renders{inside}"
            draft.decide("target.images", message)
        elif not images_in(path):
            draft.decide("target.images", f"found no image in {one.folder}, expected the folder of the renders")
    repeats = Setting(one.repeats_key, one.repeats, "dataset_repeats", one.repeats) if one.repeats_key else None
    draft.put("target.repeats", max(1, one.repeats), repeats)
