"""What a stage is made from: the stages it consumes, and the author's files, which may change meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from lorarecipe.files import large_file_digest
from lorarecipe.plan import BaseFile, MergeStage, PickStage, SampleStage, Stage, TrainStage
from lorarecipe.weights import Folder, SafetensorsError


def consumed(stage: Stage) -> list[Stage]:
    """Stages whose results a stage is made from."""
    return [part for part in _parts(stage) if isinstance(part, Stage)]


def changed_inputs(stage: Stage, changed: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Give the files that a stage was made from and that are not what its key says; ``changed`` are those of others.

    Images are compared while they are staged; so this is about checkpoints, VAEs and foreign bases.
    """
    before = [file for part in consumed(stage) for file in changed.get(part.key, ())]
    now = [str(path) for path, digest in _files(stage) if _digest(path) != digest]
    return tuple(dict.fromkeys([*before, *now]))


def _parts(stage: Stage) -> list[object]:
    if isinstance(stage, TrainStage):
        return [stage.data, stage.merged, stage.loaded]
    if isinstance(stage, MergeStage):
        return [stage.base]
    if isinstance(stage, PickStage):
        return [stage.drawn]
    return [stage.lora, stage.merged] if isinstance(stage, SampleStage) else []


def _files(stage: Stage) -> Iterator[tuple[Path, str]]:
    yield from ((part.path, part.sha256) for part in _parts(stage) if isinstance(part, BaseFile))
    if isinstance(stage, MergeStage) or (isinstance(stage, TrainStage | SampleStage) and not stage.merged):
        yield stage.model.path, stage.model.sha256
    if isinstance(stage, TrainStage) and stage.model.vae and stage.model.vae_sha256:
        yield stage.model.vae, stage.model.vae_sha256


def _digest(path: Path) -> str | None:
    try:
        return Folder(path).digest if path.is_dir() else large_file_digest(path)
    except (OSError, SafetensorsError):
        return None
