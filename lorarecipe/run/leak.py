"""The leak test: what a LoRA brings along besides its character, on the original checkpoint, in numbers.

It stands beside the checkpoint without the LoRA, and beside the control arm where the recipe has one: the same target,
trained without the base. Every picture is measured; a row has the means of one arm, epoch and weight.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lorarecipe import __version__
from lorarecipe.dataset.silhouette import Lab
from lorarecipe.files import write_atomic
from lorarecipe.plan import LeakStage, SampleStage
from lorarecipe.run.advice import advice
from lorarecipe.run.ccip import Ccip
from lorarecipe.run.measures import (
    change,
    outline_by_colour,
    palette_distance,
    palette_of,
    seen,
    softness,
    white_border,
)
from lorarecipe.run.pictures import place_of
from lorarecipe.run.renders import mean_softness, nearest, renders_of
from lorarecipe.run.tagger import Tagger
from lorarecipe.store import Store

#: file of the numbers, beside the LoRA
LEAK = "leak.json"
#: tags that ask for the background that all renders have
_PLAIN = ("white background", "simple background")
#: words that ask for another pose than the renders'
_POSE = re.compile(
    r"\b(sit|kneel|jump|run|walk|lying|danc|crouch|squat|stretch|looking back|arms? up|legs? up|hands? on)"
)
_ARMS = ("without", "base", "control", "target")


@dataclass(frozen=True)
class Shot:
    """One picture, measured; ``place`` is relative to the result's folder. None is what makes no sense for it."""

    place: str
    arm: str
    """``without`` the LoRA, ``target``, ``control``, or ``base``: the base's own LoRA."""
    epoch: int | None
    """None for the last."""
    weight: float
    prompt: str
    seed: int
    unrelated: bool
    """Whether the prompt has nothing to do with the character."""
    white_border: float
    """Share of white along the edge (see ``measures.white_border``)."""
    look_3d: float | None
    """Softness of the shading: 0 as without the LoRA, of the same seed; 1 as the renders."""
    upright: float | None
    """What the outline of its colours has in common with the nearest render's, where another pose is asked for."""
    palette: float | None
    """Distance of the character's colours from the nearest in the picture, in Lab."""
    change: float | None
    """Distance from the picture without the LoRA, of the same seed, in Lab."""
    tags: dict[str, float]
    """What models say: a tagger's scores of `3d` and `realistic`, from 0 to 1; CCIP's difference from the renders."""


@dataclass(frozen=True)
class Row:
    """Means over the pictures of one arm, epoch and weight; unrelated ones only in ``change_unrelated``."""

    arm: str
    epoch: int | None
    weight: float
    pictures: int
    white_border: float | None
    """Of prompts that ask for no white background."""
    look_3d: float | None
    upright: float | None
    palette: float | None
    change: float | None
    change_unrelated: float | None
    tags: dict[str, float]


def write_leak(stage: LeakStage, folder: Path, store: Store) -> None:
    """Measure every picture, and write them, their means and what follows into ``folder``."""
    shots = sorted(_shots(stage, store), key=lambda shot: (_ARMS.index(shot.arm), shot.epoch or 10**6, shot.weight))
    groups: dict[tuple[str, int | None, float], list[Shot]] = {}
    for shot in shots:
        groups.setdefault((shot.arm, shot.epoch, shot.weight), []).append(shot)
    rows = [asdict(_row(group)) for group in groups.values()]
    record = {
        "lorarecipe": __version__,
        "of": [stage.key],
        "proven_on": "the demo's world only",
        "advice": advice(rows),
        "rows": rows,
        "pictures": [asdict(shot) for shot in shots],
    }
    write_atomic(folder / LEAK, json.dumps(record, indent=2) + "\n")


def leak_in(folder: Path) -> dict[str, Any]:
    """Read what was measured into a folder."""
    record: dict[str, Any] = json.loads((folder / LEAK).read_text("utf-8"))
    return record


def leak_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Write the rows as a table of plain text, which is Markdown too."""
    names = [*rows[0]["tags"]] if rows else []
    heads = (
        "LoRA",
        "epoch",
        "weight",
        "white border",
        "3D look",
        "upright",
        "colours off",
        "change",
        "elsewhere",
        *names,
    )
    lines = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    for row in rows:
        cells = [row["arm"], str(row["epoch"] or "last"), f"{row['weight']:g}", _told(row["white_border"], ".0%")]
        cells += [_told(row["look_3d"], ".2f"), _told(row["upright"], ".2f")]
        cells += [_told(row[name], ".1f") for name in ("palette", "change", "change_unrelated")]
        lines.append(f"| {' | '.join([*cells, *(_told(row['tags'].get(name), '.2f') for name in names)])} |")
    return "\n".join(lines)


def _shots(stage: LeakStage, store: Store) -> Iterator[Shot]:
    renders = renders_of(stage.renders, store, stage.resolution)
    palette = palette_of([render.colours for render in renders])
    soft_renders = mean_softness(renders)
    tagger = Tagger(folder) if (folder := stage.folder("tagger")) else None
    ccip = Ccip(folder, [render.path for render in renders]) if (folder := stage.folder("ccip")) else None
    last = stage.arms["target"][-1]
    without = {
        (prompt, seed): _seen(last, name, store) for name, (prompt, weight, seed) in last.names.items() if weight == 0
    }
    for arm, samples in stage.samples:
        for name, (prompt, weight, seed) in samples.names.items():
            if weight == 0 and samples != last:  # without a LoRA, all stages draw the same
                continue
            colours, bare = _seen(samples, name, store), without.get((prompt, seed))
            room = soft_renders - softness(bare) if bare is not None else 0
            posed = _POSE.search(prompt) and palette and weight
            yield Shot(
                place_of(arm, samples, name),
                arm if weight else "without",
                samples.epoch,
                weight,
                prompt,
                seed,
                prompt in (samples.samples.unrelated or ()),
                round(white_border(colours), 4),
                round((softness(colours) - softness(bare)) / room, 4) if bare is not None and room > 0.05 else None,
                round(nearest(outline_by_colour(colours, palette), renders)[0], 4) if palette and posed else None,
                round(palette_distance(colours, palette), 2) if palette else None,
                round(change(colours, bare), 2) if bare is not None else None,
                (tagger.scores(store.path(samples.short) / name) if tagger else {})
                | ({"ccip": ccip.difference(store.path(samples.short) / name)} if ccip else {}),
            )


def _row(shots: Sequence[Shot]) -> Row:
    about, elsewhere = [shot for shot in shots if not shot.unrelated], [shot for shot in shots if shot.unrelated]

    def mean(measure: Callable[[Shot], float | None], of: Sequence[Shot] = about) -> float | None:
        values = [value for shot in of if (value := measure(shot)) is not None]
        return round(float(np.mean(values)), 4) if values else None

    free = [shot for shot in about if not any(tag in shot.prompt for tag in _PLAIN)]
    first = shots[0]
    return Row(
        first.arm,
        first.epoch,
        first.weight,
        len(shots),
        mean(lambda shot: shot.white_border, free),
        mean(lambda shot: shot.look_3d),
        mean(lambda shot: shot.upright),
        mean(lambda shot: shot.palette),
        mean(lambda shot: shot.change),
        mean(lambda shot: shot.change, elsewhere),
        {name: round(float(np.mean([shot.tags[name] for shot in shots])), 4) for name in first.tags},
    )


def _seen(stage: SampleStage, name: str, store: Store) -> Lab:
    with Image.open(store.path(stage.short) / name) as picture:
        return seen(picture)


def _told(value: float | None, form: str) -> str:
    return "-" if value is None else f"{value:{form}}"
