"""A figure falls into pieces: clothes as white as the background vanish on it.

Why is this bad?
----------------
What cannot be distinguished from the background is learned as background: the character gets holes, and no other rule
can measure it. It happens in flat and toon shading, where white clothes have no shade.

A full figure on white should be one part. On 202 correct renders of a figure in grey and white it was; white clothes in
flat and toon shading gave 3 to 7. Three or more are found; two may be a halo, or a thing that floats.

Example
-------
``aoi/full_front.png``: ``in clothes as white as the background``

Use instead
-----------
``aoi/full_front.png``: ``in clothes that stand out``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity
from lorarecipe.rules.shots import falls_apart, readable, stands_on_white

SEVERITY: Severity = "warning"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Count the parts of every full figure."""
    for picture in readable(dataset):
        if falls_apart(picture) and stands_on_white(picture):
            message = (
                f"found a figure in {picture.look.parts} pieces, expected one: white parts cannot be distinguished "
                "from the white background; give them a light grey, or render with an outline or smooth shading"
            )
            yield Finding(picture.path, 1, 1, message)
