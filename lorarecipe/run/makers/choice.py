"""Pick the best of drawn pictures, and copy them."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from lorarecipe.errors import TrainingFailed
from lorarecipe.events import Event
from lorarecipe.files import write_atomic
from lorarecipe.measures import Yardstick
from lorarecipe.measures.choice import LEAST, choose
from lorarecipe.plan import ChoiceStage
from lorarecipe.records import Choice, Pick, Proof, record_text
from lorarecipe.run.drawn import bare_of, drawn_of
from lorarecipe.run.makers.maker import Attempt, begin_anew
from lorarecipe.run.measured import CHOICE, choice_in
from lorarecipe.run.renders import renders_of

prepare = begin_anew


def make(stage: ChoiceStage, attempt: Attempt) -> Iterator[Event]:
    """Measure every picture, and write copies of those that are picked, and why.

    Raises
    ------
    TrainingFailed
        When too few are fit to train on.
    """
    store, keep = attempt.store, len(stage.groups[0])
    yardstick = Yardstick(renders_of(stage.renders, store, stage.drawn.resolution), stage.folders)
    bare = bare_of(stage.drawn, store)
    drawn = {
        name: drawn_of(stage.drawn, name, store, bare) for name, (_, weight, _) in stage.drawn.names.items() if weight
    }
    pictures = choose(drawn, yardstick, keep)
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
    listed = ", ".join(f"{reason}: {count}" for reason, count in reasons.most_common())
    return (
        f"of {len(pictures)} drawn pictures too few are fit to train on ({listed}), "
        f"expected {-(-keep // LEAST)} or more\n"
        f"They are in {folder}; draw more (refine.images), or at smaller weights (refine.weights), or pick yourself "
        '(refine.pick = "author"); without [refine], the same command delivers the target'
    )
