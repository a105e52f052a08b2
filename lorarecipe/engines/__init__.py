"""Trainers: one file for each, and one table. A new trainer is a file of the same form and a line in the table."""

from lorarecipe.engines import embedded, sd_scripts
from lorarecipe.engines.engine import Engine
from lorarecipe.engines.pinned import Pin, pin

ENGINES: dict[str, Engine] = {engine.NAME: engine for engine in (sd_scripts, embedded)}

__all__ = ["ENGINES", "Engine", "Pin", "pin"]
