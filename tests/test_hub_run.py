"""A run whose checkpoint is on a hub, to its end: with the embedded trainer, the nano checkpoint and a stand-in."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lorarecipe.demo import NANO
from lorarecipe.weights import Folder, Weights
from tests.faults.world import RECIPE, World
from tests.hub import Hub
from tests.test_hub_recipes import content_of

CANARY = "hf_canary0123456789"
UNET = "unet/diffusion_pytorch_model.safetensors"
ADDRESS = "hf://aki/nano/sd15"
#: of the nano checkpoint, what the hub keeps as large files: U-Net, text encoder, VAE
LARGE = 3


@pytest.fixture
def hub() -> Iterator[Hub]:
    """With the nano checkpoint in a private repository, beside another precision of it."""
    with Hub() as hub:
        hub.tokens.add(CANARY)
        files = {f"sd15/{path}": content for path, content in content_of(NANO).items()}
        hub.add("models/aki/nano", files | {"sd15/unet/diffusion_pytorch_model.fp16.safetensors": b"x"}, private=True)
        yield hub


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World.made(tmp_path / "world")
    _write(made, "aoi", ADDRESS)
    return made


def _write(world: World, name: str, address: str) -> None:
    """Write a recipe that is trained in a few seconds."""
    text = RECIPE.replace(f'path = "{NANO}"', f'path = "{address}"').replace('name = "aoi"', f'name = "{name}"')
    for old, new in {"epochs = 3": "epochs = 1", "epochs = 4": "epochs = 1", "save_every_epochs = 2": ""}.items():
        text = text.replace(old, new)
    gate, samples = text.index("[base.gate]"), text.index("[samples]")
    target, rules = text.index("[target]"), text.index("[rules]")
    text = f'{text[:gate]}[base.gate]\nmode = "off"\n\n{text[target:samples]}{text[rules:]}'
    (world.root / f"{name}.toml").write_text(text, encoding="utf-8")


def _start(world: World, hub: Hub, *words: str, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "lorarecipe", *words],
        cwd=world.root,
        env=os.environ | {"LORARECIPE_HOME": str(world.home)} | hub.environment(CANARY) | more,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _run(world: World, hub: Hub, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    running = _start(world, hub, *words, **more)
    out, err = running.communicate(timeout=600)
    return subprocess.CompletedProcess(words, running.returncode, out, err)


def _events(told: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in told.splitlines()]


def _no_canary(world: World, *runs: subprocess.CompletedProcess[str]) -> None:
    """The token that opened the repository is in no file, and was not said."""
    texts = [run.stdout + run.stderr for run in runs]
    assert not [text for text in texts if CANARY in text]
    files = [path for path in world.root.rglob("*") if path.is_file()]
    assert not [path for path in files if CANARY.encode() in path.read_bytes()]


def test_a_run_whose_checkpoint_is_on_a_hub(world: World, hub: Hub) -> None:
    """Fetched once, by whatever recipe, and not for a check, a plan or a rehearsal; known offline afterwards."""
    runs = [_run(world, hub, *words) for words in (["check", "aoi.toml"], ["plan", "aoi.toml"])]
    runs.append(_run(world, hub, "run", "aoi.toml", "--rehearse"))
    assert [run.returncode for run in runs] == [0, 0, 0], runs[-1].stderr
    assert hub.count("GET", "/cdn/") == 0

    first = _run(world, hub, "run", "aoi.toml", "--json")
    assert first.returncode == 0, first.stderr
    events = _events(first.stdout)
    kinds = [event["event"] for event in events]
    assert kinds[0] == "started"
    assert "fetching" in kinds
    assert kinds[kinds.index("finished") + 1] == "run"
    assert (kinds[-1], events[-1]["state"]) == ("end", "finished")
    assert hub.count("GET", "/cdn/") == LARGE
    assert {request.token for request in hub.requests} == {CANARY, ""}
    lora = Weights(world.out / "aoi" / "aoi.safetensors")
    assert lora.metadata["lorarecipe.checkpoint"] == Folder(NANO).digest

    _write(world, "other", ADDRESS)  # trains nothing that is not there
    runs += [
        first,
        _run(world, hub, "run", "other.toml"),
        _run(world, hub, "show", "last"),
        _run(world, hub, "rerun", "last"),
    ]
    assert [run.returncode for run in runs] == [0] * len(runs), runs[-1].stderr
    assert hub.count("GET", "/cdn/") == LARGE
    asked = len(hub.requests)
    runs.append(_run(world, hub, "run", "aoi.toml", HF_HUB_OFFLINE="1"))
    assert (runs[-1].returncode, len(hub.requests)) == (0, asked), runs[-1].stderr
    _no_canary(world, *runs)

    gone = _run(world, hub, "store", "gc", "--delete")
    assert "fetch-" not in gone.stdout
    (fetched,) = world.home.glob("store/fetch-*")
    for ledger in world.home.glob("runs/*"):
        for path in ledger.iterdir():
            path.unlink()
    gone = _run(world, hub, "store", "gc", "--delete")
    assert f"removed {fetched.name}" in gone.stdout
    assert not fetched.exists()


def test_stopped_while_the_checkpoint_comes(world: World, hub: Hub) -> None:
    hub.fail("hold", path=f"/cdn/{_digest(UNET)}")
    running = _start(world, hub, "run", "aoi.toml", "--allow", "SET005")
    while not hub.count("GET", f"/cdn/{_digest(UNET)}") or _come(world) < len(Folder(NANO).files) - 1:
        time.sleep(0.05)
        assert running.poll() is None, running.communicate()
    running.send_signal(signal.SIGINT)
    _, told = running.communicate(timeout=20)
    assert running.returncode == 130
    assert "stopped; what was finished is kept: to go on, run\nlorarecipe run aoi.toml --out out --allow SET005" in told
    hub.heal()
    again = _run(world, hub, "run", "aoi.toml")
    assert again.returncode == 0, again.stderr
    assert hub.count("GET", "/cdn/") == LARGE + 1  # all but the U-Net had come
    _no_canary(world, again)


def _digest(path: str) -> str:
    from lorarecipe.files import file_digest

    return file_digest(NANO / path)


def _come(world: World) -> int:
    """Files of the checkpoint that have come, each whole."""
    return sum(path.is_file() for path in world.home.glob("store/making/fetch-*/files/**/*"))


@pytest.mark.parametrize(
    ("fault", "code", "message"),
    [
        ({"how": "wrong", "path": "/cdn/"}, 6, "came with another digest than the hub promised"),
        ({"how": 403, "path": "/cdn/"}, 6, "the hub refuses access (HTTP 403)"),
        ({"how": 500, "path": "/api/"}, 6, "the hub answered with HTTP 500; run the same command again later"),
    ],
)
def test_what_fails_ends_with_a_code(world: World, hub: Hub, fault: dict[str, object], code: int, message: str) -> None:
    hub.fail(**fault)  # type: ignore[arg-type]
    run = _run(world, hub, "run", "aoi.toml")
    assert run.returncode == code
    assert message in run.stderr
    assert "Traceback" not in run.stderr
    assert not list(world.home.glob("store/fetch-*"))
    assert not (world.out / "aoi").exists()
    _no_canary(world, run)


def test_what_is_not_there_is_a_fault_of_the_recipe(world: World, hub: Hub) -> None:
    _write(world, "aoi", "hf://aki/nano/sdxl@v2")
    run = _run(world, hub, "run", "aoi.toml")
    assert run.returncode == 2
    assert run.stderr == (
        "aoi.toml:6: checkpoint.path: found hf://aki/nano/sdxl@v2, expected a branch, a tag or a commit of aki/nano\n"
    )


def test_without_a_network(world: World, hub: Hub) -> None:
    run = _run(world, hub, "run", "aoi.toml", HF_ENDPOINT="http://127.0.0.1:9")
    assert run.returncode == 6
    assert run.stderr.startswith(f"{ADDRESS}@main: the hub cannot be reached, or the transfer broke off (")
    assert run.stderr.endswith("check the network, then run the same command again\n")
