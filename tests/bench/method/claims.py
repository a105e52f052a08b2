"""What the results say: paired differences with their confidence, and a verdict for each claim.

Arms are compared unit by unit, at the weights that they are used at; or at equal likeness: a LoRA of one arm against what
the other leaks where it is as like its character, between its measured weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from tests.bench.method.results import Results, shared, values

#: of all intervals
CONFIDENCE = 0.95
#: what would matter to an author, set before the twelve units were measured: of shares, one picture in ten; of colours,
#: what is seen at a glance; of softness, a quarter of the way to the renders; of other pictures, what is just seen
MATTERS = {
    **dict.fromkeys(("likeness", "style", "background", "pose", "view", "drawn", "white", "length"), 0.1),
    "hair": 5.0,
    "look": 0.25,
    "change": 3.0,
}


@dataclass(frozen=True)
class Difference:
    """Mean of one arm minus another's, unit by unit, and where it lies with 95 % confidence (Student's t)."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        """Give it as ``-0.31 [-0.44, -0.18]``."""
        mean, low, high = (f"{round(number, 2) + 0.0:+.3g}" for number in (self.mean, self.low, self.high))
        return f"{mean} [{low}, {high}]"


@dataclass(frozen=True)
class Claim:
    """That of a measure, one arm has more than another (or less)."""

    title: str
    measure: str
    arm: str
    sense: Literal["more", "less"]
    than: str
    alike: bool = False
    """Whether it is measured at equal likeness."""


#: what the source text claims, and what was put forward since, and how it would show
CLAIMS = (
    Claim("On a base, the 3D look stays out at weight 1.0", "drawn", "five", "less", "naive"),
    Claim("What was not asked for stays as it was", "change", "five", "less", "naive"),
    Claim("The white background stays out", "white", "five", "less", "naive"),
    Claim("Backgrounds are free at weight 1.0", "background", "five", "more", "naive"),
    Claim("Poses are free at weight 1.0", "pose", "five", "more", "naive"),
    Claim("Views are free at weight 1.0", "view", "five", "more", "naive"),
    Claim("The colour of the hair comes out", "hair", "five", "less", "without"),
    Claim("The colour is as near as without a base, or nearer", "hair", "five", "less", "naive"),
    Claim("No special tags: `1girl` alone draws the character", "likeness", "five", "more", "without"),
    Claim("At weight 1.0 the character is drawn as surely as without a base", "likeness", "five", "more", "naive"),
    Claim("A LoRA without a base, at 0.5, is less like the character", "likeness", "five", "more", "naive-at-0.5"),
    Claim("Distillation gets the colour worse", "hair", "five", "less", "distilled"),
    Claim("Distillation gets the hairstyle worse", "style", "five", "more", "distilled"),
    Claim("The hair's length is not fully controlled", "length", "five", "less", "without"),
    Claim("One base character is not enough: colour", "hair", "five", "less", "one"),
    Claim("One base character is not enough: likeness", "likeness", "five", "more", "one"),
    Claim("One base character is not enough: hairstyle", "style", "five", "more", "one"),
    Claim("A sixth colour, yellow, improves the colour", "hair", "six", "less", "five"),
    Claim("Colours with one hairstyle each harm the hairstyle", "style", "five", "less", "mixed"),
    Claim("`1girl` and a trigger in the captions take from what `1girl` draws", "likeness", "words", "less", "five"),
    Claim("Regularisation images harm", "likeness", "regularised", "less", "five"),
    Claim("Layer weights are not needed: all but the down blocks look more 3D", "drawn", "five", "less", "naive-no-down"),
    Claim("At equal likeness, the 3D look stays out", "drawn", "five", "less", "naive", alike=True),
    Claim("At equal likeness, what was not asked for stays as it was", "change", "five", "less", "naive", alike=True),
    Claim("At equal likeness, the white background stays out", "white", "five", "less", "naive", alike=True),
    Claim("Twice the steps are more like the character", "likeness", "longer", "more", "five"),
    Claim("Four times the steps are more like the character", "likeness", "longest", "more", "five"),
    Claim("A third phase gets the hairstyle better", "style", "refine", "more", "five"),
    Claim("A third phase is more like the character", "likeness", "refine", "more", "five"),
    Claim("A third phase keeps white out", "white", "refine", "less", "five"),
    Claim("A third phase keeps the colour", "hair", "refine", "less", "five"),
    Claim("At equal likeness, a third phase keeps the 3D look out", "drawn", "refine", "less", "naive", alike=True),
    Claim("An author picks better than measures: hairstyle", "style", "refine-judged", "more", "refine"),
    Claim("An author picks better than measures: likeness", "likeness", "refine-judged", "more", "refine"),
    Claim("Used at 2, two phases draw the character as surely as no base at 1", "likeness", "five-at-2", "more", "naive"),
    Claim("Used at 2, two phases still keep the 3D look out", "drawn", "five-at-2", "less", "naive-at-0.75"),
    Claim("A second round is more like the character", "likeness", "refine-twice", "more", "refine"),
    Claim("The renders beside the picks are more like the character", "likeness", "refine-renders", "more", "refine"),
    Claim("Other characters beside the picks leave the rest as it was", "change", "refine-others", "less", "refine"),
    Claim("Other characters beside the picks take from the likeness", "likeness", "refine-others", "less", "refine"),
    Claim("Without a base, a mask lets less of the 3D look in", "drawn", "naive-mask", "less", "naive"),
    Claim("Without a base, a mask with a prior lets less of the 3D look in", "drawn", "naive-mask-prior", "less", "naive"),
    Claim("A mask keeps white out, on a base", "white", "mask", "less", "five"),
    Claim("Without the noisiest timesteps, white stays out", "white", "late-noise", "less", "five"),
    Claim("Layer weights are not needed: all but the up blocks are less like the character", "likeness", "five", "more", "naive-no-up"),
)  # fmt: skip


def difference(results: Results, claim: Claim) -> Difference:
    """Compare the arms of a claim in pairs: the same target and the same seed."""
    units = shared(results, claim.arm, claim.than)
    mine = values(results, claim.arm, claim.measure, units)
    if not claim.alike:
        return interval(mine - values(results, claim.than, claim.measure, units))
    like = values(results, claim.arm, "likeness", units)
    return interval(
        np.array(
            [
                one - at_likeness(results, claim.than, claim.measure, unit, alike)
                for one, unit, alike in zip(mine, units, like)
            ]
        )
    )


def weights_of(results: Results, arm: str) -> list[str]:
    """Name an arm, and the same at other weights, 0 among them, of the results that there are."""
    return [name for name in results if name in {arm, "without"} or name.startswith(f"{arm}-at-")]


def at_likeness(results: Results, arm: str, measure: str, unit: int, likeness: float) -> float:
    """Give what an arm has of a measure where it is as like its character, on the straight line between its weights.

    Above the weight where it is most alike, what it has there. A weight that is no more alike than a smaller one, by a
    larger leak, is on no line.
    """
    points = sorted(
        (results[name][unit]["likeness"], results[name][unit][measure])
        for name in weights_of(results, arm)
        if unit in results[name]
    )
    least = np.minimum.accumulate([leak for _, leak in reversed(points)])[::-1]
    return float(np.interp(likeness, [like for like, _ in points], least))


def interval(apart: np.ndarray) -> Difference:
    """Give mean and interval; of numbers that are all the same it has no width, of a single one no end."""
    mean, count = float(np.mean(apart)), len(apart)
    if count < 2:
        return Difference(mean, -np.inf, np.inf)
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, count - 1) * np.std(apart, ddof=1) / np.sqrt(count))
    return Difference(mean, mean - half, mean + half)


def verdict(claim: Claim, apart: Difference) -> str:
    """Say on which side of zero the interval lies; on both, whether it is within what would matter."""
    low, high = (apart.low, apart.high) if claim.sense == "more" else (-apart.high, -apart.low)
    if low > 0 or high < 0:
        return "holds" if low > 0 else "fails"
    matters = MATTERS[claim.measure]
    return f"smaller than {matters:g}" if max(-low, high) < matters else "undecided"
