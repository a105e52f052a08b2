"""One phase has shots of a zoom and view that the other never saw.

Why is this bad?
----------------
Only the difference between the phases is learned. A framing that the base never drew 3D and on white is learned
together with the character; one that the target lacks was trained for nothing.

Example
-------
``aoi/upper_front.txt``: ``white background, portrait``

Use instead
-----------
``aoi/upper_front.txt``: ``white background, upper body``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity, at_key
from lorarecipe.rules.vocabulary import ZOOMS

SEVERITY: Severity = "warning"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Compare the sets of zoom and view, once every image has both."""
    shots: dict[str, set[str]] = {"base": set(), "target": set()}
    for group in dataset.groups:
        for picture in group.pictures:
            zoom = next((word for word in picture.caption.words if word in ZOOMS), "") if picture.caption else ""
            if not zoom:
                return
            behind = picture.caption is not None and "from behind" in picture.caption.words
            shots[group.phase].add(f"{zoom} from behind" if behind else zoom)
    for phase, other, where in (
        ("target", "base", dataset.recipe.target.place if dataset.recipe.target else ("target",)),
        ("base", "target", ("base", "characters")),
    ):
        if shots[other] and (missing := ", ".join(sorted(shots[phase] - shots[other]))):
            yield at_key(dataset.recipe, where, f"found shots that the {other} has none of: {missing}")
