"""``from behind`` contradicts the image's name, or the same shot of another character.

Why is this bad?
----------------
A back view has no face. Named, it is a view; unnamed, "no face" is learned as something that happens, and a face that
is named a back view teaches the tag away.

Where it belongs is read from the file's name (``back`` or ``behind`` in it; ``front`` or ``side`` against it). Other
names count when all characters of the base have the same ones, which then are cameras: one camera has one view.

Example
-------
``red/full_back.txt``: ``red hair, short hair, small breasts, full body``

Use instead
-----------
``red/full_back.txt``: ``red hair, short hair, small breasts, from behind, full body``
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from lorarecipe.dataset import Caption, Dataset, Tag
from lorarecipe.rules.finding import Finding, Severity, at, captions

SEVERITY: Severity = "error"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Compare the tag with the file's name, and with the same camera's view of the base's other characters."""
    for caption in (*captions(dataset, "base"), *captions(dataset, "target")):
        asked, tag = _view(caption), _tag(caption)
        if asked and not tag:
            yield at(caption, None, "found no 'from behind', which the file's name asks for")
        elif asked is False and tag:
            yield at(caption, tag, "found 'from behind', which the file's name contradicts")
    cameras: defaultdict[str, list[Caption]] = defaultdict(list)
    for caption in captions(dataset, "base"):
        if _view(caption) is None and not caption.path.stem.isdigit():
            cameras[caption.path.stem].append(caption)
    if any(len(same) != len(dataset.base) for same in cameras.values()):
        return
    for stem, same in cameras.items():
        behind = [caption for caption in same if _tag(caption)]
        if 0 < len(behind) < len(same):
            odd = behind if len(behind) * 2 <= len(same) else [caption for caption in same if not _tag(caption)]
            for caption in odd:
                has = "found" if _tag(caption) else "found no"
                yield at(caption, None, f"{has} 'from behind', unlike the other images named {stem!r}")


def _tag(caption: Caption) -> Tag | None:
    return next((tag for tag in caption.tags if tag.text == "from behind"), None)


def _view(caption: Caption) -> bool | None:
    """Whether the file's name says that it is a back view; None when it says nothing."""
    words = set(re.split(r"[^a-z]+", caption.path.stem.lower()))
    return True if words & {"back", "behind"} else False if words & {"front", "side"} else None
