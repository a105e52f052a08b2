"""The demo's cast as an author would render it: 3D look, white background, upright, front and back, two zooms."""

from __future__ import annotations

from itertools import product
from pathlib import Path

from PIL import Image, PngImagePlugin

from lorarecipe.demo.world import VIEWS, ZOOMS, Figure, draw

#: folder -> hair, hairstyle, dress; no two share any of the first
BASE = {
    "red": Figure("red hair", "long hair", "blue dress"),
    "green": Figure("green hair", "short hair", "yellow dress"),
    "blue": Figure("blue hair", "ponytail", "red dress"),
    "white": Figure("white hair", "twintails", "green dress"),
    "black": Figure("black hair", "long hair", "yellow dress"),
}
#: honey blonde is no colour of the base, and nothing that a tag says; neither is auburn
TARGETS = {
    "honey": Figure((222, 170, 84), "twintails", "blue dress"),
    "auburn": Figure((150, 62, 38), "ponytail", "green dress"),
}


def render_all(folder: Path) -> list[Path]:
    """Draw the cast, a folder for each character and a caption beside each picture.

    Returns
    -------
    list of Path
        The characters' folders.
    """
    return [
        *(_render(folder / name, figure, base=True) for name, figure in BASE.items()),
        *(_render(folder / name, figure, base=False) for name, figure in TARGETS.items()),
    ]


def foreign_files(folder: Path) -> list[Path]:
    """Find pictures that stand where the demo's would be drawn, and are not the demo's."""
    places = [path for name in (*BASE, *TARGETS) for path in sorted((folder / name).glob("*.png"))]
    return [path for path in places if not _is_ours(path)]


def _is_ours(path: Path) -> bool:
    try:
        with Image.open(path) as image:
            return image.info.get("Software") == "lorarecipe"
    except OSError:
        return False


def _render(folder: Path, figure: Figure, *, base: bool) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    told = PngImagePlugin.PngInfo()
    told.add_text("Software", "lorarecipe")
    for view, zoom in product(VIEWS, ZOOMS):
        name = f"{zoom}_{view}".replace(" ", "-")
        shot = Figure(figure.hair, figure.style, figure.dress, view=view, zoom=zoom)
        draw(shot, "3d", 256).save(folder / f"{name}.png", pnginfo=told)
        (folder / f"{name}.txt").write_text(_caption(shot, base=base) + "\n", encoding="utf-8")
    return folder


def _caption(shot: Figure, *, base: bool) -> str:
    """Traits in the base; the closed list in a target."""
    traits = [str(shot.hair), shot.style, str(shot.dress)] if base else [shot.background]
    upright = [shot.pose] if not base and shot.zoom == "full body" else []
    behind = [shot.view] if shot.view == "from behind" else []
    return ", ".join([*traits, *behind, *upright, shot.zoom])
