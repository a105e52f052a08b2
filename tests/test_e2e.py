"""The real thing: a full-size SD1.5 of random weights, the real train_network.py, the real merge."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from lorarecipe.dataset import scan
from lorarecipe.events import Finished
from lorarecipe.plan import compile_plan
from lorarecipe.recipe import load
from lorarecipe.rules import check
from lorarecipe.run import Here, execute
from lorarecipe.store import Store
from lorarecipe.trainer import Installation
from lorarecipe.weights import Weights, lora_modules
from tests import rehearsal
from tests.narrow import Narrow
from tests.renders import character

RECIPES = Path(__file__).parent.parent / "recipes" / "rehearsal"
pytestmark = pytest.mark.sd_scripts
#: a step of full size takes seconds
_SHORT = {
    "base.toml": ("steps = 6\nbatch_size = 4", "steps = 3\nbatch_size = 2"),
    "akane.toml": ("steps = 4\nbatch_size = 2", "steps = 2\nbatch_size = 2"),
}


@pytest.fixture(scope="module")
def stage_set(real_trainer: Installation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rehearsal's recipes with their renders and checkpoint (kept beside the recipes once it is made)."""
    os.environ["LORARECIPE_HOME"] = str(real_trainer.root.parent.parent)
    rehearsal.checkpoint(RECIPES / "checkpoint.safetensors")
    folder = tmp_path_factory.mktemp("rehearsal")
    for name in ("base.toml", "akane.toml"):
        text, (old, new) = (RECIPES / name).read_text("utf-8"), _SHORT[name]
        assert old in text
        (folder / name).write_text(text.replace(old, new), encoding="utf-8")
    rehearsal.renders(folder / "renders")
    (folder / "checkpoint.safetensors").symlink_to(RECIPES / "checkpoint.safetensors")
    return folder


def _run(folder: Path, *words: str) -> tuple[float, subprocess.CompletedProcess[str]]:
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "lorarecipe", "run", *words], cwd=folder, capture_output=True, text=True, check=False
    )
    return time.monotonic() - start, done


def test_a_character_on_its_base(stage_set: Path, real_home: Path) -> None:
    first, done = _run(stage_set, "akane.toml")
    assert done.returncode == 0, done.stderr
    out = Path("out", "rehearsal-akane")
    files = [f"rehearsal-akane.{end}" for end in ("safetensors", "json", "preview.png")]
    files += ["samples/all.png", "passport.json", "leak.json", "report.html"]
    assert done.stdout.splitlines() == [str(out / name) for name in files]
    _the_gate_was_drawn(stage_set / out)
    _samples_are_those_asked_for(stage_set / out / "samples")

    store = Store(real_home / "store")
    record = json.loads((stage_set / out / "run.json").read_text("utf-8"))
    by_kind = {stage["title"]: stage for stage in record["stages"]}
    base, merge = by_kind["base rehearsal-base"], by_kind["base rehearsal-base merged into checkpoint.safetensors"]
    target = by_kind["target rehearsal-akane"]
    assert base["proof"] == {"modules": 264, "rank": 8}
    assert merge["proof"]["matched"] == 264
    assert merge["proof"]["changed"] > 0.5
    assert target["proof"] == {"modules": 192, "rank": 4}
    _log_agrees(store, base, steps=3)
    _log_agrees(store, target, steps=2)
    lora = Weights(stage_set / out / "rehearsal-akane.safetensors")
    assert len(lora_modules(lora.names)) == 192
    assert lora.metadata["ss_output_name"] == "rehearsal-akane"
    assert lora.metadata["lorarecipe.base"] == base["key"]
    assert lora.metadata["ss_sd_scripts_commit_hash"] == lora.metadata["lorarecipe.trainer"]

    second, again = _run(stage_set, "akane.toml")
    assert again.returncode == 0
    assert "started" not in again.stderr
    sys.stderr.write(f"\nfirst run {first:.0f} s, second run {second:.1f} s\n")


