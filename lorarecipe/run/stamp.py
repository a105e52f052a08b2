"""What the file of a LoRA says of itself: where it comes from, and ModelSpec's fields, which programs show."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from lorarecipe import __version__
from lorarecipe.files import canonical_json, file_digest
from lorarecipe.plan import Delivery, TrainStage
from lorarecipe.run.privacy import reduced
from lorarecipe.run.thumbnail import thumbnail
from lorarecipe.run.usage import Usage, epoch_of, file_stem
from lorarecipe.store import Store
from lorarecipe.weights import HASHES, Weights, rehashed


def stamp(delivery: Delivery, lora: str, source: Path, usage: Usage, store: Store) -> dict[str, str]:
    """Give the whole metadata of a LoRA that is delivered: the trainer's, and ours, as far as the recipe lets it tell.

    Parameters
    ----------
    delivery
        The result that the LoRA belongs to.
    lora
        Its name in ``Delivery.loras``.
    source
        The trainer's file.
    usage
        How it is to be used.
    store
        Where the stages are.
    """
    stage, weights = delivery.loras[lora], Weights(source)
    trained = rehashed(weights.metadata | dict.fromkeys(HASHES, ""), weights.content())
    whole = trained | _origin(delivery, lora, source, store) | _modelspec(delivery, stage, usage)
    # web UIs know a LoRA by the first, and the trainer wrote the same into every file
    whole |= dict.fromkeys(("ss_output_name", "modelspec.title"), file_stem(lora, source))
    with suppress(KeyError, ValueError, OverflowError, OSError):  # a trainer may not say it
        ended = datetime.fromtimestamp(float(trained["ss_training_finished_at"]), UTC)
        whole["modelspec.date"] = ended.isoformat(timespec="seconds")
    if usage.picture:
        drawn, file = usage.picture
        whole["modelspec.thumbnail"] = thumbnail(store.path(drawn.short) / file)
    return reduced(whole, delivery.recipe.deliver.metadata)


def _modelspec(delivery: Delivery, stage: TrainStage, usage: Usage) -> dict[str, str]:
    """Give the fields of ModelSpec 1.0.1 that the recipe fills; a trigger phrase is none of them, as there is none."""
    model, deliver, (width, height) = stage.model, delivery.recipe.deliver, stage.training.resolution
    fields = {
        "sai_model_spec": "1.0.1",
        "architecture": f"{model.traits.ARCHITECTURES[model.v_prediction]}/lora",
        "implementation": model.traits.IMPLEMENTATION,
        "resolution": f"{width}x{height}",
        "description": f"{usage.what} {usage.hint}",
        "usage_hint": usage.hint,
        "tags": "base" if stage.role == "base" else "character",
        "prediction_type": "v" if model.v_prediction else "epsilon",
        "encoder_layer": str(model.clip_skip) if model.clip_skip else None,
        "merged_from": f"base {delivery.recipe.base_name}" if stage.merged or stage.loaded else None,
        "author": deliver.author,
        "license": deliver.license,
    }
    return {f"modelspec.{name}": value for name, value in fields.items() if value is not None}


def _origin(delivery: Delivery, lora: str, source: Path, store: Store) -> dict[str, str]:
    """Give the keys and digests of what a LoRA was made from, and the steps that it was trained for."""
    recipe, stage = delivery.recipe, delivery.loras[lora]
    metadata = {
        "ss_steps": str(_steps_of(source, stage)),
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


def _steps_of(source: Path, stage: TrainStage) -> int:
    """Count the steps that a LoRA was trained for; sd-scripts tells those since the last time it was resumed."""
    steps, epoch = stage.steps, epoch_of(source)
    return min(epoch * steps.per_epoch, steps.total) if epoch else steps.total
