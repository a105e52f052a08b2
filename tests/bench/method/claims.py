"""What the raw results say: means over units, paired differences with their confidence, and a verdict for each claim."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from scipy import stats

#: of all intervals
CONFIDENCE = 0.95
Verdict = Literal["holds", "fails", "not told"]


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

    told: str
    measure: str
    arm: str
    sense: Literal["more", "less"]
    than: str


#: what the source text claims, and how it would show
CLAIMS = (
    Claim("On a base, the 3D look stays out at weight 1.0", "drawn", "five", "less", "naive"),
    Claim("What was not asked for stays as it was", "change", "five", "less", "naive"),
    Claim("The white background stays out", "white", "five", "less", "naive"),
    Claim("Backgrounds are free at weight 1.0", "background", "five", "more", "naive"),
    Claim("Poses are free at weight 1.0", "pose", "five", "more", "naive"),
    Claim("Views are free at weight 1.0", "view", "five", "more", "naive"),
    Claim("The colour of her hair comes out", "hair", "five", "less", "without"),
    Claim("The colour is as near as without a base, or nearer", "hair", "five", "less", "naive"),
    Claim("No special tags: `1girl` alone draws her", "likeness", "five", "more", "without"),
    Claim("At weight 1.0 she is drawn as surely as without a base", "likeness", "five", "more", "naive"),
    Claim("A LoRA without a base, at 0.5, is less like her", "likeness", "five", "more", "naive-half"),
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
    Claim("Layer weights are not needed: all but the up blocks are less like her", "likeness", "five", "more", "naive-no-up"),
)  # fmt: skip


def results(path: Path) -> dict[str, Any]:
    """Read raw results."""
    read: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return read


def values(raw: dict[str, Any], arm: str, measure: str) -> np.ndarray:
    """Give a measure of an arm, unit by unit."""
    return np.array([unit["arms"][arm][measure] for unit in raw["units"]])


def difference(raw: dict[str, Any], arm: str, than: str, measure: str) -> Difference:
    """Compare two arms in pairs: the same target and the same seed."""
    return interval(values(raw, arm, measure) - values(raw, than, measure))


def interval(apart: np.ndarray) -> Difference:
    """Give mean and interval; of numbers that are all the same it has no width, of a single one no end."""
    mean, count = float(np.mean(apart)), len(apart)
    if count < 2:
        return Difference(mean, -np.inf, np.inf)
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, count - 1) * np.std(apart, ddof=1) / np.sqrt(count))
    return Difference(mean, mean - half, mean + half)


def verdict(claim: Claim, told: Difference) -> Verdict:
    """Say whether the interval lies on the claim's side of zero, on the other, or on both."""
    low, high = (told.low, told.high) if claim.sense == "more" else (-told.high, -told.low)
    return "holds" if low > 0 else "fails" if high < 0 else "not told"
