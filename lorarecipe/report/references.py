"""The renders that drawn pictures are judged against, and which of them belong beside a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lorarecipe.dataset.captions import tags_of
from lorarecipe.run import PlannedStage

#: renders of a character, or of a base, that a page shows at most
_MOST = 24
#: renders beside one prompt
_BESIDE = 2


@dataclass(frozen=True)
class Reference:
    """A render, and its caption."""

    path: Path
    caption: str


def references_of(images: PlannedStage | None) -> list[Reference]:
    """Give the renders of a set; of many, some from the first to the last."""
    if not images:
        return []
    paths = [Path(path) for group in images.paths for path in group]
    captions = [caption for group in images.identity.groups for _, caption in group]
    found = [Reference(path, caption) for path, caption in zip(paths, captions, strict=False)]
    return found[:: -(-len(found) // _MOST)] if found else []


def beside(prompt: str, captions: Sequence[str]) -> list[int]:
    """Give the numbers of the renders whose captions share the most tags with a prompt, and have the fewest others."""
    wanted = _tags(prompt)
    tags = [_tags(caption) for caption in captions]
    alike = [(len(wanted & own), -len(own - wanted)) for own in tags]
    return [number for number, likeness in enumerate(alike) if likeness == max(alike)][:_BESIDE]


def _tags(text: str) -> set[str]:
    return {tag.text for tag in tags_of(text)}
