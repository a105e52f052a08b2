"""What the stages of a plan are made from, as records keep it, and what differs between two plans."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from lorarecipe.errors import printable
from lorarecipe.plan import Stage
from lorarecipe.run.form import Identity, PlannedStage
from lorarecipe.run.leaves import flat


def planned(stage: Stage, title: str) -> PlannedStage:
    """Say what a stage is made from."""
    return PlannedStage(
        key=stage.key,
        name=stage.short,
        title=title,
        identity=Identity.model_validate(stage.identity()),
        paths=stage.paths,
        sum=stage.sum,
    )


def plan_changes(before: Sequence[PlannedStage], after: Sequence[PlannedStage]) -> Iterator[str]:
    """Name what differs between the stages of two plans, as records have them.

    Stages are matched by their kind and title. Keys of other stages are left out: what these are made from says more.
    """
    keys = {f'"{stage.key}"' for stage in (*before, *after)}
    # the same stage under another title, as of a recipe that was renamed, is no change
    same = {stage.name for stage in before} & {stage.name for stage in after}
    earlier = {(stage.kind, stage.title): stage for stage in before if stage.name not in same}
    for stage in (stage for stage in after if stage.name not in same):
        title = stage.title
        old = earlier.pop((stage.kind, title), None)
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


def _facts(stage: PlannedStage) -> dict[str, str]:
    """Give what a stage is made from, by name: images and captions by the image's file."""
    images = [image for group in stage.identity.groups for image in group]
    paths = [path for group in stage.paths for path in group] or [digest for digest, _ in images]
    facts = {
        printable(path): f"image {digest[:12]}, caption {json.dumps(caption, ensure_ascii=False)}"
        for path, (digest, caption) in zip(paths, images, strict=False)  # picks have no groups in their identity
    }
    return facts | flat(json.loads(json.dumps(stage.identity.model_extra)))
