"""A base's passport: what it was made from and what it showed, so that it can be shared and told from another."""

from __future__ import annotations

from collections import Counter
from typing import Any

from lorarecipe import __version__
from lorarecipe.files import file_digest
from lorarecipe.plan import Delivery, SampleStage, TrainStage
from lorarecipe.run.gate import gate_in
from lorarecipe.run.pictures import gate_place
from lorarecipe.run.renders import hair_colours, renders_of
from lorarecipe.store import Store
from lorarecipe.trainer.commands import lora_of
from lorarecipe.weights import Weights, lora_modules

#: file of it, beside a base, or beside the target that was trained on it
PASSPORT = "passport.json"


def passport(delivery: Delivery, store: Store) -> dict[str, Any]:
    """Give the passport of a delivery's base, as JSON; ``gate`` has what was measured of it, and when merged."""
    base, recipe = delivery.base, delivery.recipe
    assert base
    lora = lora_of(base, store)
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
            "file": delivery.stage.model.path.name,
            "sha256": delivery.stage.model.sha256,
            "clip_skip": delivery.stage.model.clip_skip,
            "v_prediction": delivery.stage.model.v_prediction,
        },
        "network": {"module": "networks.lora", "modules": len(modules)},
        "gate": [_gate(stage, store) for stage in delivery.gate],
    }
    if isinstance(base, TrainStage):
        renders = renders_of(base.data, store, base.training.resolution)
        tags = Counter(tag for render in renders for tag in render.tags)
        hair = {
            tag: [round(part, 1) for part in colour] for tag, colour in hair_colours(renders).items() if tag in tags
        }
        told["network"] |= {"rank": base.training.rank, "alpha": base.training.alpha}
        told |= {
            "trainer": {"engine": base.engine, "commit": base.commit},
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


def _gate(stage: SampleStage, store: Store) -> dict[str, Any]:
    """What a gate measured, with the places of its pictures and the way that they were drawn."""
    gate = gate_in(stage, store)
    drawn = stage.samples.model_dump(mode="json", include={"seed", "images", "steps", "scale"})
    pictures = [one | {"place": gate_place(stage, one["file"])} for one in gate["pictures"]]
    return gate | {"drawn": drawn, "pictures": pictures}
