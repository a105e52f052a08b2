from __future__ import annotations

from collections.abc import Iterator
from dataclasses import Field, fields, replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from lorarecipe.hub import Address, Remote, RemoteFile
from lorarecipe.plan import (
    BaseFile,
    ChoiceStage,
    DataStage,
    FetchStage,
    GateStage,
    LeakStage,
    MergeStage,
    Model,
    PickStage,
    SampleStage,
    Source,
    TrainStage,
)
from lorarecipe.plan.data import Image
from lorarecipe.plan.stage import Keyed
from lorarecipe.recipe import Buckets, Samples, Training

TRAINING = Training(rank=4, alpha=4, unet_lr=1e-4, epochs=1, resolution=(512, 512))
IMAGE = Image(Path("/a/x.png"), "d1", "red hair, full body", 512, 512)
DATA = DataStage(((IMAGE,),))
MODEL = Model("sd15", {"path": Source(Path("/m/sd.safetensors"), "c1")})
BASE = TrainStage(DATA, (10,), MODEL, TRAINING, "commit")
FILE = BaseFile(Path("x"), "b1")
MERGE = MergeStage(MODEL, BASE, 1.0, "commit")
TARGET = TrainStage(DATA, (10,), MODEL, TRAINING, "commit", merged=MERGE)
LOADED = replace(TARGET, merged=None, loaded=BASE)
SAMPLE = SampleStage(
    MODEL, TARGET, Samples(prompts=("1girl",), weights=(0.0, 0.6, 0.8, 1.0, 1.2)), "commit", (512, 512)
)
GATE = GateStage(SAMPLE, DATA)
LEAK = LeakStage({"target": (SAMPLE,)}, DATA, (512, 512), {}, {"white_border": 1})
CHOICE = ChoiceStage(((Image(Path(), "", "", 512, 512),),), SAMPLE, DATA, {}, {"choice": 1})
FETCH = FetchStage(
    Remote(
        Address("models", "aki/bases", "a.safetensors", "0" * 40),
        (RemoteFile("a.safetensors", 9, "c" * 64),),
        is_folder=False,
    )
)
PICKS = PickStage(((Image(Path("00_1_1.png"), "", "1girl", 512, 512),),), SAMPLE)


@pytest.mark.parametrize(
    ("stage", "key"),
    [
        (DATA, "3ee2bd4c"),
        (BASE, "fc2c2fe0"),
        (MERGE, "727f21f5"),
        (TARGET, "2f800507"),
        (LOADED, "7c14f394"),
        (FILE, "1f8bd795"),
        (SAMPLE, "4d571c0c"),
        (GATE, "e35cb08a"),
        (LEAK, "f81863f7"),
        (PICKS, "6cacd105"),
        (CHOICE, "e50bd275"),
        (FETCH, "c663852e"),
    ],
)
def test_keys_are_pinned(stage: Keyed, key: str) -> None:
    """A change here throws away every finished training of every user: let it be meant."""
    assert stage.key[:8] == key


#: a field that is in no key, and why
_IN_NO_KEY = {
    "Image.path": "the image is known by its digest",
    "Source.coming": "the file is known by its digest, and the same when it has come",
    "Image.width": "of the image with this digest",
    "Image.height": "of the image with this digest",
    "Source.path": "the file is known by its digest",
    "Source.is_folder": "of the files with this digest",
    "BaseFile.path": "the file is known by its digest",
    "TrainStage.device": "where it is computed",
    "TrainStage.can_go_on": "how it is paused",
    "TrainStage.role": "what it is for",
    "SampleStage.device": "where it is computed",
    "SampleStage.purpose": "what they are for",
    "PickStage.masked": "no drawn picture is",
    "ChoiceStage.masked": "no drawn picture is",
    "Samples.epochs": "each epoch is a stage of its own",
    "Samples.every_epochs": "each epoch is a stage of its own",
    "Samples.tagger": "what the pictures are measured with afterwards",
    "Samples.ccip": "what the pictures are measured with afterwards",
}
#: of a field whose type alone does not tell another value
_OTHER: dict[str, Any] = {
    "DataStage.groups": ((IMAGE,), (IMAGE,)),
    "PickStage.groups": ((Image(Path("00_1_2.png"), "", "1girl", 512, 512),),),
    "PickStage.drawn": replace(SAMPLE, epoch=2),
    "ChoiceStage.groups": ((Image(Path(), "", "", 512, 512),) * 2,),
    "ChoiceStage.drawn": replace(SAMPLE, epoch=2),
    "ChoiceStage.versions": {"choice": 2},
    "ChoiceStage.models": {"ccip": (Source(Path("/c/model_feat.onnx"), "m1"),)},
    "TrainStage.repeats": (11,),
    "TrainStage.merged": replace(MERGE, strength=0.5),
    "TrainStage.loaded": FILE,
    "TrainStage.role": "target",
    "MergeStage.base": FILE,
    "SampleStage.lora": BASE,
    "SampleStage.resolution": (512, 768),
    "SampleStage.merged": MERGE,
    "LeakStage.arms": {"target": (SAMPLE,), "control": (SAMPLE,)},
    "LeakStage.resolution": (512, 768),
    "LeakStage.measures": {"white_border": 2},
    "LeakStage.models": {"tagger": (Source(Path("/t/model.onnx"), "t1"),)},
    "GateStage.pictures": replace(SAMPLE, epoch=2),
    "SampleStage.epoch": 1,
    "Model.components": {**MODEL.components, "vae": Source(Path("/v"), "v1")},
    "Model.family": "sdxl",
    "Model.clip_skip": 2,
    "Training.resolution": (768, 768),
    "Training.text_encoder_lr": 1e-5,
    "Training.epochs": 2,
    "Training.steps": 100,
    "Training.buckets": Buckets(step=128),
    "Training.optimizer": "Lion",
    "Training.scheduler": "linear",
    "Training.precision": "bf16",
    "Training.mask": "figure",
    "Training.save_every_epochs": 1,
    "Training.extra": {"min_snr_gamma": 5},
    "Samples.prompts": ("2girls",),
    "Samples.unrelated": ("a cat",),
    "Samples.negative": "bad",
    "Samples.weights": (1.0,),
    "Samples.epochs": (1,),
    "Samples.every_epochs": 2,
    "Samples.tagger": Path("/t"),
    "Samples.ccip": Path("/c"),
}
_KINDS = [DATA, BASE, TARGET, LOADED, FILE, MERGE, SAMPLE, PICKS, CHOICE, GATE, LEAK]


