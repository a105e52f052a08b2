"""All samples of a LoRA in one picture: a row for each prompt, a column for each weight and seed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw

from lorarecipe.marked import mark
from lorarecipe.recipe import Samples

_LABEL = 16
_SMALLEST = 128
#: pixels of the whole sheet: what any viewer opens
_LARGEST = 24_000_000


def contact_sheet(pictures: Sequence[Path], samples: Samples) -> bytes:
    """Put pictures (in the order of prompts, weights, seeds) on one PNG, each row under its prompt.

    Small ones are enlarged by a whole number, so that their pixels can be seen; large ones are reduced.
    """
    opened = [Image.open(path).convert("RGB") for path in pictures]
    factor: float = max(1, _SMALLEST // opened[0].width)
    factor = min(factor, math.sqrt(_LARGEST / (len(opened) * opened[0].width * opened[0].height)))
    width, height = (max(1, int(side * factor)) for side in opened[0].size)
    columns = len(samples.weights) * samples.images
    sheet = Image.new("RGB", (width * columns, (height + _LABEL) * len(samples.drawn)), "white")
    pen = ImageDraw.Draw(sheet)
    for at, picture in enumerate(opened):
        row, column = divmod(at, columns)
        top = row * (height + _LABEL)
        sheet.paste(
            picture.resize((width, height), Image.Resampling.NEAREST if factor > 1 else Image.Resampling.LANCZOS),
            (column * width, top + _LABEL),
        )
        if not column:
            pen.text((3, top + 2), samples.drawn[row], fill="black")
    whole = BytesIO()
    sheet.save(whole, "PNG", pnginfo=mark())
    return whole.getvalue()
