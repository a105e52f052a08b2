"""Pick pictures to train on: flat, with the character's colours and hairstyle, of several prompts.

What is measured is what the leak test measures; where the recipe names CCIP, it is asked in place of the hairstyle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lorarecipe.measures import MEASURES, ccip_difference, hair_colour, hairstyle, look_3d, palette
from lorarecipe.measures import white_border as white_border_measure
from lorarecipe.measures.advice import SOFT, WHITE
from lorarecipe.measures.measure import Drawn, Measure, Yardstick
from lorarecipe.measures.pixels import softness, white_border
from lorarecipe.records import Pick

#: raised whenever other pictures would be picked
VERSION = 1
#: a set has a quarter of its pictures at least that differ; the others are these once more
LEAST = 4
#: what the numbers are called
_TITLES = {key: one.TITLE for key, one in MEASURES.items()} | {"white_more": "more white"}
#: prompts that a set has at least, where there are as many
_PROMPTS = 6


def versions(models: Collection[str]) -> dict[str, object]:
    """Give all that a choice depends on besides its pictures, by a name each."""
    like = ccip_difference if ccip_difference.NEEDS in models else hairstyle
    measures = (look_3d, white_border_measure, hair_colour, palette, like)
    return {"choice": VERSION, "bars": [SOFT, WHITE], **{one.KEY: one.VERSION for one in measures}}


@dataclass(frozen=True)
class _Measured:
    """A picture with its numbers, and the reason that rules it out; an empty one if none does."""

    name: str
    drawn: Drawn
    numbers: dict[str, float | None]
    fault: str = ""


def choose(drawn: Mapping[str, Drawn], yardstick: Yardstick, keep: int) -> tuple[Pick, ...]:
    """Pick ``keep`` of drawn pictures.

    Parameters
    ----------
    drawn
        The pictures by their names, each beside what the checkpoint draws without the LoRA.
    yardstick
        The character's renders.
    keep
        How many are wanted. Where fewer are fit, these stand in the set several times; where fewer than a quarter are,
        none is picked.

    Returns
    -------
    tuple of Pick
        All pictures in their order, each with its numbers and why it was picked or not.
    """
    room = _room(drawn.values(), yardstick)
    measured = [_measured(name, one, yardstick, room) for name, one in drawn.items()]
    heaviest = _heaviest(measured)
    fit = [one for one in measured if not one.fault and one.drawn.weight <= heaviest]
    order = _spread(fit, keep)
    enough = len(order) * LEAST >= keep
    times = {one.name: len(range(place, keep, len(order))) for place, one in enumerate(order) if enough}
    return tuple(
        Pick(one.name, one.drawn.prompt, times.get(one.name, 0), one.numbers, _why(one, times, heaviest, enough=enough))
        for one in measured
    )


def _room(drawn: Iterable[Drawn], yardstick: Yardstick) -> float | None:
    """How much softer the renders are than what the checkpoint draws, by its median; None where they hardly are.

    A single picture says little: some places are drawn as softly as a render is shaded.
    """
    bare = [softness(one.bare) for one in drawn if one.bare is not None]
    room = yardstick.softness - float(np.median(bare)) if bare else 0.0
    return room if room > look_3d.LEAST else None


def _measured(name: str, drawn: Drawn, yardstick: Yardstick, room: float | None) -> _Measured:
    assert drawn.bare is not None
    white = white_border_measure.of(drawn, yardstick)
    like: Measure = ccip_difference if ccip_difference.NEEDS in yardstick.models else hairstyle
    numbers = {
        "look_3d": (softness(drawn.colours) - softness(drawn.bare)) / room if room else None,
        "white_more": None if white is None else white - white_border(drawn.bare),
        **{measure.KEY: measure.of(drawn, yardstick) for measure in (hair_colour, palette, like)},
    }
    rounded = {key: None if number is None else round(float(number), 4) for key, number in numbers.items()}
    if (rounded["look_3d"] or 0) > SOFT:
        fault = f"shaded as the renders are: 3D look {rounded['look_3d']:.2f}, expected {SOFT} or less"
    elif (rounded["white_more"] or 0) > WHITE:
        fault = f"white where a background was asked for: {rounded['white_more']:.0%} of the border more than without"
    else:
        fault = ""
    return _Measured(name, drawn, rounded, fault)


def _heaviest(measured: Sequence[_Measured]) -> float:
    """Give the largest weight at which the pictures are flat, by their median; above it, few are, by chance."""
    looks: dict[float, list[float]] = {}
    for one in measured:
        looks.setdefault(one.drawn.weight, []).append(one.numbers["look_3d"] or 0)
    flat = [weight for weight, several in looks.items() if np.median(several) <= SOFT]
    return max(flat, default=0.0)


def _scores(fit: Sequence[_Measured]) -> dict[str, float]:
    """Add a picture's ranks in likeness, which counts twice, and in both measures of colour: less is better."""
    scores = {one.name: 0.0 for one in fit}
    for key in [key for key in (fit[0].numbers if fit else ()) if key not in {"look_3d", "white_more"}]:
        numbers = {one.name: one.numbers[key] for one in fit}
        ranked = sorted(numbers, key=lambda name: np.inf if (number := numbers[name]) is None else number)
        for rank, name in enumerate(ranked):
            scores[name] += rank * (1 if key in {"hair_colour", "palette"} else 2)
    return scores


def _spread(fit: Sequence[_Measured], keep: int) -> list[_Measured]:
    """Give the most alike, of each prompt a sixth of them at most, or with fewer prompts its share."""
    scores, of_prompt, picked = _scores(fit), Counter[str](), list[_Measured]()
    most = -(-keep // max(1, min(_PROMPTS, len({one.drawn.prompt for one in fit}))))
    for one in sorted(fit, key=lambda one: scores[one.name]):
        if of_prompt[one.drawn.prompt] < most and len(picked) < keep:
            of_prompt[one.drawn.prompt] += 1
            picked.append(one)
    return picked


def _why(one: _Measured, times: Mapping[str, int], heaviest: float, *, enough: bool) -> str:
    figures = ", ".join(
        f"{_TITLES.get(key, key)} {number:.2f}" for key, number in one.numbers.items() if number is not None
    )
    if one.name in times:
        again = f", {times[one.name]} times" if times[one.name] > 1 else ""
        return f"picked{again}: among the most like the character ({figures})"
    if one.fault:
        return one.fault
    if one.drawn.weight > heaviest:
        return f"drawn at too large a weight: above {heaviest:g}, most pictures are shaded as the renders are"
    return (
        f"fit: others are more like the character, or of fewer prompts ({figures})"
        if enough
        else f"fit: too few are ({figures})"
    )
