"""Put a finished LoRA where its recipe asks, under its name, with what it was made from in its metadata."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lorarecipe import __version__
from lorarecipe.files import canonical_json, file_digest, read_file, read_json
from lorarecipe.marked import is_marked
from lorarecipe.plan import OUTPUT, Delivery, TrainStage
from lorarecipe.run.measured import LEAK
from lorarecipe.run.passport import PASSPORT
from lorarecipe.run.pictures import (
    CANDIDATES,
    RECORD,
    deliver_pictures,
    delivered_before,
    pictures_of,
    sheets_of,
)
from lorarecipe.store import Store
from lorarecipe.weights import SafetensorsError, Weights, rewrite_metadata

#: the page, beside the LoRA; the program's name stands in its head
REPORT = "report.html"
_GENERATOR = '<meta name="generator" content="lorarecipe'


def refuse_what_is_not_ours(delivery: Delivery, out: Path) -> None:
    """Look, before anything is trained, whether a result would take the place of somebody's file.

    Raises
    ------
    RecipeError
        When a file that lorarecipe did not write has the name of a result, or of its record.
    """
    folder, name = out / delivery.name, delivery.name
    files = [file for lora, stage in delivery.loras.items() for file in _files_of(lora, stage)]
    files += [baked_name(name)] if delivery.recipe.deliver.weight else []
    files += [RECORD, LEAK, PASSPORT, REPORT, CANDIDATES, *pictures_of(delivery), *sheets_of(delivery)]
    for path in (folder / file for file in files):
        if os.path.lexists(path) and not is_ours(path):
            problem = f"{path} is not lorarecipe's; move it away, or use another name or --out"
            raise delivery.recipe.error(("name",), f"found {name!r}, but {problem}")


def baked_name(name: str) -> str:
    """Give the name of a result's file whose weight 1.0 is another weight of its LoRA."""
    return f"{name}-baked.safetensors"


def is_ours(path: Path) -> bool:
    """Tell whether lorarecipe wrote a file."""
    try:
        if path.suffix == ".json":
            record = read_json(path)
            return isinstance(record, dict) and "lorarecipe" in record
        if path.suffix == ".html":
            return _GENERATOR in read_file(path).decode()
        if path.suffix == ".png":
            return is_marked(path)
        return "lorarecipe.key" in Weights(path).metadata
    except (OSError, ValueError, TypeError, SafetensorsError):
        return False


def _files_of(lora: str, stage: TrainStage) -> Iterator[str]:
    """Name the files that a LoRA may have: the finished one, and one for each epoch that is kept."""
    yield f"{lora}.safetensors"
    epochs = stage.steps.epochs if stage.training.save_every_epochs else 0
    yield from (f"{lora}-{epoch:06d}.safetensors" for epoch in range(1, epochs + 1))


def deliver(delivery: Delivery, store: Store, out: Path) -> Iterator[tuple[Path, str]]:
    """Write ``out/<name>/<name>.safetensors``, and the kept epochs beside it; gives each file and its SHA-256.

    A target that was refined is ``<name>-target.safetensors``. Pictures go into the folders ``samples`` and ``gate``.
    What is right already is left alone.
    """
    sources = {
        out / delivery.name / f"{lora}{source.stem.removeprefix(OUTPUT)}.safetensors": (lora, stage, source)
        for lora, stage in delivery.loras.items()
        for source in sorted(store.path(stage.short).glob(f"{OUTPUT}*.safetensors"))
    }
    before = {out / delivery.name / name for name in delivered_before(out / delivery.name)}
    for stale in {path for path in before if path.suffix == ".safetensors"} - sources.keys():
        if stale.exists() and is_ours(stale):
            stale.unlink()  # an epoch of an earlier result
    digests = set[str]()
    for path, (lora, stage, source) in sources.items():
        metadata = metadata_of(delivery, lora, stage, store) | {"ss_steps": str(_steps_of(source, stage))}
        if not _is_right(path, source, metadata):
            rewrite_metadata(source, path, metadata)
        digest = file_digest(path)
        digests.add(digest)
        yield path, digest
    baked = out / delivery.name / baked_name(delivery.name)
    if baked.is_file() and is_ours(baked) and Weights(baked).metadata.get("lorarecipe.baked_from") not in digests:
        baked.unlink()  # of a LoRA that is no longer beside it
    yield from deliver_pictures(delivery, store, out / delivery.name)


def _steps_of(lora: Path, stage: TrainStage) -> int:
    """Count the steps that a LoRA was trained for; sd-scripts tells those since the last time it was resumed."""
    steps, epoch = stage.steps, lora.stem.removeprefix(OUTPUT).removeprefix("-")
    return min(int(epoch) * steps.per_epoch, steps.total) if epoch else steps.total


def _is_right(path: Path, source: Path, metadata: dict[str, str]) -> bool:
    try:
        there, made = Weights(path), Weights(source)
    except (OSError, SafetensorsError):
        return False
    same = there.metadata == made.metadata | metadata and there.shapes == made.shapes
    return same and all(np.array_equal(there.read(name), made.read(name), equal_nan=True) for name in made.names)


def metadata_of(delivery: Delivery, lora: str, stage: TrainStage, store: Store) -> dict[str, str]:
    """Give what is added to the trainer's own metadata of a LoRA.

    ``ss_output_name`` and ``modelspec.title`` are set too: WebUIs show the first as the LoRA's alias, and the
    trainer wrote the same name into every file.
    """
    recipe = delivery.recipe
    metadata = {
        "ss_output_name": lora,
        "modelspec.title": lora,
        "lorarecipe.version": __version__,
        "lorarecipe.key": stage.key,
        "lorarecipe.recipe": canonical_json([recipe.lines.digest, recipe.base_lines.digest]),
        "lorarecipe.data": stage.data.key,
        "lorarecipe.checkpoint": stage.model.main.sha256,
        "lorarecipe.trainer": stage.commit,
    }
    if recipe.rehearsal:
        metadata["lorarecipe.rehearsal"] = "yes"
    if stage.role == "refined" and delivery.target:
        metadata["lorarecipe.refined_from"] = delivery.target.key
    if delivery.base:
        metadata |= {
            "lorarecipe.base": delivery.base.key,
            "lorarecipe.base_sha256": file_digest(delivery.base.file(store.path)),
            "lorarecipe.merge_mode": recipe.merge.mode,
            "lorarecipe.merge_strength": str(recipe.merge.strength),
        }
        if isinstance(delivery.base, TrainStage):
            metadata["lorarecipe.base_data"] = delivery.base.data.key
    return metadata
