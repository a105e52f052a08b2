"""What the stages of a plan are made from, as records keep it, and what differs between two plans."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from lorarecipe.errors import printable
from lorarecipe.plan import Stage
from lorarecipe.run.leaves import flat


def planned(stage: Stage, title: str) -> dict[str, Any]:
    """Say what a stage is made from."""
    return {"key": stage.key, "name": stage.short, "title": title, "identity": stage.identity(), **stage.notes}


def plan_changes(before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Name what differs between the stages of two plans, as records have them under ``plan``.

    Stages are matched by their kind and title. Keys of other stages are left out: what these are made from says more.
    """
    keys = {f'"{stage["key"]}"' for stage in (*before, *after)}
    # the same stage under another title, as of a recipe that was renamed, is no change
    same = {stage["name"] for stage in before} & {stage["name"] for stage in after}
    earlier = {(_kind(stage), stage["title"]): stage for stage in before if stage["name"] not in same}
    for stage in (stage for stage in after if stage["name"] not in same):
        title = stage["title"]
        old = earlier.pop((_kind(stage), title), None)
        if old is None:
            yield f"{title}: new"
            continue
        was, now = _facts(old), _facts(stage)
        names = [name for name in sorted(was.keys() | now.keys()) if was.get(name) != now.get(name)]
        named = [name for name in names if was.get(name) not in keys and now.get(name) not in keys]
        yield from (f"{title}: {name} was {was.get(name, 'nothing')}, is {now.get(name, 'nothing')}" for name in named)
        if not names:
            yield f"{title}: the images are in another order"
    yield from (f"{title}: no longer in the plan" for _, title in earlier)


def _kind(stage: dict[str, Any]) -> str:
    return str(stage["name"]).partition("-")[0]


def _facts(stage: dict[str, Any]) -> dict[str, str]:
    """Give what a stage is made from, by name: images and captions by the image's file."""
    identity = dict(stage["identity"])
    images: list[tuple[str, str]] = [image for group in identity.pop("groups", []) for image in group]
    paths = [path for group in stage.get("paths", []) for path in group] or [digest for digest, _ in images]
    facts = {
        printable(path): f"image {digest[:12]}, caption {json.dumps(caption, ensure_ascii=False)}"
        for path, (digest, caption) in zip(paths, images, strict=False)  # picks have no groups in their identity
    }
    return facts | flat(json.loads(json.dumps(identity)))
