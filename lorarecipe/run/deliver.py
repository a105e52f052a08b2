"""Put a finished LoRA where its recipe asks, under its name, with what it was made from in its metadata."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lorarecipe import __version__
from lorarecipe.errors import RecipeError
from lorarecipe.files import canonical_json, file_digest
from lorarecipe.plan import Delivery, TrainStage
from lorarecipe.store import Store
from lorarecipe.trainer.commands import OUTPUT, lora_of
from lorarecipe.weights import SafetensorsError, Weights, rewrite_metadata


def deliver(delivery: Delivery, store: Store, out: Path) -> Iterator[tuple[Path, str]]:
    """Write ``out/<name>/<name>.safetensors``, and the kept epochs beside it; gives each file and its SHA-256.

    A file that is right already is left alone.

    Raises
    ------
    RecipeError
        When a file that lorarecipe did not write has the name of the result.
    """
    metadata = metadata_of(delivery, store)
    made = store.path(delivery.stage.short)
    for source in sorted(made.glob(f"{OUTPUT}*.safetensors")):
        epoch = source.stem.removeprefix(OUTPUT)
        place = out / delivery.name / f"{delivery.name}{epoch}.safetensors"
        wanted = Weights(source).metadata | metadata
        if place.exists():
            found = _metadata(place)
            if "lorarecipe.key" not in found:
                problem = f"{place} is not lorarecipe's; move it away, or use another name or --out"
                raise RecipeError((delivery.recipe.lines.fault(("name",), f"found {delivery.name!r}, but {problem}"),))
            if found == wanted:
                yield place, file_digest(place)
                continue
        rewrite_metadata(source, place, metadata)
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


def _metadata(path: Path) -> dict[str, str]:
    try:
        return Weights(path).metadata
    except SafetensorsError:
        return {}
