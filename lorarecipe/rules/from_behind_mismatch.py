"""``from behind`` contradicts the image's name, or the same shot of another character.

Why is this bad?
----------------
A back view has no face. Named, it is a view; unnamed, "no face" is learned as something that happens, and a face
that is named a back view teaches the tag away.

Where it belongs is read from the file's name (``back`` or ``behind`` in it; ``front`` or ``side`` against it), and
else from the characters of the base: one stem is one camera, so its view is the same for all.

Example
-------
``full_back_180.txt``: ``red hair, full body``

Use instead
-----------
``full_back_180.txt``: ``red hair, from behind, full body``
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from lorarecipe.dataset import Caption, Dataset
from lorarecipe.rules.finding import Finding, Severity, at

SEVERITY: Severity = "error"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Compare the tag with the file's name, and with the same stem elsewhere."""
    unnamed: defaultdict[str, list[Caption]] = defaultdict(list)
    for group in dataset.groups:
        for caption in (picture.caption for picture in group.pictures if picture.caption):
            words = set(re.split(r"[^a-z]+", caption.path.stem.lower()))
            tag = next((tag for tag in caption.tags if tag.text == "from behind"), None)
            if words & {"back", "behind"}:
                if not tag:
                    yield at(caption, None, "found no 'from behind', which the file's name asks for")
            elif words & {"front", "side"}:
                if tag:
                    yield at(caption, tag, "found 'from behind', which the file's name contradicts")
            else:
                unnamed[caption.path.stem].append(caption)
    for stem, same in unnamed.items():
        behind = [caption for caption in same if "from behind" in caption.words]
        if behind and len(behind) < len(same):
            odd = behind if len(behind) * 2 <= len(same) else [caption for caption in same if caption not in behind]
            for caption in odd:
                has = "found" if caption in behind else "found no"
                yield at(caption, None, f"{has} 'from behind', unlike the other images named {stem!r}")
