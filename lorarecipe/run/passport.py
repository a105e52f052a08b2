"""A base's passport: what it was made from and what it showed, so that it can be shared and told from another."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from lorarecipe import __version__
from lorarecipe.files import file_digest, write_atomic
from lorarecipe.plan import Delivery, GateStage, TrainStage
from lorarecipe.run.gate import gate_in, is_measured
from lorarecipe.run.pictures import gate_place
from lorarecipe.run.renders import hair_colours, renders_of
from lorarecipe.store import Store
from lorarecipe.weights import Weights, lora_modules

#: file of it, beside a base, or beside the target that was trained on it
PASSPORT = "passport.json"


def write_passport(delivery: Delivery, store: Store, out: Path) -> Path:
    """Write the passport of a delivery's base beside the result, and give its path."""
    path = out / delivery.name / PASSPORT
    write_atomic(path, json.dumps(passport(delivery, store), indent=2) + "\n")
    return path


def passport(delivery: Delivery, store: Store) -> dict[str, Any]:
    """Give the passport of a delivery's base, as JSON; ``gate`` has what was measured of it and when merged."""
    base, recipe = delivery.base, delivery.recipe
    assert base
    lora = base.file(store.path)
    modules = lora_modules(Weights(lora).names)
    told: dict[str, Any] = {
        "format": 1,
        "lorarecipe": __version__,
        "name": recipe.base_name,
        "sha256": file_digest(lora),
        "key": base.key,
        "of": [stage.key for stage in delivery.gate],
        "checkpoint": {
            "family": delivery.stage.model.family,
            "file": delivery.stage.model.main.path.name,
            "sha256": delivery.stage.model.main.sha256,
            "clip_skip": delivery.stage.model.clip_skip,
            "v_prediction": delivery.stage.model.v_prediction,
        },
        "network": {"module": delivery.stage.model.traits.NETWORK_MODULE, "modules": len(modules)},
        "gate": [_gate(stage, store) for stage in delivery.gate if is_measured(stage, store)],
    }
    if isinstance(base, TrainStage):
        renders = renders_of(base.data, store, base.training.resolution)
        tags = Counter(tag for render in renders for tag in render.tags)
        hair = {
            tag: [round(part, 1) for part in colour] for tag, colour in hair_colours(renders).items() if tag in tags
        }
        told["network"] |= {"rank": base.training.rank, "alpha": base.training.alpha}
        told |= {
            "trainer": {"engine": recipe.trainer.engine, "commit": base.commit},
            "training": base.training.model_dump(mode="json", exclude_none=True),
            "steps": base.steps.total,
            "cast": [
                {"traits": list(character.traits), "images": len(group), "repeats": repeats}
                for character, group, repeats in zip(
                    recipe.base.characters, base.data.groups, base.repeats, strict=True
                )
            ],
            "captions": dict(tags.most_common()),
            "hair_lab": hair,
        }
    return told


def _gate(stage: GateStage, store: Store) -> dict[str, Any]:
    """What a gate measured, with the places of its pictures and the way that they were drawn."""
    gate = gate_in(store.path(stage.short))
    drawn = stage.pictures.samples.model_dump(mode="json", include={"seed", "images", "steps", "scale"})
    pictures = [one | {"place": gate_place(stage.pictures, one["file"])} for one in gate["pictures"]]
    return gate | {"drawn": drawn, "pictures": pictures}
