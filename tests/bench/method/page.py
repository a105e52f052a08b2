"""The README's page on the method, from the raw results: tables, a plot and a picture.

Usage: python -m tests.bench.method.page [FOLDER]; draws the plot, and with the FOLDER of a run the picture too
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure as Plot
from PIL import Image, ImageDraw

from tests.bench.method.arms import ARMS, MAIN
from tests.bench.method.claims import CLAIMS, Difference, difference, interval, results, values, verdict
from tests.bench.method.measure import MEASURES

RESULTS = Path(__file__).parent.parent / "results"
RAW, REAL, SPEED = (RESULTS / f"{name}.json" for name in ("method", "method-sd-scripts", "speed"))
#: rows of the picture
SHOWN = {
    "without": "without a LoRA",
    "naive": "no base, at 1.0",
    "naive-half": "no base, at 0.5",
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
_PLOTTED = {"likeness": "more", "hair": "less", "drawn": "less", "change": "less"}
_JUDGED = ("likeness", "hair", "style", "drawn", "white", "change")


def arms() -> None:
    """Print the table of all arms: means, in bold where they are apart from the method's own."""
    raw = results(RAW)
    print("| | " + " | ".join(MEASURES.values()) + " |\n|" + " --- |" * (len(MEASURES) + 1))
    for name, arm in ARMS.items():
        cells = []
        for measure in MEASURES:
            apart = difference(raw, name, "five", measure)
            text = f"{np.mean(values(raw, name, measure)):.2f}" if measure not in {"hair", "change"} else ""
            text = text or f"{np.mean(values(raw, name, measure)):.1f}"
            cells.append(f"**{text}**" if name != "five" and (apart.low > 0 or apart.high < 0) else text)
        print(f"| {arm.told} | " + " | ".join(cells) + " |")


def claims() -> None:
    """Print each claim with the difference that was measured."""
    raw = results(RAW)
    print("| claim | measured | difference [95 %] | here it |\n| --- | --- | --- | --- |")
    for claim in CLAIMS:
        apart = difference(raw, claim.arm, claim.than, claim.measure)
        measured = f"{MEASURES[claim.measure]}, `{claim.arm}` against `{claim.than}`"
        print(f"| {claim.told} | {measured} | {apart} | **{verdict(claim, apart)}** |")


def defaults() -> None:
    """Print what was measured of each default where the sources disagree."""
    ours, real = results(RAW), results(REAL)
    heads = " | ".join(MEASURES[one] for one in _JUDGED)
    print(f"| default | other arm | {heads} |\n|" + " --- |" * (len(_JUDGED) + 2))
    for told, arm in DEFAULTS:
        raw = ours if arm in ARMS else real
        apart = " | ".join(str(difference(raw, arm, "five", one)) for one in _JUDGED)
        print(f"| {told} | `{arm}` | {apart} |")


def trainers() -> None:
    """Print the main arms of both trainers, side by side, and how far they are apart, unit by unit."""
    raw, real = results(RAW), results(REAL)
    numbers = [unit["unit"] for unit in real["units"]]
    ours = raw | {"units": [unit for unit in raw["units"] if unit["unit"] in numbers]}
    print("| | | " + " | ".join(MEASURES.values()) + " |\n|" + " --- |" * (len(MEASURES) + 2))
    differences: list[Difference] = []
    for name in (*MAIN, "loaded"):
        for trainer, told in (("embedded", ours), ("sd-scripts", real)):
            if name in told["units"][0]["arms"]:
                cells = " | ".join(f"{np.mean(values(told, name, measure)):.2f}" for measure in MEASURES)
                print(f"| `{name}` | {trainer} | {cells} |")
        if name in MAIN:
            apart = [interval(values(real, name, one) - values(ours, name, one)) for one in MEASURES]
            print(f"| `{name}` | difference [95 %] | " + " | ".join(map(str, apart)) + " |")
            differences += apart
    told_apart = sum(one.low > 0 or one.high < 0 for one in differences)
    print(f"\nOf {len(differences)} differences between the trainers, {told_apart} are told apart from zero.")


