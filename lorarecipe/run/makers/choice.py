"""Pick the best of drawn pictures, and copy them."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from lorarecipe.dataset.silhouette import Lab
from lorarecipe.errors import TrainingFailed
from lorarecipe.events import Event
from lorarecipe.files import write_atomic
from lorarecipe.measures import Drawn, Yardstick
from lorarecipe.measures.choice import LEAST, choose
from lorarecipe.measures.pixels import seen
from lorarecipe.plan import ChoiceStage, SampleStage
from lorarecipe.records import Choice, Pick, Proof, record_text
from lorarecipe.run.makers.maker import Attempt, begin_anew
from lorarecipe.run.measured import CHOICE, choice_in
from lorarecipe.run.renders import renders_of
from lorarecipe.store import Store

prepare = begin_anew


def make(stage: ChoiceStage, attempt: Attempt) -> Iterator[Event]:
    """Measure every picture, and write copies of those that are picked, and why.

    Raises
    ------
    TrainingFailed
        When too few are fit to train on.
    """
    store, keep = attempt.store, len(stage.groups[0])
    yardstick = Yardstick(
        renders_of(stage.renders, store, stage.drawn.resolution),
        {name: files[0].path.parent for name, files in stage.models.items()},
    )
    pictures = choose(_drawn(stage, store), yardstick, keep)
    if not any(picture.times for picture in pictures):
        raise TrainingFailed(_none_is_fit(pictures, keep, store.path(stage.drawn.short)))
    copies = attempt.folder / "00"
    copies.mkdir(parents=True)
    picked = [picture for picture in pictures for _ in range(picture.times)]
    for number, picture in enumerate(picked):
        shutil.copyfile(store.path(stage.drawn.short) / picture.name, copies / f"{number:05}.png")
        (copies / f"{number:05}.txt").write_text(picture.prompt + "\n", encoding="utf-8")
    write_atomic(attempt.folder / CHOICE, record_text(Choice(pictures)))
    yield from ()


def prove(stage: ChoiceStage, attempt: Attempt) -> Proof:
    """Count what was picked, and what of."""
    pictures = choice_in(attempt.folder).pictures
    picked = sum(picture.times > 0 for picture in pictures)
    return {"images": len(stage.groups[0]), "picked": picked, "of": len(pictures)}


def _none_is_fit(pictures: Sequence[Pick], keep: int, folder: Path) -> str:
    """Say why nothing was picked, the commonest reason first."""
    reasons = Counter(picture.why.partition(":")[0] for picture in pictures)
    listed = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
    return (
        f"of {len(pictures)} drawn pictures too few are fit to train on ({listed}), "
        f"expected {-(-keep // LEAST)} or more\n"
        f"They are in {folder}; draw more (refine.images), or at smaller weights (refine.weights), or pick yourself "
        '(refine.pick = "author"); without [refine], the same command delivers the target'
    )


def _drawn(stage: ChoiceStage, store: Store) -> dict[str, Drawn]:
    """Give what is to be measured, by the names of the pictures."""
    names = stage.drawn.names
    bare = {
        (prompt, seed): _seen(stage.drawn, name, store) for name, (prompt, weight, seed) in names.items() if not weight
    }
    return {
        name: Drawn(
            *(store.path(stage.drawn.short) / name, _seen(stage.drawn, name, store), prompt, weight),
            unrelated=False,
            bare=bare[prompt, seed],
        )
        for name, (prompt, weight, seed) in names.items()
        if weight
    }


def _seen(stage: SampleStage, name: str, store: Store) -> Lab:
    with Image.open(store.path(stage.short) / name) as picture:
        return seen(picture)