def _other(name: str, value: object) -> object:
    """Give another value of a field, of its type."""
    if name in _OTHER:
        return _OTHER[name]
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return f"{value} "
        case Path():
            return value / "other"
    raise AssertionError(f"{name}: say in _OTHER what another value is")


def _variants(value: Any) -> Iterator[tuple[str, Any]]:
    """Change each field in turn, of the value itself and of the values that it consists of."""
    kind = type(value).__name__
    names = (
        [field.name for field in _fields(value)] if not isinstance(value, BaseModel) else [*type(value).model_fields]
    )
    for name in names:
        inner = getattr(value, name)
        if isinstance(inner, Model | Training | Samples):
            yield from ((changed, _with(value, name, variant)) for changed, variant in _variants(inner))
        elif not isinstance(inner, DataStage) or f"{kind}.{name}" in _OTHER:
            yield f"{kind}.{name}", _with(value, name, _other(f"{kind}.{name}", inner))
        else:
            yield f"{kind}.{name}", _with(value, name, replace(inner, groups=()))


def _fields(value: Any) -> tuple[Field[Any], ...]:
    return fields(value)


def _with(value: Any, name: str, inner: object) -> Any:
    return value.model_copy(update={name: inner}) if isinstance(value, BaseModel) else replace(value, **{name: inner})


@pytest.mark.parametrize("stage", _KINDS, ids=lambda stage: f"{stage.kind}-{getattr(stage, 'role', '')}")
def test_each_field_is_in_the_key_or_has_a_reason(stage: Any) -> None:
    for name, changed in _variants(stage):
        same_key = changed.key == stage.key
        unread = isinstance(stage, MergeStage) and name.startswith("Model.") and name != "Model.family"
        unread |= name == "TrainStage.strength" and not stage.loaded
        assert same_key == (name in _IN_NO_KEY or unread), name


def test_what_an_image_is_known_by() -> None:
    for name, changed in _variants(IMAGE):
        other = DataStage(((changed,),))
        assert (other.key == DATA.key) == (name in _IN_NO_KEY), name


def test_what_a_file_of_the_authors_is_known_by() -> None:
    for name, changed in _variants(MODEL.main):
        model = replace(MODEL, components={"path": changed})
        assert (replace(BASE, model=model).key == BASE.key) == (name in _IN_NO_KEY), name


def test_a_key_depends_on_the_keys_of_what_a_stage_is_made_from() -> None:
    other = replace(BASE, commit="another")
    assert replace(MERGE, base=other).key != MERGE.key
    assert replace(TARGET, merged=replace(MERGE, base=other)).key != TARGET.key
    assert replace(SAMPLE, lora=other).key != SAMPLE.key


def test_what_a_stage_is_made_from() -> None:
    vae = Source(Path("/v"), "v1")
    with_vae = replace(MODEL, components={**MODEL.components, "vae": vae})
    foreign = Source(FILE.path, FILE.sha256)
    assert TARGET.inputs == (DATA, MERGE)
    assert TARGET.sources == ()
    assert replace(TARGET, model=with_vae).sources == (vae,)
    assert LOADED.inputs == (DATA, BASE)
    assert replace(LOADED, loaded=FILE).sources == (MODEL.main, foreign)
    assert replace(MERGE, base=FILE).sources == (MODEL.main, foreign)
    assert (MERGE.inputs, replace(MERGE, base=FILE).inputs) == ((BASE,), ())
    assert (SAMPLE.inputs, SAMPLE.sources) == ((TARGET,), (MODEL.main,))
    assert (PICKS.inputs, DATA.inputs) == ((SAMPLE,), ())
