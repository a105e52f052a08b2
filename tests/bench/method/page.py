"""The page on the method, from the raw results: tables, a plot and a picture.

Usage: python -m tests.bench.method.page [FOLDER]; draws the plot, and with the FOLDER of a run the picture too
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure as Plot
from PIL import Image, ImageDraw

from tests.bench.method.__main__ import STEPS
from tests.bench.method.arms import ARMS, LOADED, MAIN
from tests.bench.method.claims import CLAIMS, Claim, Difference, difference, interval, verdict, weights_of
from tests.bench.method.measure import MEASURES
from tests.bench.method.results import RAW, Results, of, read, shared, values
from tests.bench.method.unit import SEEDS

RESULTS = RAW.parent
SPEED = RESULTS / "speed.json"
#: rows of the picture
SHOWN = {
    "without": "without a LoRA",
    "naive": "no base, at 1.0",
    "naive-at-0.5": "no base, at 0.5",
    "distilled": "distilled",
    "one": "base of one, at 1.0",
    "five": "base of five, at 1.0",
}
#: where the sources disagree (technique reference, section 7): the default, and the arm that would change it
DEFAULTS = (
    ("no regularisation images", "regularised"),
    ("`merge.strength = 1.0`", "strength-0.9"),
    ("`merge.strength = 1.0`", "strength-0.8"),
    ("a target of the base's rank", "rank-half"),
    ("only the U-Net is trained", "text-encoder"),
    ('`merge.mode = "checkpoint"`, with sd-scripts', "loaded"),
    ("`white background` and `arms at sides` in the target's captions", "bare"),
    ("five colours, one hairstyle each", "mixed"),
    ("five colours, without yellow", "six"),
)
#: arms that were used at several weights, and what is shown of them
_FRONTS = ("naive", "five", "refine")
#: arms of what can be delivered
_DELIVERED = ("five", "refine", "refine-judged")
_FRONT = ("likeness", "style", "hair", "drawn", "look", "white", "background", "pose", "change")
#: measures of the goal beside likeness
_GOAL = ("drawn", "look", "background", "pose")
_PLOTTED = {"likeness": "more", "hair": "less", "drawn": "less", "change": "less"}
_JUDGED = ("likeness", "hair", "style", "drawn", "white", "change")


def results(trainer: str = "embedded") -> Results:
    """Read what a trainer gave for the arms as they are defined now."""
    return of(read(), trainer, {name: arm.digest for name, arm in (ARMS | {"loaded": LOADED}).items()})


def shape() -> None:
    """Print what it was measured on."""
    found, lines = results(), [line for line in read() if line.trainer == "embedded"]
    units = {unit for arm in found.values() for unit in arm}
    versions = sorted({line.machine["torch"].split("+")[0] for line in lines})
    print(
        f"{len(units)} targets, {len(SEEDS)} seeds of bases, {STEPS[0]} steps a base and {STEPS[1]} a target, "
        f"{len(found)} arms, {sum(map(len, found.values()))} results, embedded trainer, torch {', '.join(versions)}."
    )


def arms() -> None:
    """Print the table of all arms at one weight: means, in bold where they are apart from the method's own."""
    found = results()
    print("| | units | " + " | ".join(MEASURES.values()) + " |\n|" + " --- |" * (len(MEASURES) + 2))
    for name, arm in ARMS.items():
        if name in found and "-at-" not in name:
            print(f"| {arm.title} | {len(found[name])} | {' | '.join(_cells(found, name))} |")


def fronts() -> None:
    """Print arms over the weights that they were used at."""
    found = results()
    heads = " | ".join(MEASURES[one] for one in _FRONT)
    print(f"| arm | weight | units | {heads} |\n|{' --- |' * (len(_FRONT) + 3)}")
    for name in sorted(
        (one for one in found if one in ARMS and _of(one) in _FRONTS),
        key=lambda one: (_FRONTS.index(_of(one)), ARMS[one].weight),
    ):
        cells = " | ".join(f"{np.mean(values(found, name, measure)):.2f}" for measure in _FRONT)
        print(f"| `{_of(name)}` | {ARMS[name].weight:g} | {len(found[name])} | {cells} |")


