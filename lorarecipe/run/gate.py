"""The gate: does a base draw what it is asked for, and everything 3D, white and upright? In numbers, with a verdict.

Whatever it does not draw so is left for the target to learn, and leaks. The bar is the author's: the samples show the
hair varying, the white background fixed, the pose almost fixed (technique reference, section 5).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from lorarecipe.dataset.captions import tags_of
from lorarecipe.dataset.look import look_at
from lorarecipe.dataset.tones import Colour
from lorarecipe.files import write_atomic
from lorarecipe.plan import GateStage
from lorarecipe.rules.vocabulary import BODIES, HAIR_COLOURS, HAIRSTYLES, ZOOMS
from lorarecipe.run.measures import outline, seen, softness, white_around
from lorarecipe.run.renders import Render, hair_colours, nearest, renders_of
from lorarecipe.store import Store

Verdict = Literal["pass", "doubtful", "fail"]
#: file of what was measured
GATE = "gate.json"
_ORDER: tuple[Verdict, ...] = ("fail", "doubtful", "pass")
#: share of white along the edge (technique reference, section 5)
_WHITE = 0.95
#: what an outline has in common with the nearest render's, when it stands as that does
_UPRIGHT = 0.75
#: softness of the shading, of the renders' own
_SOFT = 0.7
#: share of the pictures that have to be right: to pass, and to be doubtful
_PASS, _DOUBTFUL = 0.9, 0.6
#: where a scene or another pose is asked for: some pull of such words is no harm, and no source has a number. In the
#: demo's world a base that half withstands them keeps its target free of both, and one of a tenth of the steps has 0
_PASS_SCENE, _DOUBTFUL_SCENE = 0.5, 0.25


@dataclass(frozen=True)
class Seen:
    """What was measured of one picture, beside what was asked for."""

    file: str
    prompt: str
    seed: int
    scene: bool
    """Whether the prompt asks for what the renders do not have."""
    white: float
    """Share of white along the edge, where no figure reaches it."""
    overlap: float
    """Of the outline with the nearest render's."""
    shading: float
    """Softness, of the nearest render's."""
    zoom: str | None
    """Of the nearest render."""
    hair: Colour | None
    """L*a*b* of the crown."""
    hair_read: str | None
    """The nearest of the colours that were asked for."""

    def asked(self, tags: Iterable[str]) -> str | None:
        """Give the first of some tags that the prompt has."""
        return next((tag for tag in _tags(self.prompt) if tag in tags), None)


@dataclass(frozen=True)
class Check:
    """One thing that a base has to show: in how many pictures it does, and what follows."""

    name: str
    right: int
    of: int
    verdict: Verdict
    note: str = ""


