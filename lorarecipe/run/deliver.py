"""Put a finished LoRA where its recipe asks, under its name, with what belongs beside it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np

from lorarecipe.files import file_digest, read_file, read_json, write_atomic
from lorarecipe.marked import is_marked
from lorarecipe.plan import OUTPUT, Delivery, TrainStage
from lorarecipe.records import Leak
from lorarecipe.run.measured import LEAK
from lorarecipe.run.notes import are_ours, notes_of, notes_text
from lorarecipe.run.passport import PASSPORT
from lorarecipe.run.pictures import (
    CANDIDATES,
    RECORD,
    deliver_pictures,
    delivered_before,
    pictures_of,
    preview_name,
    sheets_of,
)
from lorarecipe.run.stamp import stamp
from lorarecipe.run.usage import Usage, epoch_of, file_stem, usage_of
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
    files += [*notes_of(delivery).values(), *(map(preview_name, delivery.loras) if delivery.arms else ())]
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
            return (isinstance(record, dict) and "lorarecipe" in record) or are_ours(path)
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


def deliver(delivery: Delivery, store: Store, out: Path, leaks: Leak | None = None) -> Iterator[tuple[Path, str]]:
    """Write ``out/<name>/<name>.safetensors``, and the kept epochs beside it; gives each file and its SHA-256.

    A target that was refined is ``<name>-target.safetensors``. Beside a finished LoRA are its notes and its preview.
    Other pictures go into the folders ``samples`` and ``gate``. What is right already is left alone.

    Parameters
    ----------
    delivery
        The result.
    store
        Where the stages are.
    out
        Folder of the results.
    leaks
        The leak test of the result, where there is one.
    """
    folder, notes = out / delivery.name, notes_of(delivery)
    sources = {
        f"{file_stem(lora, source)}.safetensors": (lora, stage, source)
        for lora, stage in delivery.loras.items()
        for source in sorted(store.path(stage.short).glob(f"{OUTPUT}*.safetensors"))
    }
    _remove_stale(folder, {*sources, *notes.values()})
    digests, usages = set[str](), dict[str, Usage]()
    for name, (lora, stage, source) in sources.items():
        path, usage = folder / name, usage_of(delivery, lora, stage, epoch_of(source), leaks)
        if not epoch_of(source):
            usages[lora] = usage
        metadata = stamp(delivery, lora, source, usage, store)
        if not _is_right(path, source, metadata):
            rewrite_metadata(source, path, metadata, drop=Weights(source).metadata.keys() - metadata.keys())
        digest = file_digest(path)
        digests.add(digest)
        yield path, digest
    baked = folder / baked_name(delivery.name)
    if baked.is_file() and is_ours(baked) and Weights(baked).metadata.get("lorarecipe.baked_from") not in digests:
        baked.unlink()  # of a LoRA that is no longer beside it
    for lora, name in notes.items():
        write_atomic(folder / name, notes_text(delivery, lora, usages[lora]))
        yield folder / name, file_digest(folder / name)
    previews = {lora: usage.picture for lora, usage in usages.items() if usage.picture}
    yield from deliver_pictures(delivery, store, folder, previews)


def _remove_stale(folder: Path, wanted: Collection[str]) -> None:
    """Remove the LoRAs and notes of an earlier result that this one does not have."""
    for name in delivered_before(folder) - {*wanted}:
        path = folder / name
        recognised = {".safetensors": is_ours, ".json": are_ours}.get(path.suffix)
        if recognised and path.exists() and recognised(path):
            path.unlink()


def _is_right(path: Path, source: Path, metadata: dict[str, str]) -> bool:
    try:
        there, made = Weights(path), Weights(source)
    except (OSError, SafetensorsError):
        return False
    same = there.metadata == metadata and there.shapes == made.shapes
    return same and all(np.array_equal(there.read(name), made.read(name), equal_nan=True) for name in made.names)
