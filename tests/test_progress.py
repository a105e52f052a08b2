from __future__ import annotations

import math

from lorarecipe.trainer import read_progress

LINES = """\
override steps. steps for 2 epochs is / 4
epoch 1/2
caching latents:  50%|#####     | 1/2 [00:00<00:00]
steps:   0%|          | 0/4 [00:00<?, ?it/s]
steps:  25%|##5       | 1/4 [00:06<00:18,  6.02s/it]
steps:  25%|##5       | 1/4 [00:06<00:18,  6.02s/it, avr_loss=0.114]
steps:  25%|##5       | 1/4 [00:06<00:18,  6.02s/it, avr_loss=0.114]
epoch 2/2
steps:  50%|#####     | 2/4 [00:12<1:00:12,  6.02s/it, avr_loss=nan]
steps: 100%|##########| 4/4 [00:24<00:00,  6.02s/it, Keys Scaled=3, avr_loss=1e-3]
"""


def test_steps_epochs_loss_and_time_left() -> None:
    found = list(read_progress("k", LINES.splitlines()))
    assert [(event.step, event.epoch, event.seconds_left) for event in found] == [
        (0, 1, None),
        (1, 1, 18),
        (1, 1, 18),
        (2, 2, 3612),
        (4, 2, 0),
    ]
    losses = [event.loss for event in found]
    assert losses[:3] == [None, None, 0.114]
    assert losses[3] is not None
    assert math.isnan(losses[3])
    assert losses[4] == 0.001
    assert {(event.steps, event.epochs) for event in found} == {(4, 2)}


def test_a_garbled_loss_is_read_as_far_as_it_is_one() -> None:
    """Found by ``tests.faults.fuzz``: lines of two processes in one."""
    lines = [f"steps:   5%|##5  | 1/4 [00:06<1:00:18, t, avr_loss={loss}]" for loss in ("04eps", "1.2.3", "-", "1e-3")]
    losses = [event.loss for line in lines for event in read_progress("k", [line])]
    assert losses == [4.0, 1.2, None, 1e-3]


def test_other_output_is_no_progress() -> None:
    assert list(read_progress("k", ["", "INFO steps: many", "\x00"])) == []
