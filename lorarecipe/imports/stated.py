"""What a finished LoRA's metadata says of its training, in the words of recipes where they have them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lorarecipe.imports import metadata
from lorarecipe.imports.draft import Draft
from lorarecipe.imports.sizes import write_sizes
from lorarecipe.imports.source import Source
from lorarecipe.imports.training import write_training
from lorarecipe.imports.values import shown
from lorarecipe.weights import Weights

_TRAINING = "target.training."


@dataclass(frozen=True)
class Stated:
    """Settings of a training, as a file states them."""

    family: str | None
    """Family of the checkpoint."""
    checkpoint_sha256: str | None
    settings: Mapping[str, object]
    """Values by the keys that they have in a recipe: ``unet_lr``, ``checkpoint.clip_skip``."""
    others: Mapping[str, object]
    """What recipes do not have, by the names of the metadata."""


def stated_settings(weights: Weights) -> Stated:
    """Read what the metadata of sd-scripts says of a training, of any model; all is empty where it says nothing."""
    source = Source(weights.path, "safetensors", weights.metadata, weights.names)
    if not metadata.recognises(source):
        return Stated(None, None, {}, {})
    found = metadata.found_in(source)
    draft = Draft(found)
    draft.put("checkpoint.family", found.family)
    for option in ("pretrained_model_name_or_path", "vae"):
        draft.take(option)
    for option, key in (("clip_skip", "checkpoint.clip_skip"), ("v_parameterization", "checkpoint.v_prediction")):
        if setting := draft.take(option):
            draft.put(key, setting.means, setting)
    write_sizes(draft)
    write_training(draft, None)
    values = {key.removeprefix(_TRAINING): shown(key, value) for key, value in draft.values.items()}
    values.pop("checkpoint.family", None)
    return Stated(found.family, found.sha256, values, {left.key: shown(left.key, left.value) for left in draft.left})
