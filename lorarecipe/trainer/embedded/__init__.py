"""A small LoRA trainer on diffusers and peft that takes sd-scripts' command lines, as far as lorarecipe writes them."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def importing() -> Iterator[None]:
    """Import large libraries without the garbage collector, and keep it away from what they made.

    The collector looks through all of their objects again and again, which is a fifth of the time of these imports.
    """
    gc.disable()
    yield
    gc.freeze()
    gc.enable()
