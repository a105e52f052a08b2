"""The gate: does a base draw what it is asked for, and everything 3D, white and upright? In numbers, with a verdict.

Whatever it does not draw so is left for the target to learn, and leaks. The bar is the author's: the samples show the
hair varying, the white background fixed, the pose almost fixed (technique reference, section 5).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from PIL import Image

from lorarecipe.dataset.captions import tags_of
from lorarecipe.dataset.look import look_at
from lorarecipe.measures.pixels import outline, seen, softness, white_around
from lorarecipe.measures.renders import Render, hair_colours, nearest, nearest_colour
from lorarecipe.records import Check, Gate, GatePicture, Verdict
from lorarecipe.rules.vocabulary import BODIES, HAIR_COLOURS, HAIRSTYLES, ZOOMS

#: raised whenever a gate would give other numbers, or another verdict, of the same pictures
VERSION = 3
#: the worst first
VERDICTS: tuple[Verdict, ...] = ("fail", "doubtful", "pass")
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
_IN_SPITE = 0.5, 0.25


@dataclass(frozen=True)
class Criterion:
    """One thing that a base has to show.

    ``right`` says whether a picture is right; None where the picture says nothing of it.
    """

    name: str
    right: Callable[[GatePicture], bool | None]
    bars: tuple[float, float] = (_PASS, _DOUBTFUL)
    """Share of the pictures that have to be right: to pass, and to be doubtful."""
    compares_colours: bool = False
    """Whether it takes two hair colours to show anything."""


#: in the order of the table
CRITERIA = [
    Criterion("white background", lambda one: None if one.scene else one.white >= _WHITE),
    Criterion("upright", lambda one: None if one.scene else one.overlap >= _UPRIGHT),
    Criterion("3D", lambda one: one.shading >= _SOFT if one.white >= _WHITE else None),
    Criterion("hair colour as asked", lambda one: _as_asked(one, HAIR_COLOURS, one.hair_read), compares_colours=True),
    Criterion("zoom as asked", lambda one: _as_asked(one, ZOOMS, one.zoom)),
    Criterion("white in spite of a scene", lambda one: one.white >= _WHITE if one.scene else None, _IN_SPITE),
    Criterion("upright in spite of a pose", lambda one: one.overlap >= _UPRIGHT if one.scene else None, _IN_SPITE),
]


def judge(
    of: Literal["base", "merged"], shown: Mapping[str, tuple[str, int, Image.Image]], renders: Sequence[Render]
) -> Gate:
    """Measure pictures, by their paths in the result's folder, each with its prompt and seed, and give the verdict."""
    traits = {tag for render in renders for tag in render.tags}
    known = traits | HAIR_COLOURS | HAIRSTYLES | BODIES | {*ZOOMS, "from behind"}
    asked = {tag for prompt, _, _ in shown.values() for tag in _tags(prompt) if tag in HAIR_COLOURS}
    colours = {tag: colour for tag, colour in hair_colours(renders).items() if tag in asked}
    pictures = []
    for path, (prompt, seed, picture) in shown.items():
        small = seen(picture)
        common, render = nearest(outline(small), renders)
        hair = look_at(picture).hair
        pictures.append(
            GatePicture(
                path,
                prompt,
                seed,
                scene=any(tag not in known for tag in _tags(prompt)),
                white=round(white_around(small), 4),
                overlap=round(common, 4),
                shading=round(softness(small) / max(softness(render.colours), 0.01), 4),
                zoom=render.zoom,
                hair=hair,
                hair_read=near[0] if hair and (near := nearest_colour(hair, colours)) else None,
            )
        )
    checks = tuple(_check(criterion, pictures, len(colours)) for criterion in CRITERIA)
    verdict = min((check.verdict for check in checks), key=VERDICTS.index)
    return Gate(of, verdict, checks, tuple(pictures))


def gate_table(checks: Iterable[Check]) -> str:
    """Write the checks as a table of plain text, which is Markdown too."""
    lines = ["| check | pictures | verdict |", "| --- | --- | --- |"]
    for check in checks:
        note = f" ({check.note})" if check.note else ""
        lines.append(f"| {check.name} | {check.right} of {check.of} | {check.verdict}{note} |")
    return "\n".join(lines)


def _check(criterion: Criterion, pictures: Sequence[GatePicture], colours: int) -> Check:
    right = [answer for picture in pictures if (answer := criterion.right(picture)) is not None]
    if criterion.compares_colours and colours < 2:
        return Check(criterion.name, sum(right), len(right), "doubtful", "one colour shows nothing")
    if not right:
        return Check(criterion.name, 0, 0, "doubtful", "no picture tells")
    share, (high, low) = sum(right) / len(right), criterion.bars
    verdict: Verdict = "pass" if share >= high else "doubtful" if share >= low else "fail"
    return Check(criterion.name, sum(right), len(right), verdict)


def _as_asked(picture: GatePicture, tags: Collection[str], drawn: str | None) -> bool | None:
    """Tell whether a picture shows the first of some tags that its prompt has."""
    asked = None if picture.scene else next((tag for tag in _tags(picture.prompt) if tag in tags), None)
    return drawn == asked if asked else None


def _tags(prompt: str) -> list[str]:
    return [tag.text for tag in tags_of(prompt)]
