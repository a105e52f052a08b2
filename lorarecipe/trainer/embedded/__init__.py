"""A small LoRA trainer on diffusers and peft that takes sd-scripts' command lines, as far as lorarecipe writes them."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def importing() -> Iterator[None]:
    """Import large libraries without the garbage collector, and keep it away from what they made.

    It looks through all of their objects again and again: a fifth of the five seconds that these imports take.
    """
    gc.disable()
    yield
    gc.freeze()
    gc.enable()
