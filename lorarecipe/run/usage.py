"""How a delivered LoRA is to be used, in words, and the picture that shows it best."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lorarecipe.plan import OUTPUT, Arm, Delivery, Role, SampleStage, TrainStage
from lorarecipe.records import Leak
from lorarecipe.run.pictures import sample_path

_WHAT: Mapping[Role, str] = {
    "base": (
        "A base LoRA, trained on 3D renders of varied characters. It is the first of two trainings: "
        "the LoRA of a character is trained on top of it."
    ),
    "target": (
        "The LoRA of one character, trained on 3D renders on top of a base LoRA. The base has learned the look of "
        "the renders, so that this file holds the character."
    ),
    "plain": "The LoRA of one character, trained on 3D renders without a base LoRA.",
    "distilled": "The LoRA of one character, trained on pictures that an earlier LoRA of it drew.",
    "refined": "The LoRA of one character, trained on pictures that an earlier LoRA of it drew.",
}


@dataclass(frozen=True)
class Usage:
    """What a LoRA file is, the weight to use it at, and what to know of it."""

    what: str
    hint: str
    weight: float
    advice: str = ""
    """What the leak test advises for the result, which may be another of its files."""
    picture: tuple[SampleStage, str] | None = None
    """The sample at about that weight that is most like the character: its stage, and its file there."""


def usage_of(delivery: Delivery, lora: str, stage: TrainStage, epoch: int | None, leaks: Leak | None) -> Usage:
    """Say how a file of a delivery is to be used.

    Parameters
    ----------
    delivery
        The result that it belongs to.
    lora
        Its name in ``Delivery.loras``.
    stage
        The training that made it.
    epoch
        The epoch after which it was saved; None for the finished one.
    leaks
        The leak test of the result, where there is one.
    """
    what = _WHAT[stage.role]
    if delivery.recipe.rehearsal:
        return Usage(f"A rehearsal, made in miniature to try a recipe. {what}", "Do not use it.", 1.0)
    if stage.role == "base":
        return Usage(what, "Name it in the recipe of a character. Do not draw with it.", 1.0)
    arm: Arm = "refined" if stage.role == "refined" else "target"
    weight = _weight(delivery, lora, arm, epoch, leaks)
    on = f"on the checkpoint that it was trained for ({stage.model.main.path.name})"
    hint = f"Use it alone at weight {weight:g}, {on}. It has no trigger word."
    advice = str(leaks.advice) if leaks and leaks.advice else ""
    return Usage(what, hint, weight, advice, _picture(delivery, arm, epoch, weight, leaks))


def baked_words(text: str, source: str, weight: float) -> str:
    """Give a text on how to use a LoRA as it holds for a file whose weight 1 is another weight of that LoRA."""
    return re.sub(r"(?<=at weight )[\d.e-]*\d", f"1 (which is weight {weight:g} of {source})", text)


def epoch_of(source: Path) -> int | None:
    """Give the epoch after which a training has saved a file; None for the finished LoRA."""
    saved = source.stem.removeprefix(OUTPUT).removeprefix("-")
    return int(saved) if saved else None


def file_stem(lora: str, source: Path) -> str:
    """Give the name under which a training's file is delivered, without its extension: an epoch's has its number."""
    return f"{lora}{source.stem.removeprefix(OUTPUT)}"


def _weight(delivery: Delivery, lora: str, arm: Arm, epoch: int | None, leaks: Leak | None) -> float:
    """Take the author's weight for the finished LoRA, what the leak test advises for this file, or 1."""
    chosen, advice = delivery.recipe.deliver.weight, leaks.advice if leaks else None
    if isinstance(chosen, float) and lora == delivery.name and not epoch:
        return chosen
    if advice and advice.epoch == epoch and advice.arm in {arm, None}:
        return advice.weight
    return 1.0


def _picture(
    delivery: Delivery, arm: Arm, epoch: int | None, weight: float, leaks: Leak | None
) -> tuple[SampleStage, str] | None:
    """Choose among what was drawn with a LoRA, at the weight that is nearest to the one to use."""
    measured = {shot.path: shot.measured for shot in leaks.pictures} if leaks else {}

    def unlike(path: str) -> float:
        found = measured.get(path, {}).get("palette")
        return math.inf if found is None else found

    for stage in (stage for stage in delivery.arms.get(arm, ()) if stage.epoch == epoch):
        drawn = {file: at for file, (prompt, at, _) in stage.names.items() if at and prompt in stage.samples.prompts}
        if drawn:
            nearest = min(drawn.values(), key=lambda at: (abs(at - weight), at))
            files = [file for file, at in drawn.items() if at == nearest]
            return stage, min(files, key=lambda file: unlike(sample_path(arm, stage, file)))
    return None
