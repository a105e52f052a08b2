"""What is published: the files of a repository, by their paths in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from lorarecipe.files import draft_of, write_atomic
from lorarecipe.publish.card import card_of, recipe_name
from lorarecipe.publish.recipe_text import without_folders
from lorarecipe.publish.result import Result

#: name of the model card
CARD = "README.md"
#: where a file comes from: another file, or its content
Source = Path | bytes


def files_of(result: Result, repository: str, license_id: str | None) -> dict[str, Source]:
    """Give what is published: the card, the LoRAs, samples and the recipe."""
    return {
        CARD: _encoded(card_of(result, repository, license_id)),
        **{lora.name: lora for lora in result.loras},
        **{picture.place: picture.path for picture in result.pictures},
        recipe_name(result): _encoded(without_folders(result.recipe_text)[0]),
    }


def write_files(files: Mapping[str, Source], folder: Path) -> None:
    """Write files into a new folder, all or none.

    Raises
    ------
    FileExistsError
        When the folder is there and has something in it.
    """
    if os.path.lexists(folder) and not (folder.is_dir() and not any(folder.iterdir())):
        raise FileExistsError(f"{folder} is there already, and is not overwritten")
    try:
        for name, source in files.items():
            if isinstance(source, bytes):
                write_atomic(folder / name, source)
            else:
                with draft_of(folder / name) as draft:
                    shutil.copyfile(source, draft)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # it held nothing else
        raise


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")
