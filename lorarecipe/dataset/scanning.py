"""Look into the folders that a recipe names. Reads only; nothing is decided here."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lorarecipe.dataset.captions import Caption, plain, read_caption
from lorarecipe.dataset.limits import pixels_limited
from lorarecipe.dataset.memory import Memory
from lorarecipe.dataset.picture import EXTENSIONS, Measured, Picture, Problem, read_image
from lorarecipe.engines import ENGINES
from lorarecipe.errors import Fault, RecipeError
from lorarecipe.files import Stamp, stamp_of
from lorarecipe.recipe import Recipe
from lorarecipe.weights import Folder, SafetensorsError, Weights, open_checkpoint

#: seconds that a thread keeps Python to itself while images are measured; by default it is fifty times as long
_TURN = 0.0001
#: the folder, how many of its images are measured, and how many it has
OnImage = Callable[[Path, int, int], None]


@dataclass(frozen=True)
class Group:
    """One image folder of a recipe: a character of the base, or one of the target's."""

    phase: Literal["base", "target"]
    folder: Path
    repeats: int
    traits: tuple[str, ...]
    pictures: tuple[Picture, ...]
    strays: tuple[Path, ...]
    outside: tuple[Path, ...] = ()
    """Images and captions that are links out of the folder; nothing is read through them."""


@dataclass(frozen=True)
class Dataset:
    """All that a recipe names, as found on the disk."""

    recipe: Recipe
    base: tuple[Group, ...]
    target: tuple[Group, ...]
    """The target's folders; none in the recipe of a base."""
    base_weights: Weights | None = field(default=None, compare=False)
    checkpoint_weights: Weights | Folder | None = field(default=None, compare=False)

    @property
    def groups(self) -> tuple[Group, ...]:
        """Folders of both phases."""
        return (*self.base, *self.target)


#: groups by all that they are read with: phase, folder, repeats, traits, and tags that are not cut
Known = dict[tuple[Literal["base", "target"], Path, int, tuple[str, ...], frozenset[str]], Group]


def _nothing(folder: Path, done: int, of: int) -> None:
    """Do nothing."""


def scan(recipe: Recipe, on_image: OnImage = _nothing, known: Known | None = None) -> Dataset:
    """Read what a recipe names.

    The checkpoint may be missing (images and captions can be checked without it); the image folders and a
    finished base may not.

    Parameters
    ----------
    recipe
        The recipe.
    on_image
        Called after each image that is measured, with its folder, the count so far, and the count in all.
    known
        Folders that were read for other recipes, as those of a base that they share; takes those of this one too.

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
    parts = recipe.target.parts if recipe.target else ()
    folders += [(where, folder) for where, folder, _ in parts]
    for where, folder in folders:
        if not folder.is_dir():
            faults.append(recipe.fault(where, f"found {str(folder)!r}, which is not there, expected a folder"))
    base_weights = _weights(recipe, ("base", "weights"), recipe.base.weights, faults)
    checkpoint = recipe.checkpoint.path
    awaited = checkpoint in recipe.remotes
    checkpoint_weights = _checkpoint(recipe, checkpoint, faults) if awaited or checkpoint.exists() else None
    _weights(recipe, ("checkpoint", "vae"), recipe.checkpoint.vae, faults)
    if faults:
        raise RecipeError(tuple(faults))
    whole, known = frozenset(map(plain, recipe.tags)), {} if known is None else known

    def read(phase: Literal["base", "target"], folder: Path, repeats: int, traits: tuple[str, ...] = ()) -> Group:
        key = (phase, folder, repeats, traits, whole)
        if key not in known:
            known[key] = read_group(*key, on_image)
        return known[key]

    base = tuple(read("base", one.images, one.repeats, one.traits) for one in recipe.base.characters)
    target = tuple(read("target", folder, repeats) for _, folder, repeats in parts)
    return Dataset(recipe, base, target, base_weights, checkpoint_weights)


def _checkpoint(recipe: Recipe, path: Path, faults: list[Fault]) -> Weights | Folder | None:
    """Open the checkpoint in the form that the recipe's trainer reads."""
    where, folders = ("checkpoint", "path"), ENGINES[recipe.trainer.engine].READS_FOLDERS
    remote = recipe.remotes.get(path)
    is_folder = remote.is_folder if remote else path.is_dir()
    if not is_folder and not folders:
        return _weights(recipe, where, path, faults)
    if is_folder != folders:
        found, wanted = ("a folder", "one .safetensors file") if is_folder else ("a file", "a Diffusers folder")
        name = str(remote.address if remote else path)
        message = f'found {name!r}, {found}, expected {wanted} for engine = "{recipe.trainer.engine}"'
        faults.append(recipe.fault(where, message))
        return None
    if remote and not path.exists():  # a run fetches it
        return None
    try:
        folder = open_checkpoint(path)
        for part in folder.parts.values() if isinstance(folder, Folder) else ():
            _readable(part)
        return folder
    except SafetensorsError as problem:
        faults.append(recipe.fault(where, f"found {problem}, expected a Diffusers folder of safetensors"))
        return None


