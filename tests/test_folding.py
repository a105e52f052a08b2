from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from lorarecipe.cli.folding import folded_lines


def test_lines_are_broken_between_words() -> None:
    assert [*folded_lines("Gate    The base koikatsu passed.", 20, 8)] == [
        "Gate    The base",
        "        koikatsu",
        "        passed.",
    ]
    assert [*folded_lines("       an indented line", 15, 9)] == ["       an", "         indented", "         line"]
    assert [*folded_lines("", 10)] == [""]


def test_a_letter_of_two_columns_counts_as_two() -> None:
    text = "この LoRA は使わないでください。このようなベースでは、3D っぽさも学習されています。"
    lines = [*folded_lines(text, 40)]
    assert len(lines) > 1
    assert all(cell_len(line) <= 40 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@given(st.text(alphabet=st.sampled_from("ab 漢かな。、C")), st.integers(1, 30), st.integers(0, 4))
def test_no_letter_is_left_out(text: str, width: int, indent: int) -> None:
    assert "".join("".join(folded_lines(text, width, indent)).split()) == "".join(text.split())