def _the_gate_was_drawn(folder: Path) -> None:
    """With the base, and with the merged checkpoint alone; the first prompt is empty."""
    told = json.loads((folder / "passport.json").read_text("utf-8"))
    paths = [[picture["path"] for picture in gate["pictures"]] for gate in told["gate"]]
    assert paths == [
        [f"gate/{at:02}_1_1.png" for at in range(3)],
        [f"gate/merged/{at:02}_0_1.png" for at in range(3)],
    ]
    with Image.open(folder / "gate" / "00_1_1.png") as picture:
        assert picture.info["parameters"].splitlines()[0] == "<lora:rehearsal-base:1>"
    with Image.open(folder / "gate" / "merged" / "02_0_1.png") as picture:
        assert picture.info["parameters"].splitlines()[0] == "forest"
        assert "Model: checkpoint with rehearsal-base merged in" in picture.info["parameters"]


def _samples_are_those_asked_for(folder: Path) -> None:
    """Drawn by the real gen_img.py, with the settings in the form of web UIs; the LoRA changes them."""
    names = [f"{prompt:02}_{weight}_1.png" for prompt in range(2) for weight in range(2)]
    assert sorted(path.name for path in folder.iterdir()) == [*names, "all.png"]
    pictures = []
    for name in names:
        with Image.open(folder / name) as picture:
            assert picture.size == (128, 128)
            told = picture.info["parameters"].splitlines()
            pictures.append(np.asarray(picture.convert("RGB")))
        assert told[0] == ("1girl, forest" if name[1] == "1" else "1girl") + " <lora:rehearsal-akane:1>" * int(name[3])
        assert told[1].startswith("Steps: 2, Sampler: DDIM, CFG scale: 7, Seed: 1, Size: 128x128, ")
    assert all(np.any(without != with_it) for without, with_it in (pictures[:2], pictures[2:]))


def _log_agrees(store: Store, stage: dict[str, object], steps: int) -> None:
    """The trainer's own log names the steps that the plan counted."""
    log = (store.path(f"train-{str(stage['key'])[:16]}") / "trainer.log").read_text("utf-8")
    assert re.search(rf"total optimization steps / .*: {steps}\n", log)


