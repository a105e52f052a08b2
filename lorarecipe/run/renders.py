"""Open the renders that a LoRA was trained on, to compare with them what it draws."""

from __future__ import annotations

from PIL import Image

from lorarecipe.dataset.captions import tags_of
from lorarecipe.dataset.look import look_at
from lorarecipe.measures.pixels import outline, seen
from lorarecipe.measures.renders import Render
from lorarecipe.plan import DataStage
from lorarecipe.store import Store


def renders_of(data: DataStage, store: Store, size: tuple[int, int]) -> list[Render]:
    """Open the staged copies of a set, reduced to the ``size`` of what they are compared with."""
    renders = []
    for index, group in enumerate(data.groups):
        folder = store.path(data.short) / f"{index:02}"
        for number, image in enumerate(group):
            path = next(path for path in folder.glob(f"{number:05}.*") if path.suffix != ".txt")
            with Image.open(path) as opened:
                picture = opened.convert("RGB")
            picture.thumbnail((max(size), max(size)), Image.Resampling.BOX)
            colours = seen(picture)
            tags = tuple(tag.text for tag in tags_of(image.caption))
            renders.append(Render(tags, colours, outline(colours), look_at(picture), path))
    return renders
