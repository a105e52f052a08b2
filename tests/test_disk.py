"""A disk that fills up while a run goes on: a clear error, nothing torn, and the run goes on once there is room."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lorarecipe.dataset import scan
from lorarecipe.errors import LorarecipeError, MachineNotReady
from lorarecipe.events import Finished, Reused, Started
from lorarecipe.plan import compile_plan
from lorarecipe.recipe import load
from lorarecipe.rules import check
from lorarecipe.run import Here, execute
from lorarecipe.store import Store
from lorarecipe.trainer import Installation
from lorarecipe.weights import Weights


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, just large enough for a run to be begun."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=620m", "tmpfs", place], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no disk of a small size can be had here: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def _fill(disk: Path) -> None:
    with (disk / "filler").open("wb", buffering=0) as filler, pytest.raises(OSError, match="No space left"):
        while filler.write(b"\0" * 1_000_000):
            pass


def _weights(folder: Path) -> dict[str, bytes]:
    """Every number of every delivered file."""
    files = [Weights(path) for path in sorted(folder.glob("*/*.safetensors"))]
    return {f"{one.path.name} {name}": one.read(name).tobytes() for one in files for name in sorted(one.names)}


@pytest.mark.parametrize("moment", [0, 2, 3, 5, 7, 9])
def test_a_disk_that_fills_up(folder: Path, fake_trainer: Installation, disk: Path, moment: int) -> None:
    plan = compile_plan([check(scan(load(folder / "recipe.toml")))])
    store = Store(disk / "store")
    with pytest.raises((OSError, LorarecipeError)) as caught:
        for index, _ in enumerate(execute(plan, Here(fake_trainer, store), disk / "out-store")):
            if index == moment:
                _fill(disk)
    assert "No space left on device" in str(caught.value)
    assert all(store.find(name) for name in store.names())
    (disk / "filler").unlink()
    for place in ("store", "other"):
        for _ in execute(plan, Here(fake_trainer, Store(disk / place)), disk / f"out-{place}"):
            pass
    assert _weights(disk / "out-store") == _weights(disk / "out-other") != {}
    assert not list(disk.glob("**/*.part"))


def test_a_disk_that_is_only_read(folder: Path, fake_trainer: Installation, disk: Path) -> None:
    """What is finished is served from it; nothing else begins, and the run goes on when it can be written again."""
    plan = compile_plan([check(scan(load(folder / "recipe.toml")))])
    store = Store(disk / "store")
    with closing(execute(plan, Here(fake_trainer, store), folder / "out")) as events:
        next(event for event in events if isinstance(event, Finished) and event.kind == "merge")
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with pytest.raises(OSError, match="Read-only file system"):
        list(execute(plan, Here(fake_trainer, store), folder / "out"))
    assert [store.find(stage.short) is not None for stage in plan.stages] == [True] * 4 + [False]
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    assert sum(isinstance(event, Started) for event in execute(plan, Here(fake_trainer, store), folder / "out")) == 1
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    assert sum(isinstance(event, Reused) for event in execute(plan, Here(fake_trainer, store), folder / "out")) == 5


def test_results_on_a_disk_without_room(
    folder: Path, edit: Callable[[str, str], Path], fake_trainer: Installation, store: Store, disk: Path
) -> None:
    """It is looked for before anything is trained, and also where all is reused."""
    edit("rank = 2", "rank = 64")
    plan = compile_plan([check(scan(load(folder / "recipe.toml")))])
    _fill(disk)
    with (disk / "filler").open("rb+") as filler:
        filler.truncate((disk / "filler").stat().st_size - 8192)
    for stages_that_were_made in (0, 5):
        with pytest.raises(MachineNotReady, match=rf"{disk}/out: 0\.0 MB free, expected 0\.\d MB; .*--out"):
            list(execute(plan, Here(fake_trainer, store), disk / "out"))
        assert len(store.names()) == stages_that_were_made
        list(execute(plan, Here(fake_trainer, store), folder / "out"))