def goal() -> None:
    """Print how far what can be delivered is from its goal, against `naive` at its best weight.

    The goal: as like the character, a quarter of the 3D look at most, backgrounds and poses obeyed at 0.98 or better. The
    best weight is the one whose likeness exceeds what is drawn as 3D by most, over the units that every weight has. A
    LoRA can be baked, so that its weight 1.0 is a larger one.
    """
    found = results()
    uses = [name for name in weights_of(found, "naive") if name != "without"]
    units = shared(found, *uses)
    best = max(
        uses, key=lambda name: np.mean(values(found, name, "likeness", units) - values(found, name, "drawn", units))
    )
    print(f"| against `{best}` | baked at | units | likeness | drawn as 3D | softness | background | pose | goal |")
    print("|" + " --- |" * 9)
    for name in (use for arm in _DELIVERED for use in weights_of(found, arm) if use in ARMS and ARMS[use].weight >= 1):
        both = shared(found, name, best)
        like = interval(values(found, name, "likeness", both) - values(found, best, "likeness", both))
        mine, other = ({one: float(np.mean(values(found, arm, one, both))) for one in _GOAL} for arm in (name, best))
        flat = all(mine[one] <= max(0.0, other[one]) / 4 for one in ("drawn", "look"))
        reached = like.mean >= 0 and flat and min(mine["background"], mine["pose"]) >= 0.98
        cells = [f"{mine[one]:.2f} of {other[one]:.2f}" for one in ("drawn", "look")]
        cells += [f"{mine[one]:.2f}" for one in ("background", "pose")]
        verdict = f"**{'reached' if reached else 'missed'}**"
        print(f"| `{_of(name)}` | {ARMS[name].weight:g} | {len(both)} | {like} | {' | '.join(cells)} | {verdict} |")


def claims() -> None:
    """Print each claim with the difference that was measured, in two units or more: a single one has no interval."""
    found = results()
    print("| claim | measured | units | difference [95 %] | here it |\n| --- | --- | --- | --- | --- |")
    for claim in (one for one in CLAIMS if len(shared(found, one.arm, one.than)) > 1):
        apart, units = difference(found, claim), len(shared(found, claim.arm, claim.than))
        alike = " at equal likeness" if claim.alike else ""
        measured = f"{MEASURES[claim.measure]}, `{claim.arm}` against `{claim.than}`{alike}"
        print(f"| {claim.title} | {measured} | {units} | {apart} | **{verdict(claim, apart)}** |")


def defaults() -> None:
    """Print what was measured of each default where the sources disagree."""
    ours, real = results(), results("sd-scripts")
    heads = " | ".join(MEASURES[one] for one in _JUDGED)
    print(f"| default | other arm | {heads} |\n|" + " --- |" * (len(_JUDGED) + 2))
    for default, arm in DEFAULTS:
        found = ours if arm in ARMS else real
        apart = " | ".join(str(difference(found, Claim("", one, arm, "more", "five"))) for one in _JUDGED)
        print(f"| {default} | `{arm}` | {apart} |")


def trainers() -> None:
    """Print the main arms of both trainers, side by side, and how far they are apart, unit by unit."""
    ours, real = results(), results("sd-scripts")
    print("| | | " + " | ".join(MEASURES.values()) + " |\n|" + " --- |" * (len(MEASURES) + 2))
    differences: list[Difference] = []
    for name in (*MAIN, "loaded"):
        units = sorted(real[name])
        for trainer, found in (("embedded", ours), ("sd-scripts", real)):
            if name in found:
                cells = " | ".join(f"{np.mean(values(found, name, measure, units)):.2f}" for measure in MEASURES)
                print(f"| `{name}` | {trainer} | {cells} |")
        if name in MAIN:
            apart = [interval(values(real, name, one, units) - values(ours, name, one, units)) for one in MEASURES]
            print(f"| `{name}` | difference [95 %] | " + " | ".join(map(str, apart)) + " |")
            differences += apart
    apart_from_zero = sum(one.low > 0 or one.high < 0 for one in differences)
    print(f"\nOf {len(differences)} differences between the trainers, {apart_from_zero} differ from zero.")


def _of(name: str) -> str:
    return name.split("-at-")[0]


def _cells(found: Results, name: str) -> list[str]:
    """Write an arm's means, in bold where they are apart from the method's own."""
    cells = []
    for measure in MEASURES:
        apart = difference(found, Claim("", measure, name, "more", "five"))
        text = f"{np.mean(values(found, name, measure)):.{1 if measure in {'hair', 'change'} else 2}f}"
        cells.append(f"**{text}**" if name != "five" and (apart.low > 0 or apart.high < 0) else text)
    return cells


def _speed() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(SPEED.read_text("utf-8"))
    return read


