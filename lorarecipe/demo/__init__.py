"""A small world of drawn characters: what the method does to pictures can be seen and measured on it."""

from pathlib import Path

from lorarecipe.demo.kit import foreign_files, write_kit
from lorarecipe.demo.renders import TARGETS, render_all
from lorarecipe.demo.world import BACKGROUNDS, DRESSES, HAIR, POSES, STYLES, VIEWS, ZOOMS, Figure, draw

#: a Stable Diffusion 1 in miniature that draws this world: a Diffusers folder
NANO = Path(__file__).parent / "nano"

__all__ = [
    "BACKGROUNDS",
    "DRESSES",
    "HAIR",
    "NANO",
    "POSES",
    "STYLES",
    "TARGETS",
    "VIEWS",
    "ZOOMS",
    "Figure",
    "draw",
    "foreign_files",
    "render_all",
    "write_kit",
]