def merging() -> None:
    """Print what a merge costs."""
    told = results(SPEED)["merge"]
    print(
        f"| {told['modules']} modules into a full-size SD1.5, fp16 | until written | at the least | flushed | memory |"
    )
    print("|" + " --- |" * 5)
    for name, what in (("copy", "copying the file"), ("ours", "merging")):
        one = told[name]
        seconds = " | ".join(f"{one[part]:.1f} s" for part in ("seconds", "least", "flushed"))
        print(f"| {what} | {seconds} | {one['gigabytes']:.2f} GB |")
    ratios = " | ".join(f"{ratio:.1f}" for ratio in told["of a copy"].values())
    print(f"| of a copy | {ratios} | |")
    script = told["script"]
    print(f"| sd-scripts' `merge_lora.py` | {script['seconds']:.1f} s | | | {script['gigabytes']:.2f} GB |")


def training() -> None:
    """Print what both trainers make of the same training, and what each takes to begin."""
    told, start = results(SPEED)["trainers"], results(SPEED)["start"]
    print("| | images a second | memory | to the first step | imports: script | launcher |\n|" + " --- |" * 6)
    for name, what in (
        ("embedded", "embedded, nano"),
        ("sd-scripts", "sd-scripts, nano"),
        ("full size", "sd-scripts, full-size SD1.5"),
    ):
        rate = f"{told[name]['images a second']:.1f} | {told[name]['gigabytes']:.2f} GB" if name in told else " | "
        one = start[name]
        seconds = " | ".join(f"{one[part]:.1f} s" for part in ("first step", "imports", "launcher"))
        print(f"| {what} | {rate} | {seconds} |")


def characters() -> None:
    """Print what characters cost on one base, in what as many two-phase runs by hand cost."""
    told = results(SPEED)["characters"]
    print("| characters | one base | by hand | ratio | expected |\n| --- | --- | --- | --- | --- |")
    for count, one in told.items():
        if count != "machine":
            cells = f"{one['one base']:.0f} s | {one['by hand']:.0f} s | {one['ratio']:.2f} | {one['expected']:.2f}"
            print(f"| {count} | {cells} |")


def shape() -> None:
    """Print what it was measured on."""
    raw = results(RAW)
    steps, units = raw["steps"], raw["units"]
    seeds = len({unit["seed"] for unit in units})
    print(
        f"{len(units)} targets, {seeds} seeds of bases, {steps['base']} steps a base and {steps['target']} a target, "
        f"{raw['trainer']} trainer, {raw['cores']} cores, torch {raw['torch']}, commit `{raw['commit'][:9]}`."
    )


def plot(path: Path) -> None:
    """Draw every arm's mean of the measures that tell them apart; bars are 95 % over the units."""
    raw = results(RAW)
    mpl.rcParams["svg.hashsalt"] = "lorarecipe"
    figure = Plot(figsize=(10, 5), layout="constrained")
    names = list(reversed(ARMS))
    for axes, (measure, better) in zip(figure.subplots(1, len(_PLOTTED), sharey=True), _PLOTTED.items()):
        means = [interval(values(raw, name, measure)) for name in names]
        axes.axvline(means[names.index("five")].mean, color="C3", linewidth=0.8)
        for row, (name, told) in enumerate(zip(names, means)):
            colour = "C3" if name == "five" else "C0"
            axes.errorbar(
                told.mean, row, xerr=told.high - told.mean, fmt="o", color=colour, elinewidth=0.8, markersize=4
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
    for row, (name, told) in enumerate(SHOWN.items()):
        pen.text((4, row * (side + gap) + side // 2), told, fill="black")
        for column in range(count):
            with Image.open(drawn / f"{unit}-{name}-{column}.png") as one:
                grown = one.convert("RGB").resize((side, side), Image.Resampling.NEAREST)
            page.paste(grown, (label + column * (side + gap), row * (side + gap)))
    page.quantize(192).save(path, optimize=True)


if __name__ == "__main__":
    plot(RESULTS / "method.svg")
    if sys.argv[1:]:
        picture(Path(sys.argv[1]) / "renders" / "drawn", RESULTS / "method.png")
