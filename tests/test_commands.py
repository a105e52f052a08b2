from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
import toml
from hypothesis import given
from hypothesis import strategies as st

from lorarecipe.errors import MachineNotReady
from lorarecipe.plan import BaseFile, Stage
from lorarecipe.run.makers import MAKERS
from lorarecipe.store import Store
from lorarecipe.trainer import Command, Installation
from lorarecipe.trainer.settings import dataset_toml
from tests.test_stages import BASE, MERGE, MODEL, SAMPLE, TARGET, TRAINING

PLACE = Installation(Path("/sd"), Path("/venv/bin/python"), Path("/tok"), True, Path("/t"))
STORE = Store(Path("/store"))


def _command(stage: Stage) -> Command:
    command = MAKERS[stage.kind].prepare(stage, PLACE, STORE).command
    assert command is not None
    return command


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30))
def test_the_dataset_toml_is_what_the_trainer_reads_or_it_is_refused(name: str) -> None:
    try:
        text = dataset_toml(BASE, Path("/store", name))
    except MachineNotReady:
        return
    assert toml.loads(text) == tomllib.loads(text)
    assert tomllib.loads(text)["datasets"][0]["subsets"][0]["image_dir"] == Path("/store", name, "00").as_posix()


@pytest.mark.parametrize("name", ["plain", "two words", "ünï", "髪", "it's", "a#b", "C:\\Users\\me\\new"])
def test_usual_paths_are_not_refused(name: str) -> None:
    dataset_toml(BASE, Path("/store", name))


def test_data_stages_need_no_process() -> None:
    assert MAKERS["data"].prepare(BASE.data, PLACE, STORE).command is None


def test_a_target_trains_on_the_merged_file() -> None:
    argv = _command(TARGET).argv
    assert f"--pretrained_model_name_or_path=/store/{MERGE.short}/merged.safetensors" in argv
    assert "--network_train_unet_only" in argv
    assert not any(word.startswith(("--base_weights", "--text_encoder_lr", "--v2", "--clip_skip")) for word in argv)


def test_a_loaded_base_comes_with_its_strength() -> None:
    argv = list(_command(replace(BASE, loaded=BaseFile(Path("/b.safetensors"), "1"), strength=0.9)).argv)
    assert argv[argv.index("--base_weights") + 1] == "/b.safetensors"
    assert argv[argv.index("--base_weights_multiplier") + 1] == "0.9"
    assert "--lowram" in argv


def test_families_and_flags() -> None:
    sdxl = replace(MODEL, family="sdxl", v_prediction=True)
    argv = _command(replace(BASE, model=sdxl)).argv
    assert "/sd/sdxl_train_network.py" in argv
    assert "--v_parameterization" in argv


@pytest.mark.parametrize("rescaled", [True, False])
def test_pictures_are_drawn_on_the_noise_schedule_of_the_training(rescaled: bool) -> None:
    """And have another key than those that were drawn on the other one."""
    training = TRAINING.model_copy(update={"extra": {"zero_terminal_snr": rescaled}})
    velocity = replace(SAMPLE, model=replace(MODEL, v_prediction=True), lora=replace(BASE, training=training))
    argv = _command(velocity).argv
    assert "--v_parameterization" in argv
    assert ("--zero_terminal_snr" in argv) == rescaled
    assert ("zero_terminal_snr" in velocity.identity()) == rescaled


def test_extra_options_become_words() -> None:
    extra = {
        "noise_offset": -0.1,
        "zero_terminal_snr": True,
        "fp8_base": False,
        "network_args": ["conv_dim=4", "conv_alpha=1"],
    }
    argv = list(_command(replace(BASE, training=TRAINING.model_copy(update={"extra": extra}))).argv)
    assert "--noise_offset=-0.1" in argv
    assert "--zero_terminal_snr" in argv
    assert not any("fp8_base" in word for word in argv)
    assert argv[argv.index("--network_args") + 1 :][:2] == ["conv_dim=4", "conv_alpha=1"]


@pytest.mark.parametrize(("device", "visible"), [("cpu", ""), ("cuda:1", "1"), ("cuda", None), ("auto", None)])
def test_devices(device: str, visible: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    command = _command(replace(BASE, device=device))
    assert command.env.get("CUDA_VISIBLE_DEVICES") == visible
    assert ("--cpu" in command.argv) == (device == "cpu")


@pytest.mark.parametrize(
    ("given_by_a_scheduler", "device", "visible"),
    [("2,3", "cuda:1", "3"), ("GPU-1f, GPU-2e", "cuda:0", "GPU-1f"), ("5", "auto", None), ("2,3", "cpu", "")],
)
def test_a_gpu_is_one_of_those_that_a_scheduler_gives(
    given_by_a_scheduler: str, device: str, visible: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given_by_a_scheduler)
    assert _command(replace(BASE, device=device)).env.get("CUDA_VISIBLE_DEVICES") == visible


def test_a_gpu_that_a_scheduler_does_not_give_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2")
    with pytest.raises(MachineNotReady, match=r'gives this process 1 GPU, and device = "cuda:1"'):
        _command(replace(BASE, device="cuda:1"))


def test_several_gpus() -> None:
    command = _command(replace(BASE, processes=2))
    assert "--multi_gpu" in command.argv
    assert "distributed_type: MULTI_GPU\n" in command.files["accelerate.yaml"]


@pytest.mark.parametrize(
    ("engine", "processes", "launched"), [("sd-scripts", 1, True), ("embedded", 1, False), ("embedded", 2, True)]
)
def test_a_launcher_starts_what_needs_it(engine: str, processes: int, launched: bool) -> None:
    stage = replace(BASE, device="cpu", processes=processes)
    command = MAKERS["train"].prepare(stage, replace(PLACE, engine=engine), STORE).command
    assert command
    assert ("accelerate.commands.launch" in command.argv, "accelerate.yaml" in command.files) == (launched, launched)
    assert command.env["ACCELERATE_USE_CPU"] == "true"
