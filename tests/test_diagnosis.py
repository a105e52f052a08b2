from __future__ import annotations

from pathlib import Path

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
        "Hint: the GPU's memory is full: set gradient_checkpointing = true, a smaller batch_size or resolution\n"
        "Full log: trainer.log"
    )


def test_without_a_traceback() -> None:
    assert explain("", -9, Path("x")) == "the trainer ended by signal 9\nFull log: x"
    assert first_traceback("no") is None
