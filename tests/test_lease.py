"""Who is at work: on this machine the process tells, elsewhere the last sign of life."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lorarecipe import lease
from lorarecipe.files import draft_of, sweep
from lorarecipe.lease import read_lease, sign, signing
from lorarecipe.store import Store


def _foreign(path: Path, seen: float) -> None:
    sign(path)
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"machine": "another"}))
    os.utime(path, (seen, seen))


def test_a_lease_is_held_while_the_work_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "lease"
    with signing(path):
        own = read_lease(path)
        assert own
        assert (own.process, own.is_here, own.lives) == (os.getpid(), True, True)
    assert read_lease(path) is None


def test_signs_of_life_are_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "_BEAT", 0.01)
    path = tmp_path / "lease"
    with signing(path):
        first = read_lease(path)
        assert first
        deadline = time.monotonic() + 30
        while not (now := read_lease(path)) or now.seen <= first.seen:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_of_this_machine_the_process_is_looked_up(tmp_path: Path) -> None:
    path = tmp_path / "lease"
    words = f"from pathlib import Path; from lorarecipe.lease import sign; sign(Path({str(path)!r}))"
    subprocess.run([sys.executable, "-c", words], check=True)
    gone = read_lease(path)
    assert gone
    assert (gone.is_here, gone.lives) == (True, False)


@pytest.mark.parametrize(("silence", "lives"), [(-60, True), (0, True), (200, True), (400, False)])
def test_of_another_machine_the_last_sign_of_life_counts(tmp_path: Path, silence: float, lives: bool) -> None:
    path = tmp_path / "lease"
    _foreign(path, time.time() - silence)
    other = read_lease(path)
    assert other
    assert (other.is_here, other.lives) == (False, lives)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"host": 1}', b"[" * 100_000])
def test_what_is_no_lease(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "lease").write_bytes(content)
    assert read_lease(tmp_path / "lease") is None


def test_a_stage_that_another_host_makes_is_waited_for(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    (store.root / "locks").mkdir(parents=True)
    path = store.root / "locks" / "data-1.lease"
    _foreign(path, time.time())
    with store.lock("data-1", wait=False) as held:
        assert not held
    monkeypatch.setattr("lorarecipe.store._APART", 0.01)
    monkeypatch.setattr(lease, "_SILENCE", 0.3)
    with store.lock("data-1", wait=True) as held:  # it fell silent
        assert held
        own = read_lease(path)
        assert own
        assert own.is_here
    assert not path.exists()


def test_a_draft_of_another_host_is_left_alone(tmp_path: Path) -> None:
    other, old = (tmp_path / f".a.txt.{where}-1-1.part" for where in ("0123456789ab", "ba9876543210"))
    for path in (other, old):
        path.touch()
    os.utime(old, (time.time() - 7200,) * 2)
    with draft_of(tmp_path / "b.txt") as own:
        sweep(tmp_path)
        assert (other.exists(), old.exists(), own.exists()) == (True, False, True)