@pytest.mark.parametrize(("signals", "code"), [((signal.SIGINT, signal.SIGINT), 130), ((signal.SIGKILL,), -9)])
def test_no_trainer_outlives_a_run(stage_set: Path, real_home: Path, signals: tuple[signal.Signals], code: int) -> None:
    """Asked twice, or killed, it ends at once; how it saves its state when it is asked once is tested on the nano."""
    running = subprocess.Popen(
        [sys.executable, "-m", "lorarecipe", "run", "--json", "base.toml"],
        cwd=stage_set,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdout
    for line in running.stdout:
        if json.loads(line)["event"] == "progress":
            break
    trainers = psutil.Process(running.pid).children(recursive=True)
    assert any("train_network.py" in " ".join(process.cmdline()) for process in trainers)
    events = []
    for number, signum in enumerate(signals):
        if number:  # the first one has arrived
            events = [next(event for line in running.stdout if (event := json.loads(line)["event"]) != "progress")]
        running.send_signal(signum)
    events += [event for line in running.stdout if (event := json.loads(line)["event"]) != "progress"]
    assert (events.pop() if events else None) == (None if code < 0 else "end")
    running.stdout.close()
    assert running.wait(600) == code  # the state is sealed, and the page written
    psutil.wait_procs(trainers, 600)
    assert not any(map(_alive, trainers))
    # the second signal may be raised where no event can be given any more
    assert events in ([["pausing", "failed"], ["pausing"]] if code == 130 else [[]])


def _alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_the_trainers_own_failure_is_shown(stage_set: Path, real_home: Path) -> None:
    path = stage_set / "wrong.toml"
    text = (stage_set / "base.toml").read_text("utf-8")
    wrong = "rank = 8\nextra = { full_bf16 = true }"  # without precision = "bf16"
    path.write_text(text.replace("rank = 8", wrong), encoding="utf-8")
    _, done = _run(stage_set, "wrong.toml")
    assert done.returncode == 5
    assert "the trainer ended with code 1\nTraceback (most recent call last):" in done.stderr
    assert "AssertionError: full_bf16 requires mixed precision='bf16'" in done.stderr


_REFINE = """
[refine]
prompts = ["1girl, forest", "1girl, beach"]
weights = [1]
images = 1
steps = 2
keep = 2
"""


def test_a_base_loaded_in_memory_a_mask_and_a_third_phase(stage_set: Path, real_home: Path) -> None:
    """The target then covers 36 modules more: sd-scripts adds the residual blocks' to its list while it merges."""
    text = (stage_set / "akane.toml").read_text("utf-8").partition("[samples]")[0].replace("rehearsal-akane", "loaded")
    base = (stage_set / "base.toml").read_text("utf-8").replace("steps = 3", "steps = 1")
    base = base.replace("[base.gate]", '[base.gate]\nmode = "off"')
    (stage_set / "short.toml").write_text(base, encoding="utf-8")
    text = text.replace("base.toml", "short.toml").replace("steps = 2", 'steps = 1\nmask = "figure"')
    text = text.replace("renders/akane", "renders/large") + '[merge]\nmode = "load"\n' + _REFINE
    character(stage_set / "renders" / "large", "green hair", "ponytail", None, scale=2)  # a mask needs no enlarging
    (stage_set / "loaded.toml").write_text(text, encoding="utf-8")
    _, done = _run(stage_set, "loaded.toml")
    assert done.returncode == 0, done.stderr
    folder = stage_set / "out" / "loaded"
    target, refined = (Weights(folder / f"{name}.safetensors") for name in ("loaded-target", "loaded"))
    assert (len(lora_modules(target.names)), len(lora_modules(refined.names))) == (228, 192)
    assert target.metadata["lorarecipe.merge_mode"] == "load"
    assert (target.metadata["ss_num_train_images"], refined.metadata["ss_num_train_images"]) == ("4", "4")
    picks = json.loads((folder / "candidates.json").read_text("utf-8"))["pictures"]
    assert len(picks) == 2
    assert all(one["why"] for one in picks)


@pytest.mark.parametrize("family", ["sdxl"])
def test_another_family(stage_set: Path, narrow: Narrow, tmp_path: Path, family: str) -> None:
    """Base with text encoders, merge and target on SDXL (its U-Net a tenth as wide): two encoders, one of OpenCLIP's."""
    shutil.copytree(stage_set / "renders", tmp_path / "renders")
    (tmp_path / "checkpoint.safetensors").symlink_to(narrow.checkpoint(family))
    short = {"steps = 6": "steps = 1", "steps = 4": "steps = 1", "= 128": "= 64", "sd15": family}
    short |= {"[base.gate]": '[base.gate]\nmode = "off"'}
    for name in ("base.toml", "akane.toml"):
        text = (RECIPES / name).read_text("utf-8")
        for old, new in short.items():
            text = text.replace(old, new)
        (tmp_path / name).write_text(text, encoding="utf-8")
    plan = compile_plan([check(scan(load(tmp_path / "akane.toml")))])
    store = Store(tmp_path / "store")
    events = list(execute(plan, Here(narrow.trainer, store), tmp_path / "out"))
    measured = {"data", "leak"}
    proofs = [event.proof for event in events if isinstance(event, Finished) and event.kind not in measured]
    base, merge, target, samples = proofs
    assert samples == {"pictures": 4}
    encoders = {"sdxl": 72 + 192, "sd2": 138}[family]
    assert base["modules"] == int(target["modules"]) + encoders
    assert merge["matched"] == base["modules"]
    assert float(merge["changed"]) > 0.5
