"""Stand-ins for renders: the demo world's figures as 3D renders, a caption beside each."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from PIL import Image, ImageOps

from lorarecipe.demo import HAIR, NANO, Figure, draw, write_kit

#: no character of a base has it
BLONDE = (222, 178, 98)
_ZOOMS = {"full": "full body", "upper": "upper body"}
_VIEWS = {"front": "front", "back": "from behind"}

#: shot -> size in pixels
SHOTS = {"full_front": (96, 160), "full_back": (96, 160), "upper_front": (128, 128), "upper_back": (112, 96)}
#: a hairstyle of many -> the world's nearest
_STYLES = {"very long hair": "long hair"}
STYLES = ("short hair", "long hair", "very long hair", "ponytail", "twintails")


@cache
def shoot(hair: str, style: str, shot: str, size: tuple[int, int]) -> Image.Image:
    """Draw one figure, whole, in a frame of a size; each call gives the same image, so draw on a copy of it."""
    zoom, view = shot.split("_")
    figure = Figure(hair if hair in HAIR else BLONDE, _STYLES.get(style, style), view=_VIEWS[view], zoom=_ZOOMS[zoom])
    return ImageOps.pad(draw(figure, "3d", 160), size, color="white")


@cache
def _drawn() -> Path:
    """Write the demo, once in a process; it is gone when that ends."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    write_kit(folder)
    return folder


def demo_renders(folder: Path) -> None:
    """Fill a folder with the demo's renders."""
    for character in (_drawn() / "demo").iterdir():
        if character.name != NANO.name:
            shutil.copytree(character, folder / character.name, copy_function=shutil.copy, dirs_exist_ok=True)


def demo_kit(folder: Path) -> None:
    """Fill a folder with what `lorarecipe demo` writes."""
    shutil.copytree(_drawn(), folder, copy_function=shutil.copy, dirs_exist_ok=True)


def caption(shot: str, traits: tuple[str, ...] | None) -> str:
    """Give the caption of a base character with these traits, or of the target."""
    zoom, view = shot.split("_")
    tags = list(traits) if traits is not None else ["white background"]
    tags += ["from behind"] if view == "back" else []
    tags += ["arms at sides"] if traits is None and zoom == "full" else []
    return ", ".join([*tags, _ZOOMS[zoom]])


def character(folder: Path, hair: str, style: str, traits: tuple[str, ...] | None, scale: int = 1) -> None:
    """Fill a folder with one character, each side ``scale`` times as long; the target has no traits in its captions."""
    folder.mkdir(parents=True, exist_ok=True)
    for shot, size in SHOTS.items():
        shoot(hair, style, shot, (size[0] * scale, size[1] * scale)).save(folder / f"{shot}.png")
        (folder / f"{shot}.txt").write_text(caption(shot, traits) + "\n", encoding="utf-8")
