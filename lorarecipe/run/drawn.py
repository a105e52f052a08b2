"""Open drawn pictures to measure them."""

from __future__ import annotations

from collections.abc import Mapping

from PIL import Image

from lorarecipe.dataset.silhouette import Lab
from lorarecipe.measures import Drawn
from lorarecipe.measures.pixels import seen
from lorarecipe.plan import SampleStage
from lorarecipe.store import Store

#: by prompt and seed, what is drawn without the LoRA
Bare = Mapping[tuple[str, int], Lab]


def bare_of(stage: SampleStage, store: Store) -> Bare:
    """Open the pictures that a stage has drawn at weight 0."""
    return {
        (prompt, seed): _opened(stage, name, store)
        for name, (prompt, weight, seed) in stage.names.items()
        if not weight
    }


def drawn_of(stage: SampleStage, name: str, store: Store, bare: Bare) -> Drawn:
    """Open a picture of a stage, with the one that was drawn of its prompt and seed without the LoRA."""
    prompt, weight, seed = stage.names[name]
    unrelated = prompt in (stage.samples.unrelated or ())
    path, colours = store.path(stage.short) / name, _opened(stage, name, store)
    return Drawn(path, colours, prompt, weight, unrelated=unrelated, bare=bare.get((prompt, seed)))


def _opened(stage: SampleStage, name: str, store: Store) -> Lab:
    with Image.open(store.path(stage.short) / name) as picture:
        return seen(picture)
