"""Parts that the plans of all methods are made of: the checkpoint, a phase's images, a LoRA's samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from lorarecipe.dataset import Dataset, Group
from lorarecipe.errors import CheckFailed
from lorarecipe.files import large_file_digest
from lorarecipe.plan.delivery import Arm
from lorarecipe.plan.given import BaseFile, DataStage, Image, Model
from lorarecipe.plan.stages import SampleStage, TrainStage
from lorarecipe.plan.steps import BucketChooser
from lorarecipe.recipe import Recipe, Samples, Training
from lorarecipe.weights import Folder


def samples_of(
    recipe: Recipe, samples: Samples, arm: Arm, lora: TrainStage | BaseFile, target: TrainStage
) -> Iterator[SampleStage]:
    """Give the samples of an arm; without a LoRA, all arms are the same, and a base is shown as it is merged."""
    epochs: tuple[int | None, ...] = (*sorted({*samples.epochs}), None)
    if arm == "control":
        weights = tuple(weight for weight in samples.weights if weight) or (1.0,)
        samples = samples.model_copy(update={"weights": weights})
    if arm == "base":
        samples, epochs = samples.model_copy(update={"weights": (recipe.merge.strength,)}), (None,)
    for epoch in epochs:
        if epoch and epoch >= target.steps.epochs:
            told = f"found {epoch}, expected epochs before the last, which is {target.steps.epochs}"
            raise recipe.error(("samples", "epochs"), told)
        size = target.training.resolution
        yield SampleStage(target.model, lora, samples, target.commit, size, epoch, device=target.device)


def model_of(dataset: Dataset) -> Model:
    """Give the checkpoint, by its digest."""
    recipe, checkpoint = dataset.recipe, dataset.recipe.checkpoint
    weights = dataset.checkpoint_weights
    if isinstance(weights, Folder):
        digest = _promised(recipe, weights.digest, checkpoint.sha256)
    else:
        digest = _digest(recipe, "path", checkpoint.path, checkpoint.sha256)
    vae = _digest(recipe, "vae", checkpoint.vae, None) if checkpoint.vae else None
    return Model(
        checkpoint.family,
        checkpoint.path,
        digest,
        weights.precision if weights else "fp16",
        checkpoint.vae,
        vae,
        checkpoint.clip_skip,
        checkpoint.v_prediction,
    )


def _digest(recipe: Recipe, key: str, path: Path, promised: str | None) -> str:
    if not path.is_file():
        if promised:
            return promised
        raise recipe.error(("checkpoint", key), f"found {str(path)!r}, which is not there, expected a file")
    return _promised(recipe, large_file_digest(path), promised)


def _promised(recipe: Recipe, digest: str, promised: str | None) -> str:
    if promised and digest != promised:
        told = f"found {promised}, but {recipe.checkpoint.path} has {digest}"
        raise recipe.error(("checkpoint", "sha256"), told)
    return digest


def data_of(groups: Iterable[Group], training: Training) -> DataStage:
    """Give the images of a phase."""
    chooser = BucketChooser(training.resolution, training.buckets)
    staged = []
    for group in groups:
        images = []
        for picture in group.pictures:
            if not picture.caption or picture.problem:
                raise CheckFailed(f"{picture.path}: not fit to train on\nRun: lorarecipe check")
            if 0 in chooser.bucket((picture.width, picture.height)):
                size = f"{picture.width}x{picture.height}"
                raise CheckFailed(
                    f"{picture.path}: found {size} pixels, too small for buckets with no_upscale; "
                    "expected a larger image, or buckets without no_upscale"
                )
            images.append(Image(picture.path, picture.digest, picture.caption.text, picture.width, picture.height))
        staged.append(tuple(images))
    return DataStage(tuple(staged))
