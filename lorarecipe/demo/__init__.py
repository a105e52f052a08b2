"""A small world of drawn characters: what the method does to pictures can be seen and measured on it."""

from lorarecipe.demo.renders import render_all
from lorarecipe.demo.world import BACKGROUNDS, DRESSES, HAIR, POSES, STYLES, VIEWS, ZOOMS, Figure, draw

__all__ = ["BACKGROUNDS", "DRESSES", "HAIR", "POSES", "STYLES", "VIEWS", "ZOOMS", "Figure", "draw", "render_all"]
