"""Put a finished LoRA where its recipe asks, under its name, with what it was made from in its metadata."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from lorarecipe import __version__
from lorarecipe.files import canonical_json, file_digest
from lorarecipe.plan import Delivery, TrainStage
from lorarecipe.store import Store
from lorarecipe.trainer.commands import OUTPUT, lora_of
from lorarecipe.weights import SafetensorsError, Weights, rewrite_metadata


def refuse_what_is_not_ours(delivery: Delivery, out: Path) -> None:
    """Look, before anything is trained, whether a result would take the place of somebody's file.

    Raises
    ------
    RecipeError
        When a file that lorarecipe did not write has the name of a result, or of its record.
    """
    folder, name = out / delivery.name, delivery.name
    for place in (folder / f"{name}.safetensors", *folder.glob(f"{name}-[0-9]*.safetensors"), folder / "run.json"):
        if place.exists() and not _is_ours(place):
            problem = f"{place} is not lorarecipe's; move it away, or use another name or --out"
            raise delivery.recipe.error(("name",), f"found {name!r}, but {problem}")


def _is_ours(place: Path) -> bool:
    try:
        if place.suffix == ".json":
            return "lorarecipe" in json.loads(place.read_text("utf-8"))
        return "lorarecipe.key" in Weights(place).metadata
    except (OSError, ValueError, TypeError, SafetensorsError):
        return False


def deliver(delivery: Delivery, store: Store, out: Path) -> Iterator[tuple[Path, str]]:
    """Write ``out/<name>/<name>.safetensors``, and the kept epochs beside it; gives each file and its SHA-256.

    A file that is right already is left alone.
    """
    metadata = metadata_of(delivery, store)
    made = store.path(delivery.stage.short)
    for source in sorted(made.glob(f"{OUTPUT}*.safetensors")):
        epoch = source.stem.removeprefix(OUTPUT)
        place = out / delivery.name / f"{delivery.name}{epoch}.safetensors"
        wanted = Weights(source).metadata | metadata
        if not place.exists() or Weights(place).metadata != wanted:
            rewrite_metadata(source, place, metadata)
        yield place, file_digest(place)
    if delivery.samples:
        for source in sorted(store.path(delivery.samples.short).glob("*.png")):
            place = out / delivery.name / "samples" / source.name
            if not place.exists() or file_digest(place) != file_digest(source):
                place.parent.mkdir(exist_ok=True)
                draft = place.with_name(f".{place.name}.part")
                shutil.copyfile(source, draft)
                draft.replace(place)
            yield place, file_digest(place)


def metadata_of(delivery: Delivery, store: Store) -> dict[str, str]:
    """Give what is added to the trainer's own metadata.

    ``ss_output_name`` and ``modelspec.title`` are set too: WebUIs show the first as the LoRA's alias, and the
    trainer wrote the same name into every file.
    """
    stage, recipe = delivery.stage, delivery.recipe
    metadata = {
        "ss_output_name": delivery.name,
        "modelspec.title": delivery.name,
        "lorarecipe.version": __version__,
        "lorarecipe.key": stage.key,
        "lorarecipe.recipe": canonical_json([recipe.lines.digest, recipe.base_lines.digest]),
        "lorarecipe.data": stage.data.key,
        "lorarecipe.checkpoint": stage.model.sha256,
        "lorarecipe.trainer": stage.commit,
    }
    if delivery.base:
        metadata |= {
            "lorarecipe.base": delivery.base.key,
            "lorarecipe.base_sha256": file_digest(lora_of(delivery.base, store)),
            "lorarecipe.merge_mode": recipe.merge.mode,
            "lorarecipe.merge_strength": str(recipe.merge.strength),
        }
        if isinstance(delivery.base, TrainStage):
            metadata["lorarecipe.base_data"] = delivery.base.data.key
    return metadata
