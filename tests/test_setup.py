from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lorarecipe.engines import Pin, pin
from lorarecipe.errors import MachineNotReady, NetworkFailed
from lorarecipe.files import home, vendor
from lorarecipe.trainer import Installation, find_trainer
from lorarecipe.trainer import setup as building
from lorarecipe.trainer.installed import TOKENIZERS, checked_out, environment_id, installed
from lorarecipe.trainer.setup import set_up


def test_the_id_is_what_it_is_built_from() -> None:
    wanted = pin()
    other = Pin(wanted.url, "0" * 40, wanted.exclude, wanted.torch, wanted.torch_index)
    assert environment_id(wanted) == environment_id(wanted) != environment_id(other)


def test_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_trainer().checkout.is_relative_to(home())
    assert find_trainer().lacks() == ["the trainer is not set up; run: lorarecipe setup"]
    monkeypatch.setenv("LORARECIPE_SD_SCRIPTS", "/sd")
    monkeypatch.setenv("LORARECIPE_PYTHON", "/py")
    trainer = find_trainer()
    assert (trainer.checkout, trainer.python, trainer.managed) == (Path("/sd"), Path("/py"), False)
    told = "\n".join(trainer.lacks("sd15"))
    assert "/sd: no sd-scripts there; set LORARECIPE_SD_SCRIPTS" in told
    assert "/py: no such interpreter; set LORARECIPE_PYTHON" in told
    assert "openai_clip-vit-large-patch14: tokenizer missing" in told


def test_another_commit_is_named(tmp_path: Path) -> None:
    (tmp_path / "train_network.py").touch()
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x"]
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-m", "x"], check=True)
    trainer = Installation(tmp_path, Path(sys.executable), tmp_path, False, tmp_path)
    assert f"at {checked_out(tmp_path)}, expected {pin().commit}" in trainer.lacks("sd15")[0]


def test_an_unreachable_source_is_a_network_failure_and_leaves_no_marker(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = pin()
    nowhere = Pin("https://127.0.0.1:9/none", wanted.commit, wanted.exclude, wanted.torch, wanted.torch_index)
    monkeypatch.setattr(building, "pin", lambda: nowhere)
    monkeypatch.setattr(building, "_GIGABYTES", 0)
    trainer = find_trainer()
    with pytest.raises(NetworkFailed, match="unable to access") as caught:
        list(set_up(trainer, "cpu"))
    assert f"Full log: {trainer.root}.log" in str(caught.value)
    assert not trainer.marker.exists()


def test_a_failed_setup_leaves_the_old_one_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted, trainer = pin(), find_trainer()
    trainer.root.mkdir(parents=True)
    trainer.marker.write_text('{"commit": "x", "torch": "1", "torch_build": "cpu", "cuda": "false"}')
    nowhere = Pin("https://127.0.0.1:9/none", wanted.commit, wanted.exclude, wanted.torch, wanted.torch_index)
    monkeypatch.setattr(building, "pin", lambda: nowhere)
    monkeypatch.setattr(building, "_GIGABYTES", 0)
    with pytest.raises(NetworkFailed):
        list(set_up(trainer, "cuda"))
    assert trainer.marker.exists()
    assert installed(trainer)["torch_build"] == "cpu"


def test_a_checkout_of_ones_own_is_only_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORARECIPE_SD_SCRIPTS", str(tmp_path))
    with pytest.raises(MachineNotReady, match="expected both or neither"):
        find_trainer()
    monkeypatch.setenv("LORARECIPE_PYTHON", sys.executable)
    (tmp_path / "train_network.py").touch()
    with pytest.raises(MachineNotReady, match="at no commit, expected"):
        list(set_up(find_trainer(), "auto"))
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == ["train_network.py"]


def test_the_lock_holds_the_pins_of_the_requirements() -> None:
    lock = vendor("requirements.lock").read_text("utf-8")
    wanted = [
        line for line in vendor("requirements.in").read_text("utf-8").splitlines() if "==" in line and line[0] != "#"
    ]
    assert len(wanted) > 15
    assert all(f"\n{line} \\\n" in f"\n{lock}" for line in wanted)
    assert "\ntorch" not in lock


@pytest.mark.sd_scripts
def test_a_second_setup_does_nothing(real_trainer: Installation) -> None:
    before = real_trainer.marker.stat().st_mtime_ns
    (told,) = set_up(real_trainer, "auto")
    assert told.startswith(f"ready: sd-scripts {pin().commit[:12]}")
    assert real_trainer.marker.stat().st_mtime_ns == before


@pytest.mark.sd_scripts
def test_two_setups_at_once(real_home: Path) -> None:
    both = [
        subprocess.Popen([sys.executable, "-m", "lorarecipe", "setup"], stderr=subprocess.PIPE, text=True)
        for _ in (1, 2)
    ]
    assert all("ready: sd-scripts" in one.communicate()[1] for one in both)
    assert [one.returncode for one in both] == [0, 0]


@pytest.mark.sd_scripts
def test_what_was_set_up(real_trainer: Installation) -> None:
    assert checked_out(real_trainer.checkout) == pin().commit
    assert installed(real_trainer)["commit"] == pin().commit
    size = sum(
        path.stat().st_size for path in real_trainer.checkout.rglob("*") if path.is_file() and ".git" not in path.parts
    )
    assert size < 20_000_000
    assert not real_trainer.lacks()
    for name in TOKENIZERS:
        code = f"from transformers import CLIPTokenizer; t = CLIPTokenizer.from_pretrained({str(real_trainer.tokenizers / name)!r}); print(t.vocab_size, t.model_max_length, t.pad_token, t('a girl').input_ids)"
        told = subprocess.run([real_trainer.python, "-c", code], capture_output=True, text=True, check=True).stdout
        pad = "<|endoftext|>" if name.startswith("openai") else "!"
        assert told == f"49408 77 {pad} [49406, 320, 1611, 49407]\n"
