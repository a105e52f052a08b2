"""Tables of a recipe that say which character is learned, or which of several."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from lorarecipe.recipe.captions import Captions
from lorarecipe.recipe.lines import Where
from lorarecipe.recipe.naming import LIKE_A_NAME, a_file_name
from lorarecipe.recipe.table import Count, RecipePath, Table, Trait, example, fault, shape
from lorarecipe.recipe.training import Training


class TargetFolder(Table):
    """One of several folders of the character to learn."""

    images: Annotated[RecipePath, example("renders/akane/winter")]
    """Folder of renders, a caption beside each."""
    repeats: Annotated[Count, example(10)] = 1
    """Times each image is seen in an epoch."""


class Target(Table):
    """The character to learn."""

    images: Annotated[RecipePath | None, example("renders/akane")] = None
    """Folder of its renders, a caption beside each; or `[[target.folders]]`."""
    repeats: Annotated[Count, example(10)] = 1
    """Times each image is seen in an epoch."""
    folders: Annotated[
        tuple[TargetFolder, ...], Field(strict=False), example([{"images": "renders/akane/winter", "repeats": 2}])
    ] = ()
    """Several folders in place of `images` and `repeats`, each with its own repeats: outfits, zooms, smaller copies."""
    allow: Annotated[
        dict[str, Annotated[tuple[Trait, ...], Field(strict=False)]], example({"sword_*": ["holding sword"]})
    ] = {}
    """Tags beyond the closed list, for images whose name fits a pattern: `{ "sword_*" = ["holding sword"] }`."""
    captions: Annotated[Captions | None, example({"pattern": "{zoom}_{view}_{azimuth}"})] = None
    """How `lorarecipe caption` writes captions."""
    training: Annotated[Training, example({"epochs": 12})]
    """How the target is trained."""

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.images is None) != bool(self.folders):
            found = "both images and folders" if self.folders else "neither images nor folders"
            raise fault(f"found {found}, expected one of: images, [[target.folders]]")
        if self.folders and "repeats" in self.model_fields_set:
            raise fault("found repeats beside [[target.folders]], expected them in each folder")
        paths = [folder.images for folder in self.folders]
        if twins := {path for path in paths if paths.count(path) > 1}:
            raise fault(f"found two folders with the images of {min(twins)}, expected each once")
        return self

    @property
    def parts(self) -> tuple[tuple[Where, Path, int], ...]:
        """Its folders, each with its key and its repeats."""
        if self.images is not None:
            return ((("target", "images"), self.images, self.repeats),)
        return tuple(
            (("target", "folders", index, "images"), folder.images, folder.repeats)
            for index, folder in enumerate(self.folders)
        )

    @property
    def place(self) -> Where:
        """Key of all that it shows."""
        return ("target", "images" if self.images is not None else "folders")


class Listed(Table):
    """One character of a list: a recipe of its own, with all that stands here put over the rest of the file."""

    model_config = ConfigDict(extra="allow")

    name: Annotated[str, AfterValidator(a_file_name), shape(pattern=LIKE_A_NAME), example("akane")]
    """Name of its result; any other key of a recipe may stand beside it, as `target.training.epochs`."""
    images: Annotated[RecipePath | None, example("renders/akane")] = None
    """Folder of its renders: its `target.images`."""
