"""``from behind`` contradicts the image's name, or the same shot of another character.

Why is this bad?
----------------
A back view has no face. Named, it is a view; unnamed, "no face" is learned as something that happens, and a face that
is named a back view teaches the tag away.

Where it belongs is read from the file's name: by the pattern of the recipe's ``captions``, as `lorarecipe caption`
reads it, or else by the words ``back`` and ``behind``, and against it ``front`` and ``side``. Other names count when
all characters of the base have the same ones, which then are cameras: one camera has one view.

Example
-------
``red/full_back.txt``: ``red hair, short hair, small breasts, full body``

Use instead
-----------
``red/full_back.txt``: ``red hair, short hair, small breasts, from behind, full body``
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from lorarecipe.dataset import Caption, Dataset, Group, Tag
from lorarecipe.rules.finding import Finding, Severity, at
from lorarecipe.rules.names import read_name

SEVERITY: Severity = "error"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Compare the tag with the file's name, and with the same camera's view of the base's other characters."""
    cameras: defaultdict[str, list[Caption]] = defaultdict(list)
    for group, caption, asked in _named(dataset):
        tag = _tag(caption)
        if asked and not tag:
            yield at(caption, None, "found no 'from behind', which the file's name asks for")
        elif asked is False and tag:
            yield at(caption, tag, "found 'from behind', which the file's name contradicts")
        elif asked is None and group.phase == "base" and not caption.path.stem.isdigit():
            cameras[caption.path.stem].append(caption)
    if any(len(same) != len(dataset.base) for same in cameras.values()):
        return
    for stem, same in cameras.items():
        behind = [caption for caption in same if _tag(caption)]
        if 0 < len(behind) < len(same):
            odd = behind if len(behind) * 2 <= len(same) else [caption for caption in same if not _tag(caption)]
            for caption in odd:
                has = "found 'from behind'" if _tag(caption) else "found no 'from behind'"
                yield at(caption, None, f"{has}, unlike the other images named {stem!r}")


def _named(dataset: Dataset) -> Iterator[tuple[Group, Caption, bool | None]]:
    """Give each caption that holds tags, and whether its image's name says that it is a view from behind."""
    recipe = dataset.recipe
    tables = {"base": recipe.base.captions, "target": recipe.target.captions if recipe.target else None}
    for group in dataset.groups:
        for picture in group.pictures:
            if picture.caption and picture.caption.tags:
                behind = read_name(picture.path, tables[group.phase]).behind
                # what the pattern does not tell, common words may
                yield group, picture.caption, read_name(picture.path, None).behind if behind is None else behind


def _tag(caption: Caption) -> Tag | None:
    return next((tag for tag in caption.tags if tag.text == "from behind"), None)
