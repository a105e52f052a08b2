"""Whether the author's files are still what the keys of stages were made from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lorarecipe.files import large_file_digest
from lorarecipe.plan import Stage
from lorarecipe.weights import Folder, SafetensorsError


def changed_inputs(stage: Stage, changed: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """List the files that a stage was made from, and whose digest no longer matches its key.

    Images are compared while they are copied, so these are checkpoints, VAEs, bases that were trained elsewhere, and
    models that measure.

    Parameters
    ----------
    stage
        The stage that was made.
    changed
        Such files of stages that were made before it, by their keys.
    """
    before = [file for part in stage.inputs for file in changed.get(part.key, ())]
    now = [str(source.path) for source in stage.sources if _digest(source.path) != source.sha256]
    return tuple(dict.fromkeys([*before, *now]))


def _digest(path: Path) -> str | None:
    try:
        return Folder(path).digest if path.is_dir() else large_file_digest(path)
    except (OSError, SafetensorsError):
        return None
