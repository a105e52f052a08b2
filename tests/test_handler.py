from __future__ import annotations

import os
import signal
import subprocess
import sys

import click
import pytest

from lorarecipe.cli.handler import handled
from lorarecipe.errors import (
    Busy,
    CheckFailed,
    LorarecipeError,
    MachineNotReady,
    NetworkFailed,
    RecipeError,
    TrainingFailed,
)
from lorarecipe.files import home

pytestmark = pytest.mark.usefixtures("signals")


def _raising(error: BaseException) -> int:
    def program() -> None:
        raise error

    return handled(program)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RecipeError(()), 2),
        (click.UsageError("no"), 2),
        (CheckFailed("x"), 3),
        (MachineNotReady("x"), 4),
        (TrainingFailed("x"), 5),
        (NetworkFailed("x"), 6),
        (Busy("x"), 75),
        (click.exceptions.Exit(7), 7),
    ],
)
def test_exit_codes(error: LorarecipeError, code: int) -> None:
    assert _raising(error) == code


def test_codes_of_commands_pass_through() -> None:
    assert handled(lambda: 3) == 3
    assert handled(lambda: None) == 0


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals(signum: signal.Signals, code: int) -> None:
    assert handled(lambda: os.kill(os.getpid(), signum)) == code


def test_what_the_disk_refuses_is_no_bug(capsys: pytest.CaptureFixture[str]) -> None:
    assert _raising(OSError(28, "No space left on device", "/x/y")) == 4
    assert capsys.readouterr().err.startswith("/x/y: No space left on device\n")


def test_a_bug_leaves_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    assert _raising(ZeroDivisionError("oh")) == 1
    told = capsys.readouterr().err
    log = (home() / "bug.log").read_text("utf-8")
    assert told.startswith("This is a bug in lorarecipe.")
    assert str(home() / "bug.log") in told
    assert "ZeroDivisionError: oh" in log
    assert log in told


@pytest.mark.parametrize("words", [["rules"], ["rules", "--json"], ["--help"], ["check", "--help"], ["help", "recipe"]])
def test_a_reader_that_has_had_enough_is_no_bug(words: list[str]) -> None:
    command = [sys.executable, "-m", "lorarecipe", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout
        assert running.stderr
        running.stdout.close()
        said = running.stderr.read()
    assert (running.returncode, said) == (141, "")
