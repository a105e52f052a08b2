"""Draw small stand-ins for renders: a figure on white, a caption beside it."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

HAIR = {
    "red hair": (200, 40, 40),
    "green hair": (50, 150, 60),
    "blue hair": (50, 80, 190),
    "white hair": (225, 225, 235),
    "black hair": (25, 25, 30),
    "blonde hair": (235, 210, 110),
}
LONG = frozenset({"long hair", "very long hair", "twintails", "ponytail"})

#: shot -> size in pixels
SHOTS = {"full_front": (96, 160), "full_back": (96, 160), "upper_front": (128, 128), "close_front": (112, 96)}
_ZOOM = {"full": "full body", "upper": "upper body", "close": "close-up"}


def draw(hair: tuple[int, int, int], long: bool, shot: str, size: tuple[int, int]) -> Image.Image:
    """Draw one figure; the zoom is how far down the frame reaches."""
    zoom, view = shot.split("_")
    image = Image.new("RGB", (200, 330), "white")
    pen = ImageDraw.Draw(image)
    if long:
        pen.rounded_rectangle((65, 40, 135, 170), 20, fill=hair)
    pen.rectangle((85, 190, 97, 310), fill=(240, 205, 180))
    pen.rectangle((103, 190, 115, 310), fill=(240, 205, 180))
    pen.polygon([(80, 100), (120, 100), (132, 200), (68, 200)], fill=(235, 200, 175))
    pen.line((80, 105, 66, 190), fill=(240, 205, 180), width=10)
    pen.line((120, 105, 134, 190), fill=(240, 205, 180), width=10)
    pen.ellipse((70, 30, 130, 95), fill=(245, 212, 188))
    pen.pieslice((66, 24, 134, 100), 180 if view == "front" else 0, 360, fill=hair)
    bottom = {"full": 330, "upper": 190, "close": 110}[zoom]
    cropped = image.crop((0, 0, 200, bottom))
    cropped.thumbnail(size)
    frame = Image.new("RGB", size, "white")
    frame.paste(cropped, ((size[0] - cropped.width) // 2, size[1] - cropped.height))
    return frame


def caption(shot: str, traits: tuple[str, ...] | None) -> str:
    """Give the caption of a base character with these traits, or of the target."""
    zoom, view = shot.split("_")
    tags = list(traits) if traits is not None else ["white background", "nude"]
    tags += ["from behind"] if view == "back" else []
    tags += ["arms at sides"] if traits is None and zoom == "full" else []
    return ", ".join([*tags, _ZOOM[zoom]])


def character(folder: Path, hair: str, long: bool, traits: tuple[str, ...] | None) -> None:
    """Fill a folder with one character; the target has no traits in its captions."""
    folder.mkdir(parents=True, exist_ok=True)
    for shot, size in SHOTS.items():
        draw(HAIR[hair], long, shot, size).save(folder / f"{shot}.png")
        (folder / f"{shot}.txt").write_text(caption(shot, traits) + "\n", encoding="utf-8")
