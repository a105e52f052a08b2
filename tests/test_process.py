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
from lorarecipe.trainer import Command, launch, process
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
from lorarecipe.trainer import Command, launch, process
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
    assert time.monotonic() - start < 300


def test_leaving_the_loop_ends_everything(tmp_path: Path) -> None:
    lines = launch(_command(tmp_path, _CHAIN, str(GUARD)))
    pids = [int(word) for word in next(lines).split()[1:]]
    assert all(map(_alive, pids))
    lines.close()
    assert _gone(pids, 60)


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
    assert _gone(pids, 60)
    assert driver.wait(60) == code
    driver.stdout.close()


SECRETS = """
    HF_TOKEN WANDB_API_KEY AWS_ACCESS_KEY_ID MY_PASSWORD GITHUB_TOKEN some_secret_thing OPENAI_KEY GH_PAT PGPASSFILE
    MY_PASSPHRASE DB_PASS MYSQL_PWD AZURE_STORAGE_CONNECTION_STRING SENTRY_DSN JWT SESSION_COOKIE STRIPE_KEY_LIVE
    DATABASE_URL REDIS_URL SLACK_WEBHOOK NETRC KUBECONFIG PYTHONPATH PYTHONSTARTUP CUDA_TOKEN ACCELERATE_SECRET TORCH_KEY
    SSH_AUTH_SOCK DOCKER_CONFIG CI_JOB_JWT_V2 https_proxy NPM_CONFIG_USERCONFIG HF_HOME
    AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_PROFILE AWS_ENDPOINT_URL AWS_SHARED_CREDENTIALS_FILE AWS_CONFIG_FILE
    GOOGLE_APPLICATION_CREDENTIALS GOOGLE_CLOUD_PROJECT FSSPEC_S3_SECRET LORARECIPE_STORE
"""


def test_secrets_stay_here(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SECRETS.split():
        monkeypatch.setenv(name, "canary")
    monkeypatch.setenv("OMP_PLACES", "http://me:canary@proxy:80")
    env = scrubbed_environment({"HF_HUB_OFFLINE": "1"})
    assert not any("canary" in value for value in env.values())
    assert env["HF_HUB_OFFLINE"] == "1"
    assert "PATH" in env


def test_what_a_trainer_needs_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = "PATH TMPDIR LD_LIBRARY_PATH CUDA_HOME CUDA_VISIBLE_DEVICES OMP_NUM_THREADS SystemRoot NCCL_DEBUG LC_ALL"
    for name in needed.split():
        monkeypatch.setenv(name, "value")
    monkeypatch.setenv("LORARECIPE_PASS_ENV", "MY_PLUGIN, MY_TOKEN\tOTHER")
    monkeypatch.setenv("MY_PLUGIN", "1")
    monkeypatch.setenv("MY_TOKEN", "2")
    env = scrubbed_environment({})
    assert env.keys() >= {*needed.split(), "MY_PLUGIN", "MY_TOKEN"}
    assert "LORARECIPE_PASS_ENV" not in env


def test_an_abandoned_trainer_leaves_no_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even when the end of the process is interrupted."""
    started: list[subprocess.Popen[bytes]] = []
    end = process.stop

    def interrupted(running: subprocess.Popen[bytes]) -> None:
        started.append(running)
        end(running)
        raise KeyboardInterrupt

    monkeypatch.setattr(process, "stop", interrupted)
    lines = launch(_command(tmp_path, _CHAIN, str(GUARD)))
    next(lines)
    with pytest.raises(KeyboardInterrupt):
        lines.close()
    assert started[0].stdout is not None
    assert started[0].stdout.closed
