"""Look into the folders that a recipe names. Reads only; nothing is decided here."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from PIL import ExifTags, Image

from lorarecipe.dataset.captions import Caption, read_caption
from lorarecipe.errors import Fault, RecipeError
from lorarecipe.files import file_digest
from lorarecipe.recipe import Recipe
from lorarecipe.weights import Folder, SafetensorsError, Weights, open_checkpoint

Image.MAX_IMAGE_PIXELS = 32_000_000  # Pillow refuses twice as many: a render has one to four million
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

#: what sd-scripts reads without a plug-in; the letter case is levelled when an image is staged
EXTENSIONS = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp"})
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP")


@dataclass(frozen=True)
class Picture:
    """An image, upright: its size is what the trainer will see."""

    path: Path
    width: int
    height: int
    digest: str
    caption: Caption | None
    problem: str | None = None


@dataclass(frozen=True)
class Group:
    """One image folder of a recipe: a character of the base, or the target."""

    phase: Literal["base", "target"]
    folder: Path
    repeats: int
    traits: tuple[str, ...]
    pictures: tuple[Picture, ...]
    strays: tuple[Path, ...]


@dataclass(frozen=True)
class Dataset:
    """All that a recipe names, as found on the disk."""

    recipe: Recipe
    base: tuple[Group, ...]
    target: Group | None
    base_weights: Weights | None = field(default=None, compare=False)
    checkpoint_weights: Weights | Folder | None = field(default=None, compare=False)

    @property
    def groups(self) -> tuple[Group, ...]:
        """Folders of both phases."""
        return (*self.base, *((self.target,) if self.target else ()))


def scan(recipe: Recipe) -> Dataset:
    """Read what a recipe names.

    The checkpoint may be missing (images and captions can be checked without it); the image folders and a
    finished base may not.

    Raises
    ------
    RecipeError
        Naming every folder and file that is not there or is not what it should be.
    """
    faults: list[Fault] = []
    folders: list[tuple[tuple[str | int, ...], Path]] = [
        (("base", "characters", index, "images"), character.images)
        for index, character in enumerate(recipe.base.characters)
    ]
    folders += [(("target", "images"), recipe.target.images)] if recipe.target else []
    for where, folder in folders:
        if not folder.is_dir():
            faults.append(recipe.fault(where, f"found {str(folder)!r}, which is not there, expected a folder"))
    base_weights = _weights(recipe, ("base", "weights"), recipe.base.weights, faults)
    checkpoint = recipe.checkpoint.path
    checkpoint_weights = _checkpoint(recipe, checkpoint, faults) if checkpoint.exists() else None
    _weights(recipe, ("checkpoint", "vae"), recipe.checkpoint.vae, faults)
    if faults:
        raise RecipeError(tuple(faults))
    base = tuple(
        _group("base", character.images, character.repeats, character.traits) for character in recipe.base.characters
    )
    target = _group("target", recipe.target.images, recipe.target.repeats, ()) if recipe.target else None
    return Dataset(recipe, base, target, base_weights, checkpoint_weights)


def _checkpoint(recipe: Recipe, path: Path, faults: list[Fault]) -> Weights | Folder | None:
    """Open the checkpoint in the form that the recipe's trainer reads."""
    where, embedded = ("checkpoint", "path"), recipe.trainer.engine == "embedded"
    if not path.is_dir() and not embedded:
        return _weights(recipe, where, path, faults)
    if path.is_dir() != embedded:
        found, wanted = ("a folder", "one .safetensors file") if path.is_dir() else ("a file", "a Diffusers folder")
        told = f'found {str(path)!r}, {found}, expected {wanted} for engine = "{recipe.trainer.engine}"'
        faults.append(recipe.fault(where, told))
        return None
    try:
        return open_checkpoint(path)
    except SafetensorsError as problem:
        faults.append(recipe.fault(where, f"found {problem}, expected a Diffusers folder of safetensors"))
        return None


def _weights(recipe: Recipe, where: tuple[str, ...], path: Path | None, faults: list[Fault]) -> Weights | None:
    if path is None:
        return None
    if path.suffix.lower() != ".safetensors":
        faults.append(recipe.fault(where, f"found {str(path)!r}, expected a .safetensors file (others can hold code)"))
        return None
    if path.exists() and not path.is_file():  # opening a pipe would wait for ever
        faults.append(recipe.fault(where, f"found {str(path)!r}, which is no file, expected a .safetensors file"))
        return None
    try:
        return Weights(path)
    except SafetensorsError as problem:
        faults.append(recipe.fault(where, f"found {problem}, expected a whole one"))
        return None


def _group(phase: Literal["base", "target"], folder: Path, repeats: int, traits: tuple[str, ...]) -> Group:
    files = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    images = [path for path in files if path.is_file() and path.suffix.lower() in EXTENSIONS]
    known = {*images, *(path.with_suffix(".txt") for path in images)}
    strays = tuple(path for path in files if path not in known)
    with ThreadPoolExecutor() as pool:  # decoding leaves Python to other threads
        return Group(phase, folder, repeats, traits, tuple(pool.map(_picture, images)), strays)


def _picture(path: Path) -> Picture:
    """Decode an image to its end: a truncated one opens without complaint."""
    told = path.with_suffix(".txt")
    caption = read_caption(told) if told.exists() else None
    try:
        with Image.open(path, formats=_FORMATS) as image:
            width, height = image.size
            if image.getexif().get(ExifTags.Base.Orientation) in (5, 6, 7, 8):  # turned by a quarter
                width, height = height, width
            image.load()
        return Picture(path, width, height, file_digest(path), caption)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as problem:
        return Picture(path, 0, 0, "", caption, f"not readable ({problem})")