def _weights(recipe: Recipe, where: tuple[str, ...], path: Path | None, faults: list[Fault]) -> Weights | None:
    if path is None:
        return None
    remote = recipe.remotes.get(path)
    if path.suffix.lower() != ".safetensors":
        name = str(remote.address if remote else path)
        message = f"found {name!r}, expected a .safetensors file (others can hold code); run: lorarecipe convert"
        faults.append(recipe.fault(where, message))
        return None
    if remote and remote.is_folder:
        faults.append(recipe.fault(where, f"found {str(remote.address)!r}, a folder, expected a .safetensors file"))
        return None
    if remote and not path.exists():  # a run fetches it
        return None
    if path.exists() and not path.is_file():  # opening a pipe would wait for ever
        faults.append(recipe.fault(where, f"found {str(path)!r}, which is no file, expected a .safetensors file"))
        return None
    try:
        return _readable(Weights(path))
    except SafetensorsError as problem:
        faults.append(recipe.fault(where, f"found {problem}, expected a whole one"))
        return None


def _readable(weights: Weights) -> Weights:
    if weights.unreadable:
        found = ", ".join(sorted(weights.unreadable))
        raise SafetensorsError(f"{weights.path}: holds {found}; expected F16, BF16 or F32 (get the full checkpoint)")
    return weights


def read_group(
    phase: Literal["base", "target"],
    folder: Path,
    repeats: int = 1,
    traits: tuple[str, ...] = (),
    whole: frozenset[str] = frozenset(),
    on_image: OnImage = _nothing,
) -> Group:
    """Read a folder of images and their captions; ``whole`` are tags that are not cut, whatever they hold."""
    with os.scandir(folder) as entries:
        found = {entry.name: entry for entry in entries if not entry.name.startswith(".")}
    parts = {name: os.path.splitext(name) for name in found}  # noqa: PTH122 - pathlib takes five times as long
    images = [name for name in sorted(found) if parts[name][1].lower() in EXTENSIONS and _is_file(found[name])]
    # one and the same name may be written with accents of their own, as macOS does, or without
    composed = {unicodedata.normalize("NFC", name): name for name in found}
    captions = {name: composed.get(unicodedata.normalize("NFC", f"{parts[name][0]}.txt")) for name in images}
    strays = sorted(found.keys() - {*images, *captions.values()})
    home = os.path.realpath(folder)
    outside = {name for name in (*images, *filter(None, captions.values())) if _leads_out(found[name], home)}
    stamps = {name: stamp_of(found[name].stat()) for name in images if name not in outside}
    measured: dict[str, Measured | Problem] = {**_measured(folder, stamps, on_image)}
    measured |= dict.fromkeys(outside.intersection(images), Problem("outside", "a link out of the folder"))

    def caption(name: str | None) -> Caption | None:
        if name is None:
            return None
        return Caption(folder / name, ()) if name in outside else read_caption(folder / name, whole)

    pictures = tuple(_picture(folder / name, caption(file), measured[name]) for name, file in captions.items())
    paths = (tuple(folder / name for name in names) for names in (strays, sorted(outside)))
    return Group(phase, folder, repeats, traits, pictures, *paths)


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # links that lead to each other
        return False


def _leads_out(entry: os.DirEntry[str], home: str) -> bool:
    return entry.is_symlink() and not Path(os.path.realpath(entry.path)).is_relative_to(home)


def _measured(folder: Path, stamps: dict[str, Stamp], on_image: OnImage) -> dict[str, Measured | Problem]:
    """Measure what is not remembered."""
    memory = Memory(folder)
    known = {name: memory.recall(name, stamp) for name, stamp in stamps.items()}
    fresh = [name for name, remembered in known.items() if not remembered]
    measured: dict[str, Measured | Problem] = {name: found for name, found in known.items() if found}
    # decoding leaves Python to other threads; one more than there are cores decodes while another waits for its turn
    with pixels_limited(), _short_turns(), ThreadPoolExecutor((os.cpu_count() or 1) + 1) as pool:
        for name, found in zip(fresh, pool.map(lambda name: read_image(folder / name), fresh), strict=True):
            measured[name] = found
            on_image(folder, len(measured), len(stamps))
            if isinstance(found, Measured):
                memory.keep(name, stamps[name], found)
    memory.write()
    return measured


@contextmanager
def _short_turns() -> Iterator[None]:
    """Have threads wait less for each other: an image is decoded in pieces, and after each piece a thread waits."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(_TURN)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _picture(path: Path, caption: Caption | None, measured: Measured | Problem) -> Picture:
    if isinstance(measured, Problem):
        return Picture(path, 0, 0, "", caption, problem=measured)
    return Picture(path, measured.width, measured.height, measured.digest, caption, measured.look)
