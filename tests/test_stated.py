"""What the metadata of a file says of its training."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lorarecipe.inspection import Training, inspect
from lorarecipe.inspection.thumbnail import Thumbnail
from tests.loras import kohya, numbers, write
from tests.test_import import METADATA


def _training(folder: Path, metadata: dict[str, str]) -> Training:
    return inspect(write(folder / "x.safetensors", numbers(kohya("lora_unet_a")), metadata)).training


def picture(size: tuple[int, int] = (64, 48), form: str = "JPEG") -> str:
    """Give a picture as an address that holds it."""
    file = io.BytesIO()
    Image.new("RGB", size, "red").save(file, form)
    return f"data:image/{form.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"


def test_settings_in_the_words_of_recipes(tmp_path: Path) -> None:
    training = _training(tmp_path, METADATA | {"ss_invented": "7"})
    assert training.settings == {
        "checkpoint.clip_skip": 2,
        "checkpoint.v_prediction": True,
        "resolution": [512, 768],
        "buckets": False,
        "extra.network_args": ["conv_dim=4", "conv_alpha=1"],
        "optimizer": "AdamW8bit",
        "extra.optimizer_args": ["weight_decay=0.1", "betas=(0.9, 0.99)"],
        "unet_lr": 0.0001,
        "epochs": 10,
        "scheduler": "cosine",
        "warmup_steps": 100,
        "rank": 16,
        "alpha": 8,
        "seed": 7,
        "precision": "fp16",
        "batch_size": 1,
    }
    assert training.other_settings["ss_invented"] == "7"
    assert training.other_settings["ss_training_comment"] == "made in March"


def test_what_it_was_made_from(tmp_path: Path) -> None:
    training = _training(tmp_path, METADATA | {"ss_sd_model_hash": "cafe", "ss_sd_scripts_commit_hash": "48d368fa"})
    assert (training.name, training.trainer) == ("aoi", "sd-scripts 48d368fa")
    assert training.checkpoint.name == "checkpoint.safetensors"
    assert (training.checkpoint.sha256, training.checkpoint.autov1) == ("ab" * 32, "cafe")
    assert (training.network.module, training.network.dim, training.network.alpha) == ("networks.lora", "16", "8.0")
    assert training.network.arguments == {"conv_dim": "4", "conv_alpha": "1"}


def test_folders_and_tags_of_them_all(tmp_path: Path) -> None:
    tags = {"a": {"1girl": 20, "red hair": 3}, "b": {"1girl": 2, " red hair": 1, "smile": 0}}
    training = _training(tmp_path, METADATA | {"ss_tag_frequency": json.dumps(tags)})
    folders = [(one.folder, one.repeats, one.images, one.regularisation) for one in training.folders]
    assert folders == [("5_aoi", 5, 20, False), ("1_girl", 1, 9, True)]
    assert training.tags == (("1girl", 22), ("red hair", 4))
    many = {"a": {f"tag {number}": number for number in range(1, 51)}}
    training = _training(tmp_path, {"ss_tag_frequency": json.dumps(many)})
    assert (len(training.tags), training.tags[0], training.all_tags) == (20, ("tag 50", 50), 50)


def test_buckets_of_one_data_set_and_of_several(tmp_path: Path) -> None:
    info = {"buckets": {"0": {"resolution": [512, 768], "count": 9}, "1": {"resolution": [512, 512], "count": 2}}}
    one = _training(tmp_path, {"ss_bucket_info": json.dumps(info)})
    assert [(bucket.width, bucket.height, bucket.images) for bucket in one.buckets] == [(512, 512, 2), (512, 768, 9)]
    several = _training(tmp_path, {"ss_datasets": json.dumps([{"bucket_info": info}, {"bucket_info": info}])})
    assert [bucket.images for bucket in several.buckets] == [4, 18]


def test_a_training_of_another_model_is_read_too(tmp_path: Path) -> None:
    metadata = {"ss_network_module": "networks.lora_flux", "ss_network_dim": "8", "ss_base_model_version": "flux1"}
    assert _training(tmp_path, metadata).settings["rank"] == 8


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_thumbnail(tmp_path: Path, form: str) -> None:
    found = inspect(
        write(tmp_path / "x.safetensors", numbers(kohya("a")), {"modelspec.thumbnail": picture((64, 48), form)})
    )
    thumbnail = found.training.thumbnail
    assert thumbnail
    assert (thumbnail.width, thumbnail.height, thumbnail.form) == (64, 48, form)
    assert thumbnail.bytes == len(base64.b64decode(picture((64, 48), form).partition(",")[2]))
    assert "modelspec.thumbnail" not in found.metadata
    assert "thumbnail" not in found.training.modelspec


@pytest.mark.parametrize(
    ("text", "size"), [("data:image/png;base64,????", 26), ("data:image/png;base64,AAAA", 3), ("nothing", 0)]
)
def test_a_thumbnail_that_is_none(tmp_path: Path, text: str, size: int) -> None:
    assert _training(tmp_path, {"modelspec.thumbnail": text}).thumbnail == Thumbnail(size, None, None, "")


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    metadata = METADATA | {"ss_wandb_api_key": "hush", "lorarecipe.hf_token": "hush", "huggingface_token": "hush"}
    assert "hush" not in repr(inspect(write(tmp_path / "x.safetensors", numbers(kohya("a")), metadata)))


_ODD = st.sampled_from(
    ["", "None", "True", "1e999", "nan", "{", "[]", "{}", "[[1]]", '{"a": 1}', '{"a": {"b": 2}}', "-1"]
)
_DEEP = st.sampled_from(["[" * 5000, '{"buckets": {"0": {"resolution": [1], "count": true}}}', '[{"bucket_info": 3}]'])


@given(st.dictionaries(st.sampled_from([*METADATA, "ss_tag_frequency", "ss_bucket_info", "ss_datasets"]), _ODD | _DEEP))
def test_whatever_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, metadata: dict[str, str]) -> None:
    _training(tmp_path_factory.mktemp("odd"), {"ss_network_dim": "4"} | metadata)