def merging() -> None:
    """Print what a merge costs."""
    speed = _speed()["merge"]
    print(
        f"| {speed['modules']} modules into a full-size SD1.5, fp16 | until written | at the least | flushed | memory |"
    )
    print("|" + " --- |" * 5)
    for name, what in (("copy", "copying the file"), ("ours", "merging")):
        one = speed[name]
        seconds = " | ".join(f"{one[part]:.1f} s" for part in ("seconds", "least", "flushed"))
        print(f"| {what} | {seconds} | {one['gigabytes']:.2f} GB |")
    ratios = " | ".join(f"{ratio:.1f}" for ratio in speed["of a copy"].values())
    print(f"| of a copy | {ratios} | |")
    script = speed["script"]
    print(f"| sd-scripts' `merge_lora.py` | {script['seconds']:.1f} s | | | {script['gigabytes']:.2f} GB |")


def training() -> None:
    """Print what both trainers make of the same training, and what each takes to begin."""
    speed, start = _speed()["trainers"], _speed()["start"]
    print("| | images a second | memory | to the first step | imports: script | launcher |\n|" + " --- |" * 6)
    for name, what in (
        ("embedded", "embedded, nano"),
        ("sd-scripts", "sd-scripts, nano"),
        ("full size", "sd-scripts, full-size SD1.5"),
    ):
        rate = f"{speed[name]['images a second']:.1f} | {speed[name]['gigabytes']:.2f} GB" if name in speed else " | "
        one = start[name]
        seconds = " | ".join(
            f"{one[part]:.1f} s" if one[part] else "none" for part in ("first step", "imports", "launcher")
        )
        print(f"| {what} | {rate} | {seconds} |")


def characters() -> None:
    """Print what characters cost on one base, in what as many two-phase runs by hand cost."""
    speed = _speed()["characters"]
    print("| characters | one base | by hand | ratio | expected |\n| --- | --- | --- | --- | --- |")
    for count, one in speed.items():
        if count != "machine":
            cells = f"{one['one base']:.0f} s | {one['by hand']:.0f} s | {one['ratio']:.2f} | {one['expected']:.2f}"
            print(f"| {count} | {cells} |")


def plot(path: Path) -> None:
    """Draw every arm's mean of the measures that tell them apart; bars are 95 % over the units."""
    found = results()
    mpl.rcParams["svg.hashsalt"] = "lorarecipe"
    figure = Plot(figsize=(10, 5), layout="constrained")
    names = [name for name in reversed(ARMS) if name in found and "-at-" not in name]
    for axes, (measure, better) in zip(figure.subplots(1, len(_PLOTTED), sharey=True), _PLOTTED.items()):
        means = [interval(values(found, name, measure)) for name in names]
        axes.axvline(means[names.index("five")].mean, color="C3", linewidth=0.8)
        for row, (name, mean) in enumerate(zip(names, means)):
            colour = "C3" if name == "five" else "C0"
            axes.errorbar(
                mean.mean, row, xerr=mean.high - mean.mean, fmt="o", color=colour, elinewidth=0.8, markersize=4
            )
        axes.set(yticks=range(len(names)), yticklabels=names)
        axes.set_title(f"{MEASURES[measure].replace('`', '')}\n({better} is better)", fontsize=9)
        axes.grid(axis="x", linewidth=0.3)
    figure.savefig(path, metadata={"Date": None})


def picture(drawn: Path, path: Path, unit: int = 3) -> None:
    """Put the main arms of a unit below each other, from the pictures that a run has left."""
    side, gap, label = 112, 4, 150
    count = len(list(drawn.glob(f"{unit}-without-*.png")))
    page = Image.new("RGB", (label + count * (side + gap), len(SHOWN) * (side + gap)), "white")
    pen = ImageDraw.Draw(page)
    for row, (name, title) in enumerate(SHOWN.items()):
        pen.text((4, row * (side + gap) + side // 2), title, fill="black")
        for column in range(count):
            with Image.open(drawn / f"{unit}-{name}-{column}.png") as one:
                grown = one.convert("RGB").resize((side, side), Image.Resampling.NEAREST)
            page.paste(grown, (label + column * (side + gap), row * (side + gap)))
    page.quantize(192).save(path, optimize=True)


if __name__ == "__main__":
    plot(RESULTS / "method.svg")
    if sys.argv[1:]:
        picture(Path(sys.argv[1]) / "renders" / "drawn", RESULTS / "method.png")
