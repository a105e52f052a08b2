"""A tree of folders ``N_name``, as sd-scripts reads its ``train_data_dir``; or one folder of images."""

from __future__ import annotations

from lorarecipe.imports.found import Found, ImageSet, Left
from lorarecipe.imports.paths import images_in, is_numbered, numbered, sets_of
from lorarecipe.imports.source import Source

TITLE = "a folder of images, or of folders N_name"


def recognises(source: Source) -> bool:
    """Look for images, or for folders that begin with a number."""
    if source.form != "folder":
        return False
    inside = (one for one in source.path.iterdir() if one.is_dir())
    return bool(images_in(source.path)) or any(is_numbered(one.name) for one in inside)


def read(source: Source) -> Found:
    """Take each folder with the repeats of its name; the rest of the name is no caption here."""
    path = source.path.resolve()
    found = Found(name=numbered(path.name)[1], trains=False)
    found.sets = [
        one if one.folder != "." else ImageSet("folder", ".", numbered(path.name)[0])
        for one in sets_of(source, "folder", ".")
    ]
    for one in found.sets:
        name = (path / one.folder).name
        if is_numbered(name):
            reason = "the method has no trigger word: captions are in the files beside the images, and no folder's name"
            found.left.append(Left(f"name of {name}", numbered(name)[1], reason))
    return found
