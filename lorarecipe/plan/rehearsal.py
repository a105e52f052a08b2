"""A rehearsal of a recipe: its own images and captions, on the embedded trainer and the nano checkpoint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lorarecipe.demo import NANO
from lorarecipe.engines import ENGINES
from lorarecipe.recipe import Buckets, Control, Deliver, Gate, Merge, Recipe, Refine, Target, Trainer, Training
from lorarecipe.recipe.table import Table
from lorarecipe.rules import Checked
from lorarecipe.weights import Folder

#: every length in pixels is divided by it: where buckets upscale, and the resolution is a multiple of 64, each image
#: comes into the same bucket, an eighth as large ...
_SHRINK = 8
#: ... unless the training is small already (pixels of an image)
_SMALL = 128 * 128
_CHECKPOINT = {"family": "sd15", "path": NANO, "sha256": None, "vae": None, "v_prediction": False}
#: AdamW's: Prodigy's own learning rate of 1 would make noise of it
_RATE = 1e-4
#: what a base learns in a minute shows nothing
_NO_GATE = Gate(mode="off")
#: clip_skip may not go deeper: the nano's text encoder has two layers
_LAYERS = 2


def rehearsal_of(checked: Sequence[Checked]) -> tuple[tuple[Checked, ...], tuple[str, ...]]:
    """Make the rehearsal of checked recipes.

    Returns
    -------
    tuple of Checked
        The same images and captions under settings that a CPU gets through: each image once (twice where epochs
        are kept), batches of eight, an eighth of each side.
    tuple of str
        What differs from the recipe as it is written, a key each.
    """
    small = tuple(_small(one) for one in checked)
    differences = [
        difference
        for before, after in zip(checked, small, strict=True)
        for difference in _differences(before.dataset.recipe, after.dataset.recipe)
    ]
    return small, tuple(dict.fromkeys(differences))


def _small(checked: Checked) -> Checked:
    dataset, recipe = checked.dataset, checked.dataset.recipe
    skip = recipe.checkpoint.clip_skip
    base, groups = recipe.base, dataset.base
    if base.weights and recipe.target and dataset.target:
        # a finished base fits its own checkpoint only: one trained on the images of the target stands in
        base = base.model_copy(update={"weights": None, "training": recipe.target.training})
        groups = dataset.target
    small = replace(
        recipe,
        checkpoint=recipe.checkpoint.model_copy(
            update=_CHECKPOINT | {"clip_skip": min(skip, _LAYERS) if skip else None}
        ),
        base=base.model_copy(update={"training": base.training and _small_training(base.training), "gate": _NO_GATE}),
        target=recipe.target
        and recipe.target.model_copy(
            update={"training": _small_training(recipe.target.training)} | _once(recipe.target)
        ),
        merge=Merge(strength=recipe.merge.strength),
        trainer=Trainer(engine="embedded", device="cpu"),
        control=Control(),
        deliver=_small_deliver(recipe.deliver),
        remotes={},
        rehearsal=True,
        refine=recipe.refine and _small_refine(recipe.refine),
        samples=recipe.samples
        and recipe.samples.model_copy(update={"images": 1, "steps": 2, "epochs": (), "every_epochs": None}),
    )
    shown = replace(
        dataset,
        recipe=small,
        base=tuple(replace(group, repeats=1) for group in groups),
        target=tuple(replace(group, repeats=1) for group in dataset.target),
        base_weights=None,
        checkpoint_weights=Folder(NANO),
    )
    return Checked(shown, checked.findings)


def _once(target: Target) -> dict[str, object]:
    """Have each image of a target seen once."""
    return {"repeats": 1, "folders": tuple(one.model_copy(update={"repeats": 1}) for one in target.folders)}


def _small_refine(refine: Refine) -> Refine:
    small = {"training": _small_training(refine.training), "steps": 2, "repeats": 1}
    small |= {} if refine.picks else {"images": 1}  # the author's picks are among all of them
    return refine.model_copy(update=small | {"keep": min(refine.keep, 8)})


def _small_deliver(deliver: Deliver) -> Deliver:
    """Bake at weight 1 where the leak test's advice is asked for: a rehearsal gives none."""
    return deliver.model_copy(update={"weight": 1.0}) if deliver.weight == "advised" else deliver


def _small_training(training: Training) -> Training:
    kept, buckets = training.save_every_epochs, training.buckets
    width, height = training.resolution
    shrink = _SHRINK if width * height > _SMALL else 1
    return training.model_copy(
        update={
            "epochs": 2 if kept else 1,
            "steps": None,
            "save_every_epochs": kept and 1,
            "batch_size": 8,
            "resolution": tuple(max(16, side // shrink // 8 * 8) for side in training.resolution),
            "buckets": buckets and _smaller(buckets, shrink),
            "optimizer": "AdamW",
            "unet_lr": min(training.unet_lr, _RATE),
            "text_encoder_lr": training.text_encoder_lr and min(training.text_encoder_lr, _RATE),
            "precision": "no",
            "extra": {name: value for name, value in training.extra.items() if name in ENGINES["embedded"].OPTIONS},
        }
    )


def _smaller(buckets: Buckets, shrink: int) -> Buckets:
    return buckets.model_copy(update={name: getattr(buckets, name) // shrink for name in ("min", "max", "step")})


def _differences(recipe: Recipe, small: Recipe) -> Iterator[str]:
    for phase in ("base", "target", "refine"):
        one, other = (getattr(getattr(which, phase), "training", None) for which in (recipe, small))
        yield from _apart(f"{phase}.training", one, other)
    if recipe.base.weights:
        yield f"base.weights: {recipe.base.weights.name} (here a stand-in, trained on the target's images)"
    seen = {character.repeats for character in recipe.base.characters}
    seen |= {repeats for _, _, repeats in recipe.target.parts} if recipe.target else set()
    if seen - {1}:
        yield f"repeats: {', '.join(map(str, sorted(seen)))} (here 1)"
    yield from _apart("base.gate", recipe.base.gate, small.base.gate)
    for table in ("checkpoint", "merge", "trainer", "refine", "samples", "control", "deliver"):
        yield from _apart(table, getattr(recipe, table), getattr(small, table))


def _apart(table: str, one: Table | None, other: Table | None) -> Iterator[str]:
    if one is None or other is None:
        return
    before, after = one.model_dump(mode="json"), other.model_dump(mode="json")
    for name, value in before.items():
        if value != after[name] and name != "training":  # it has lines of its own
            yield f"{table}.{name}: {_in_words(value)} (here {_in_words(after[name])})"


def _in_words(value: object) -> str:
    return "nothing" if value in (None, {}) else str(value)