@dataclass(frozen=True)
class Gate:
    """What a base, or the checkpoint that it was merged into, showed."""

    of: Literal["base", "merged"]
    checks: tuple[Check, ...]
    pictures: tuple[Seen, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of all."""
        return min((check.verdict for check in self.checks), key=_ORDER.index)

    def as_json(self) -> dict[str, Any]:
        """Give all of it."""
        return {"verdict": self.verdict, **asdict(self)}


def write_gate(stage: GateStage, folder: Path, store: Store) -> None:
    """Measure what a base, or the checkpoint that it was merged into, has drawn, and write it into ``folder``."""
    drawn, pictures = store.path(stage.pictures.short), {}
    for name, (prompt, _, seed) in stage.pictures.names.items():
        with Image.open(drawn / name) as picture:
            pictures[name] = (prompt, seed, picture.convert("RGB"))
    renders = renders_of(stage.renders, store, stage.pictures.resolution)
    gate = judge("merged" if stage.pictures.merged else "base", pictures, renders)
    write_atomic(folder / GATE, json.dumps(gate.as_json()))


def is_measured(stage: GateStage, store: Store) -> bool:
    """Tell whether a gate was measured, if perhaps from a file that has changed meanwhile."""
    return (store.path(stage.short) / GATE).is_file()


def gate_in(folder: Path) -> dict[str, Any]:
    """Read what was measured into a folder."""
    gate: dict[str, Any] = json.loads((folder / GATE).read_text("utf-8"))
    return gate


def judge(
    of: Literal["base", "merged"], shown: Mapping[str, tuple[str, int, Image.Image]], renders: Sequence[Render]
) -> Gate:
    """Measure pictures, by the names of their files, each with its prompt and seed, and give the verdict."""
    traits = {tag for render in renders for tag in render.tags}
    known = traits | HAIR_COLOURS | HAIRSTYLES | BODIES | {*ZOOMS, "from behind"}
    asked = {tag for prompt, _, _ in shown.values() for tag in _tags(prompt) if tag in HAIR_COLOURS}
    colours = {tag: colour for tag, colour in hair_colours(renders).items() if tag in asked}
    pictures = []
    for file, (prompt, seed, picture) in shown.items():
        small = seen(picture)
        common, render = nearest(outline(small), renders)
        hair = look_at(picture).hair
        pictures.append(
            Seen(
                file,
                prompt,
                seed,
                any(tag not in known for tag in _tags(prompt)),
                round(white_around(small), 4),
                round(common, 4),
                round(softness(small) / max(softness(render.colours), 0.01), 4),
                render.zoom,
                hair,
                _nearest_colour(hair, colours) if hair else None,
            )
        )
    return Gate(of, tuple(_checks(pictures, len(colours))), tuple(pictures))


def gate_table(checks: Iterable[Mapping[str, Any]]) -> str:
    """Write the checks as a table of plain text, which is Markdown too."""
    lines = ["| check | pictures | verdict |", "| --- | --- | --- |"]
    for check in checks:
        note = f" ({check['note']})" if check["note"] else ""
        lines.append(f"| {check['name']} | {check['right']} of {check['of']} | {check['verdict']}{note} |")
    return "\n".join(lines)


def _checks(pictures: Sequence[Seen], colours: int) -> Iterable[Check]:
    plain = [one for one in pictures if not one.scene]
    scenes = [one for one in pictures if one.scene]
    coloured = [(one, tag) for one in plain if (tag := one.asked(HAIR_COLOURS))]
    zoomed = [(one, tag) for one in plain if (tag := one.asked(ZOOMS))]
    yield _check("white background", [one.white >= _WHITE for one in plain])
    yield _check("upright", [one.overlap >= _UPRIGHT for one in plain])
    yield _check("3D", [one.shading >= _SOFT for one in pictures if one.white >= _WHITE])
    hair = _check("hair colour as asked", [one.hair_read == tag for one, tag in coloured])
    yield hair if colours > 1 else Check(hair.name, hair.right, hair.of, "doubtful", "one colour shows nothing")
    yield _check("zoom as asked", [one.zoom == tag for one, tag in zoomed])
    bars = _PASS_SCENE, _DOUBTFUL_SCENE
    yield _check("white in spite of a scene", [one.white >= _WHITE for one in scenes], bars)
    yield _check("upright in spite of a pose", [one.overlap >= _UPRIGHT for one in scenes], bars)


def _check(name: str, right: Sequence[bool], bars: tuple[float, float] = (_PASS, _DOUBTFUL)) -> Check:
    if not right:
        return Check(name, 0, 0, "doubtful", "no picture tells")
    share = sum(right) / len(right)
    return Check(
        name, sum(right), len(right), "pass" if share >= bars[0] else "doubtful" if share >= bars[1] else "fail"
    )


def _nearest_colour(hair: Colour, colours: Mapping[str, Colour]) -> str | None:
    return min(colours, key=lambda tag: float(np.linalg.norm(np.subtract(hair, colours[tag]))), default=None)


def _tags(prompt: str) -> list[str]:
    return [tag.text for tag in tags_of(prompt)]
