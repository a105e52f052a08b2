from __future__ import annotations

from pathlib import Path

import pytest

from lorarecipe.trainer.diagnosis import explain, first_traceback

LOG = """\
loading
Traceback (most recent call last):
  File "train_network.py", line 1, in <module>
    main()
torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB

Traceback (most recent call last):
  File "launch.py", line 2, in <module>
    raise
subprocess.CalledProcessError: Command returned non-zero exit status 1.
"""


def test_the_first_traceback_and_a_hint() -> None:
    assert explain(LOG, 1, Path("trainer.log")) == (
        "the trainer ended with code 1\n"
        "Traceback (most recent call last):\n"
        '  File "train_network.py", line 1, in <module>\n'
        "    main()\n"
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB\n"
        "Hint: the GPU's memory is full: close other programs that use it\n"
        "Full log: trainer.log"
    )


def test_the_traceback_of_one_of_several_processes() -> None:
    """They write at the same time; the launcher's own follows."""
    ours, *lines = [line for line in LOG.splitlines(keepends=True) if line.strip()][:5]
    log = ours + "".join(f"[rank1]: {line}[rank0]: {line}" for line in lines) + LOG[LOG.rindex("Traceback") :]
    assert first_traceback(log) == "".join(lines).rstrip("\n")


def test_without_a_traceback() -> None:
    assert explain("", -11, Path("x")) == "the trainer ended by signal 11\nFull log: x"
    assert first_traceback("no") is None


@pytest.mark.parametrize(
    ("log", "code"),
    [
        ("", -9),
        ("steps: 1/4\nsubprocess.CalledProcessError: Command '['python']' died with <Signals.SIGKILL: 9>.\n", 1),
        ("subprocess.CalledProcessError: Command '['python']' returned non-zero exit status 137.\n", 1),
        ("Signal 9 (SIGKILL) received: failed (exitcode: -9) local_rank: 0\n", 1),
    ],
)
def test_ended_for_lack_of_memory(log: str, code: int) -> None:
    assert "Hint: the operating system ended it, as it does when the machine's memory is full" in explain(
        log, code, Path("x")
    )
