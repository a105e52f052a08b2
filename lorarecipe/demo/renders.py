"""The demo's cast as an author would render it: 3D look, white background, upright, front and back, two zooms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

from lorarecipe.demo.world import VIEWS, ZOOMS, Figure, draw
from lorarecipe.marked import is_marked, mark

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
    for path, shot, caption in _shots(folder):
        path.parent.mkdir(parents=True, exist_ok=True)
        draw(shot, "3d", 256).save(path, pnginfo=mark())
        path.with_suffix(".txt").write_text(caption, encoding="utf-8")
    return [folder / name for name in (*BASE, *TARGETS)]


def foreign_files(folder: Path) -> list[Path]:
    """Find pictures and captions that stand where the demo's would be written, and are not the demo's."""
    pictures = [path for name in (*BASE, *TARGETS) for path in sorted((folder / name).glob("*.png"))]
    captions = [(path.with_suffix(".txt"), caption) for path, _, caption in _shots(folder)]
    return [
        *(path for path in pictures if not is_marked(path)),
        *(path for path, caption in captions if path.exists() and path.read_bytes() != caption.encode()),
    ]


def _shots(folder: Path) -> Iterator[tuple[Path, Figure, str]]:
    """Give every picture's place, what it shows, and its caption."""
    for name, figure in (BASE | TARGETS).items():
        for view, zoom in product(VIEWS, ZOOMS):
            shot = replace(figure, view=view, zoom=zoom)
            path = folder / name / f"{zoom}_{view}.png".replace(" ", "-")
            yield path, shot, _caption(shot, base=name in BASE) + "\n"


def _caption(shot: Figure, *, base: bool) -> str:
    """Traits in the base; the closed list in a target."""
    traits = [str(shot.hair), shot.style, str(shot.dress)] if base else [shot.background]
    upright = [shot.pose] if not base and shot.zoom == "full body" else []
    behind = [shot.view] if shot.view == "from behind" else []
    return ", ".join([*traits, *behind, *upright, shot.zoom])
