from __future__ import annotations

from lorarecipe.measures.advice import advice
from lorarecipe.records import Row


def _row(arm: str, weight: float, white: float, look: float, palette: float, epoch: int | None = None) -> Row:
    return Row(arm, epoch, weight, 1, {"white_border": white, "look_3d": look, "palette": palette})


BARE = _row("without", 0, 0.1, 0.0, 30.0)


def test_the_likest_of_those_that_leak_little() -> None:
    rows = [
        BARE,
        _row("target", 0.6, 0.1, 0.0, 15.0),
        _row("target", 0.8, 0.15, 0.1, 9.0),
        _row("target", 1.2, 0.5, 0.9, 3.0),
    ]
    told = advice(rows)
    assert told
    assert (told.weight, told.epoch) == (0.8, None)
    assert str(told).startswith(
        "Use the last epoch at weight 0.8: it is the most like the character among those that leak little (colours off by 9.0"
    )


def test_of_those_alike_the_nearest_to_1() -> None:
    rows = [
        BARE,
        _row("target", 0.8, 0.1, 0.0, 9.5, epoch=2),
        _row("target", 1.0, 0.12, 0.1, 10.0, epoch=2),
        _row("target", 1.2, 0.1, 0.2, 9.0),
    ]
    told = advice(rows)
    assert told
    assert (told.weight, told.epoch) == (1.0, 2)


def test_when_all_leak_it_says_so() -> None:
    rows = [BARE, _row("target", 0.6, 0.4, 0.5, 9.0), _row("target", 1.0, 0.9, 1.0, 5.0)]
    told = advice(rows)
    assert told
    assert told.weight == 0.6
    assert told.reason.startswith("every weight leaks, and this one leaks least")


def test_nothing_to_compare_with() -> None:
    assert advice([_row("target", 1.0, 0.4, 0.5, 9.0)]) is None
    assert advice([BARE]) is None
