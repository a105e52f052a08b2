"""A base's passport: what it was made from and what it showed, so that a shared base is known from another."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from lorarecipe.files import file_digest, write_atomic
from lorarecipe.measures.renders import hair_colours
from lorarecipe.plan import Delivery, TrainStage
from lorarecipe.records import CastMember, CheckpointUsed, Network, Passport, TrainedBy, record_text
from lorarecipe.run.measured import GATE, gate_in
from lorarecipe.run.renders import renders_of
from lorarecipe.store import Store
from lorarecipe.weights import Weights, lora_modules

#: file of it, beside a base, or beside the target that was trained on it
PASSPORT = "passport.json"


def write_passport(delivery: Delivery, store: Store, out: Path) -> Path:
    """Write the passport of a delivery's base beside the result, and give its path."""
    path = out / delivery.name / PASSPORT
    write_atomic(path, record_text(passport(delivery, store)))
    return path


def passport(delivery: Delivery, store: Store) -> Passport:
    """Give the passport of a delivery's base, with what was measured of it so far."""
    base, recipe, model = delivery.base, delivery.recipe, delivery.stage.model
    assert base
    lora = base.file(store.path)
    gates = [folder for stage in delivery.gate if ((folder := store.path(stage.short)) / GATE).is_file()]
    passport = Passport(
        name=recipe.base_name,
        sha256=file_digest(lora),
        key=base.key,
        of=tuple(stage.key for stage in delivery.gate),
        checkpoint=CheckpointUsed(
            model.family, model.main.path.name, model.main.sha256, model.clip_skip, model.v_prediction
        ),
        network=Network(model.traits.NETWORK_MODULE, len(lora_modules(Weights(lora).names))),
        gate=tuple(gate_in(folder) for folder in gates),
    )
    return _with_training(passport, delivery, base, store) if isinstance(base, TrainStage) else passport


def _with_training(passport: Passport, delivery: Delivery, base: TrainStage, store: Store) -> Passport:
    """Add what is known of a base that this run has trained."""
    recipe = delivery.recipe
    renders = renders_of(base.data, store, base.training.resolution)
    tags = Counter(tag for render in renders for tag in render.tags)
    hair = {tag: colour for tag, colour in hair_colours(renders).items() if tag in tags}
    groups = zip(recipe.base.characters, base.data.groups, base.repeats, strict=True)
    return replace(
        passport,
        network=replace(passport.network, rank=base.training.rank, alpha=base.training.alpha),
        trainer=TrainedBy(recipe.trainer.engine, base.commit),
        training=base.training.model_dump(mode="json", exclude_none=True),
        steps=base.steps.total,
        cast=tuple(CastMember(character.traits, len(group), repeats) for character, group, repeats in groups),
        captions=dict(tags.most_common()),
        hair_lab={tag: (round(lightness, 1), round(a, 1), round(b, 1)) for tag, (lightness, a, b) in hair.items()},
    )
