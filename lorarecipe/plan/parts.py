"""Parts that the plans of all methods are made of: the checkpoint, a phase's images, a LoRA's samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from lorarecipe.dataset import Dataset, Group
from lorarecipe.engines import ENGINES
from lorarecipe.errors import CheckFailed
from lorarecipe.files import large_file_digest
from lorarecipe.measures.leak import versions
from lorarecipe.plan.data import DataStage, Image
from lorarecipe.plan.lora import Lora, Role
from lorarecipe.plan.measure import LeakStage
from lorarecipe.plan.model import Model
from lorarecipe.plan.models import MODEL_FILES
from lorarecipe.plan.sample import Arm, SampleStage
from lorarecipe.plan.stage import Source
from lorarecipe.plan.steps import BucketChooser
from lorarecipe.plan.train import TrainStage
from lorarecipe.recipe import Recipe, Training
from lorarecipe.weights import Folder


def training_of(dataset: Dataset, groups: Sequence[Group], training: Training, role: Role) -> TrainStage:
    """Give a training on the recipe's own checkpoint, with its images."""
    trainer = dataset.recipe.trainer
    engine = ENGINES[trainer.engine]
    return TrainStage(
        data_of(groups, training),
        tuple(group.repeats for group in groups),
        model_of(dataset),
        training,
        engine.version(),
        processes=trainer.processes,
        device=trainer.device,
        can_go_on=trainer.processes == 1 or engine.RESUMES_SHARED,
        role=role,
    )


def samples_of(recipe: Recipe, arm: Arm, lora: Lora, target: TrainStage) -> Iterator[SampleStage]:
    """List the samples of an arm, epoch by epoch; none where the recipe asks for none.

    Weight 0 is drawn for the target only, as it is the same for every arm; the base is drawn at the merge strength.
    Earlier epochs are drawn of what is delivered.
    """
    samples = recipe.samples
    if not samples:
        return
    delivered = arm == "refined" or not recipe.refine
    last = lora.steps.epochs if isinstance(lora, TrainStage) else 1
    every = range(samples.every_epochs, last, samples.every_epochs) if samples.every_epochs else ()
    epochs: tuple[int | None, ...] = (*sorted({*samples.epochs, *every}), None) if delivered else (None,)
    if arm in {"control", "refined"}:
        weights = tuple(weight for weight in samples.weights if weight) or (1.0,)
        samples = samples.model_copy(update={"weights": weights})
    if arm == "base":
        samples, epochs = samples.model_copy(update={"weights": (recipe.merge.strength,)}), (None,)
    for epoch in epochs:
        if epoch and epoch >= last:
            message = f"found {epoch}, expected epochs before the last, which is {last}"
            raise recipe.error(("samples", "epochs"), message)
        resolution = target.training.resolution
        yield SampleStage(target.model, lora, samples, target.commit, resolution, epoch, device=target.device)


def title_of_samples(stage: SampleStage, of: str) -> str:
    """Say for people what a stage draws; ``of`` names its LoRA."""
    epoch = f", epoch {stage.epoch}" if stage.epoch else ""
    return f"samples of {of} on the original checkpoint{epoch}"


def leak_of(recipe: Recipe, arms: Mapping[Arm, tuple[SampleStage, ...]], target: TrainStage) -> LeakStage | None:
    """Give what is measured of samples; None where there are none.

    Raises
    ------
    RecipeError
        When a file of a model that the recipe names is not there.
    """
    if not recipe.samples:
        return None
    models = models_of(recipe, *MODEL_FILES)
    return LeakStage(arms, target.data, target.training.resolution, models, versions(models))


def models_of(recipe: Recipe, *names: str) -> dict[str, tuple[Source, ...]]:
    """Give the files of the models that ``[samples]`` names a folder of.

    Raises
    ------
    RecipeError
        When one is not there.
    """
    models = {}
    for name in names:
        files, folder = MODEL_FILES[name], getattr(recipe.samples, name, None)
        if folder and (missing := [file for file in files if not (folder / file).is_file()]):
            message = f"found {str(folder)!r} without {missing[0]}, expected a folder with {' and '.join(files)}"
            raise recipe.error(("samples", name), message)
        if folder:
            models[name] = tuple(Source(folder / file, large_file_digest(folder / file)) for file in files)
    return models


def model_of(dataset: Dataset) -> Model:
    """Give the checkpoint, each of its components with its digest.

    Raises
    ------
    RecipeError
        When a component is not there, or the checkpoint is not the one that ``checkpoint.sha256`` names.
    """
    recipe, checkpoint = dataset.recipe, dataset.recipe.checkpoint
    weights, components = dataset.checkpoint_weights, dict[str, Source]()
    for name, path in checkpoint.components.items():
        remote = recipe.remotes.get(path)
        promised = (checkpoint.sha256 if path == checkpoint.path else None) or (remote.digest if remote else None)
        if isinstance(weights, Folder) and path == weights.path:
            components[name] = Source(path, _as_promised(recipe, weights.digest, promised), is_folder=True)
        elif path.is_file():
            components[name] = Source(path, _as_promised(recipe, large_file_digest(path), promised))
        elif promised:
            is_folder = name == "path" and ENGINES[recipe.trainer.engine].READS_FOLDERS
            components[name] = Source(path, promised, is_folder, coming=remote.size if remote else 0)
        else:
            message = f"found {str(path)!r}, which is not there, expected a file"
            raise recipe.error(("checkpoint", name), message)
    return Model(checkpoint.family, components, checkpoint.clip_skip, checkpoint.v_prediction)


def _as_promised(recipe: Recipe, digest: str, promised: str | None) -> str:
    if promised and digest != promised:
        message = f"found {promised}, but {recipe.checkpoint.path} has {digest}"
        raise recipe.error(("checkpoint", "sha256"), message)
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
            if training.mask and chooser.fit((picture.width, picture.height))[0][0] > picture.width:
                raise CheckFailed(
                    f"{picture.path}: found {picture.width}x{picture.height} pixels, which the training enlarges; with "
                    "a mask, the trainer would blacken the background; expected a larger image, or a smaller resolution"
                )
            images.append(Image(picture.path, picture.digest, picture.caption.text, picture.width, picture.height))
        staged.append(tuple(images))
    return DataStage(tuple(staged), masked=training.mask is not None)
