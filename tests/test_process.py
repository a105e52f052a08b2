"""Real processes: a chain of three like launcher and trainer, ended in every way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from lorarecipe.errors import TrainingFailed
from lorarecipe.trainer import Command, launch
from lorarecipe.trainer.commands import GUARD
from lorarecipe.trainer.process import LOG, scrubbed_environment

#: starts a guarded grandchild that ignores SIGTERM, as a launcher starts a trainer
_CHAIN = """
import os, signal, subprocess, sys, time
if len(sys.argv) == 2:
    subprocess.run([sys.executable, sys.argv[1], __file__, "x", "y"])
else:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("pids", os.getpid(), os.getppid(), flush=True)
    time.sleep(600)
"""

_DRIVER = """
import sys
from pathlib import Path
from lorarecipe.cli.handler import handled
from lorarecipe.trainer import Command, launch
def program():
    for line in launch(Command(tuple(sys.argv[2:]), Path(sys.argv[1]))):
        print(line, flush=True)
sys.exit(handled(program))
"""


def _command(folder: Path, code: str, *arguments: str) -> Command:
    script = folder / "script.py"
    script.write_text(code)
    return Command((sys.executable, str(GUARD), str(script), *arguments), folder)


def _gone(pids: list[int], seconds: float) -> bool:
    """Whether the processes are gone (or corpses that nobody has buried) within a time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not any(_alive(pid) for pid in pids):
            return True
        time.sleep(0.02)
    return False


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_lines_are_split_at_cr_and_lf_and_logged(tmp_path: Path) -> None:
    code = r"import sys; sys.stdout.buffer.write(b'a\rb\r\nc \xff\n'); print('last', end='')"
    assert list(launch(_command(tmp_path, code))) == ["a", "b", "c \ufffd", "last"]
    assert (tmp_path / LOG).read_bytes() == b"a\rb\r\nc \xff\nlast"


def test_a_failure_shows_the_traceback_and_the_log(tmp_path: Path) -> None:
    with pytest.raises(TrainingFailed, match="ended with code 1") as caught:
        list(launch(_command(tmp_path, "raise ValueError('no')")))
    assert "ValueError: no" in str(caught.value)
    assert str(tmp_path / LOG) in str(caught.value)


def test_a_flood_is_read_to_its_end(tmp_path: Path) -> None:
    assert sum(1 for _ in launch(_command(tmp_path, "for n in range(100_000): print(n)"))) == 100_000


def test_a_grandchild_that_keeps_the_pipe_does_not_hold_us(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); print('x')"
    )
    start = time.monotonic()
    assert list(launch(_command(tmp_path, code))) == ["x"]
    assert time.monotonic() - start < 10


def test_leaving_the_loop_ends_everything(tmp_path: Path) -> None:
    lines = launch(_command(tmp_path, _CHAIN, str(GUARD)))
    pids = [int(word) for word in next(lines).split()[1:]]
    assert all(map(_alive, pids))
    lines.close()
    assert _gone(pids, 0.5)


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_no_process_outlives_us(tmp_path: Path, signum: signal.Signals, code: int) -> None:
    command = _command(tmp_path, _CHAIN, str(GUARD))
    driver = subprocess.Popen(
        [sys.executable, "-c", _DRIVER, tmp_path, *command.argv], stdout=subprocess.PIPE, text=True
    )
    assert driver.stdout
    pids = [int(word) for word in driver.stdout.readline().split()[1:]]
    driver.send_signal(signum)
    assert _gone(pids, 2)
    assert driver.wait(2) == code
    driver.stdout.close()


def test_secrets_stay_here(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = [
        "HF_TOKEN",
        "WANDB_API_KEY",
        "AWS_ACCESS_KEY_ID",
        "MY_PASSWORD",
        "GITHUB_TOKEN",
        "some_secret_thing",
        "OPENAI_KEY",
        "GH_PAT",
        "PGPASSFILE",
        "MY_PASSPHRASE",
    ]
    for name in secrets:
        monkeypatch.setenv(name, "canary")
    monkeypatch.setenv("PYTHONPATH", "canary")
    monkeypatch.setenv("https_proxy", "http://me:canary@proxy:80")
    env = scrubbed_environment({"HF_HUB_OFFLINE": "1"})
    assert not any("canary" in value for value in env.values())
    assert env["HF_HUB_OFFLINE"] == "1"
    assert "PATH" in env
