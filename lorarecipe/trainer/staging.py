"""Stage images: a copy that the trainer reads without surprises. The author's files are read, never linked.

sd-scripts drops alpha (so hidden colour shows), ignores EXIF rotation, skips ``.Jpg``, and keeps caches beside
the images. The copy is upright, opaque on white, plain RGB, with one lower-case extension and its final
caption beside it. It is a copy even where nothing changes: a hard link would let an edit in copies change
what was trained on.
"""

from __future__ import annotations

import hashlib
import io
import shutil
from pathlib import Path

from PIL import Image as Pillow
from PIL import ImageOps

from lorarecipe.dataset import eight_bit, orientation_of
from lorarecipe.dataset.backdrop import on_white
from lorarecipe.dataset.mask import figure_mask
from lorarecipe.errors import CheckFailed
from lorarecipe.plan import DataStage, PickStage
from lorarecipe.plan.data import Image


def stage_images(stage: DataStage, folder: Path) -> None:
    """Write the images of a stage to ``folder/00``, ``folder/01``, ... in the recipe's order.

    Raises
    ------
    CheckFailed
        When an image cannot be decoded to its end, or is not what it was when it was checked.
    """
    for index, group in enumerate(stage.groups):
        copies = folder / f"{index:02}"
        copies.mkdir(parents=True)
        for number, image in enumerate(group):
            name = f"{number:05}"
            suffix, content = plain(image, masked=stage.masked)
            (copies / f"{name}{suffix}").write_bytes(content)
            (copies / f"{name}.txt").write_text(image.caption + "\n", encoding="utf-8")


def stage_picks(stage: PickStage, drawn: Path, folder: Path) -> None:
    """Copy picked pictures out of the folder that they were ``drawn`` into, each with its prompt for a caption."""
    copies = folder / "00"
    copies.mkdir(parents=True)
    for number, image in enumerate(stage.groups[0]):
        shutil.copyfile(drawn / image.path, copies / f"{number:05}.png")
        (copies / f"{number:05}.txt").write_text(image.caption + "\n", encoding="utf-8")


def plain(image: Image, *, masked: bool = False) -> tuple[str, bytes]:
    """Give the extension and bytes of an image as the trainer should read it, ``masked`` with its figure as alpha."""
    content = image.path.read_bytes()
    if hashlib.sha256(content).hexdigest() != image.digest:
        raise CheckFailed(f"{image.path}: changed while it was being read; run the same command again")
    try:
        with Pillow.open(io.BytesIO(content)) as opened:
            opened.load()
            turned = orientation_of(opened) != 1
            if opened.mode == "RGB" and not turned and not opened.has_transparency_data and not masked:
                return image.path.suffix.lower(), content
            upright = eight_bit(ImageOps.exif_transpose(opened) if turned else opened)
            drawn = _flatten(upright)
            if masked:
                drawn.putalpha(figure_mask(upright))
    except (OSError, ValueError, SyntaxError) as problem:
        raise CheckFailed(f"{image.path}: cannot be decoded ({problem}); save it anew") from problem
    buffer = io.BytesIO()
    drawn.save(buffer, "PNG")
    return ".png", buffer.getvalue()


def _flatten(image: Pillow.Image) -> Pillow.Image:
    """Put an image with alpha on white; turn any other mode into RGB."""
    return on_white(image.convert("RGBA")) if image.has_transparency_data else image.convert("RGB")
