from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lorarecipe.demo import NANO
from lorarecipe.families import FAMILIES
from lorarecipe.weights import Folder, SafetensorsError, Weights, open_checkpoint


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A Diffusers folder of one's own."""
    return Path(shutil.copytree(NANO, tmp_path / "checkpoint"))


def test_both_forms_are_opened(copy: Path) -> None:
    assert isinstance(open_checkpoint(copy), Folder)
    assert isinstance(open_checkpoint(copy / "unet" / "diffusion_pytorch_model.safetensors"), Weights)


def test_tensors_are_named_after_their_part() -> None:
    folder = Folder(NANO)
    assert folder.shapes["unet.conv_in.weight"] == folder.parts["unet"].shapes["conv_in.weight"]
    assert folder.names == folder.shapes.keys()
    assert folder.read("unet.conv_in.weight").shape == folder.shapes["unet.conv_in.weight"]


@pytest.mark.parametrize(
    "file",
    [
        "model_index.json",
        "unet/config.json",
        "vae/diffusion_pytorch_model.safetensors",
        "text_encoder/model.safetensors",
        "tokenizer/vocab.json",
        "scheduler/scheduler_config.json",
    ],
)
def test_the_digest_is_of_what_makes_the_checkpoint(copy: Path, file: str) -> None:
    before = Folder(copy).digest
    assert before == Folder(NANO).digest
    (copy / "unet" / "diffusion_pytorch_model.fp16.safetensors").write_bytes(b"another precision")
    (copy / ".cache").mkdir()
    (copy / ".cache" / "download.lock").touch()
    assert Folder(copy).digest == before
    with (copy / file).open("ab") as stream:
        stream.write(b" ")
    if file.endswith("model.safetensors"):
        with pytest.raises(SafetensorsError):
            Folder(copy)
    else:
        assert Folder(copy).digest != before


@pytest.mark.parametrize("file", ["unet/diffusion_pytorch_model.safetensors", "vae/config.json", "tokenizer"])
def test_what_is_missing_is_named(copy: Path, file: str) -> None:
    place = copy / file
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    with pytest.raises(SafetensorsError, match=file):
        Folder(copy)


@pytest.mark.parametrize(
    ("file", "change", "family", "noise"),
    [
        ("unet/config.json", lambda config: config, "sd15", True),
        ("unet/config.json", lambda config: config | {"cross_attention_dim": 768}, "sd15", True),
        ("unet/config.json", lambda config: config | {"cross_attention_dim": 1024}, "sd2", True),
        ("unet/config.json", lambda config: config | {"cross_attention_dim": 2048}, "sdxl", True),
        (
            "scheduler/scheduler_config.json",
            lambda config: config | {"prediction_type": "v_prediction"},
            "sd15",
            False,
        ),
    ],
)
def test_its_family_is_in_its_configuration(
    copy: Path, file: str, change: Callable[[dict[str, object]], dict[str, object]], family: str, noise: bool
) -> None:
    path = copy / file
    path.write_text(json.dumps(change(json.loads(path.read_text("utf-8")))), encoding="utf-8")
    checkpoint = Folder(copy)
    found = [name for name, one in FAMILIES.items() if one.recognises(checkpoint)]
    assert [*found, checkpoint.predicts_noise] == [family, noise]


@pytest.mark.parametrize(
    "stranger",
    ["unet/diffusion_pytorch_model.safetensors.index.json", "text_encoder/adapter_config.json", "vae/modeling.py"],
)
def test_what_no_digest_covers_is_refused_by_name(tmp_path: Path, stranger: str) -> None:
    shutil.copytree(NANO, tmp_path / "nano")
    for harmless in ("unet/diffusion_pytorch_model.fp16.safetensors", "unet/diffusion_pytorch_model.bin", "README.md"):
        (tmp_path / "nano" / harmless).write_bytes(b"")
    Folder(tmp_path / "nano")
    (tmp_path / "nano" / stranger).write_text("{}")
    with pytest.raises(SafetensorsError, match=f"holds {stranger}, which the trainer would read too"):
        Folder(tmp_path / "nano")


@pytest.mark.parametrize(
    "file", ["unet/config.json", "vae/diffusion_pytorch_model.safetensors", "tokenizer/vocab.json"]
)
def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path: Path, file: str) -> None:
    shutil.copytree(NANO, tmp_path / "nano")
    (tmp_path / "nano" / file).unlink()
    os.mkfifo(tmp_path / "nano" / file)
    with pytest.raises(SafetensorsError, match="not a regular file"):
        Folder(tmp_path / "nano")
