"""Messages are translated with their values in them: each is found again, and nothing else is touched."""

from __future__ import annotations

import gettext
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorarecipe.language import CATALOGUES
from lorarecipe.phrases import Phrases, has_gaps, read_catalogue
from tests.messages import messages


def _gaps(text: str) -> list[str]:
    return [name for _, name, *_ in Formatter().parse(text) if name]


COMPILED = CATALOGUES / "ja" / "LC_MESSAGES" / "lorarecipe.mo"
CATALOGUE = read_catalogue(COMPILED)
JAPANESE = Phrases(CATALOGUE)
#: messages with gaps for values
PATTERNS = sorted({text for text, _ in messages(Path(CATALOGUES).parent) if has_gaps(text)})
SMALL = Phrases(
    {
        "found {value}, expected {wish}": "{wish}が必要です（{value}）",
        "a folder": "フォルダー",
        "; did you mean {near}?": "（{near} ですか？）",
        "{number} images": "画像 {number} 枚",
        "{done} of {all}": "{all} 中 {done}",
        "the trainer loads": "読み込み中",
    }
)


def _filled(text: str, values: list[str]) -> tuple[str, dict[str, str]]:
    given_values = {name: "7" if name == "number" else value for name, value in zip(_gaps(text), values, strict=False)}
    return text.format(**given_values), given_values


def test_every_message_is_found_again_with_its_values_in_it() -> None:
    wrong = []
    for text in PATTERNS:
        line, values = _filled(text, [f"Aq{index}" for index in range(9)])
        if JAPANESE.translated(line) != CATALOGUE[text].format(**values):
            wrong.append((text, JAPANESE.translated(line)))
    assert wrong == []


@given(
    st.sampled_from(PATTERNS), st.lists(st.sampled_from(["renders/葵/a b.png", "'red hair'", "3", "0.5"]), min_size=9)
)
def test_values_are_kept(text: str, values: list[str]) -> None:
    line, filled = _filled(text, values)
    translated = JAPANESE.translated(line)
    assert all(value in translated for value in filled.values())


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("found 3, expected a folder", "フォルダーが必要です（3）"),
        ("recipe.toml:5: base: found 3, expected 4", "recipe.toml:5: base: 4が必要です（3）"),
        ("a.txt:1:1: TGT001 error found 3, expected 4", "a.txt:1:1: TGT001 error 4が必要です（3）"),
        ("no command x; did you mean y?", "no command x（y ですか？）"),
        ("  the trainer loads", "  読み込み中"),
        ("3 images\n12 images", "画像 3 枚\n画像 12 枚"),
        ("many images", "many images"),
        ("3 of 4", "4 中 3"),
        ("the name of all that is here", "the name of all that is here"),
        ("red hair, short hair", "red hair, short hair"),
        ("", ""),
        (" \n ", " \n "),
    ],
)
def test_lines(line: str, expected: str) -> None:
    assert SMALL.translated(line) == expected


@given(st.text("ab:;,. (){}\n\t", max_size=60))
def test_any_text_passes(text: str) -> None:
    assert JAPANESE.translated(text) == text


def test_a_long_log_passes() -> None:
    line = "loss: 0.1, rate: 0.2; step (3. of 4) in 5 " * 40
    assert JAPANESE.translated("\n".join(f"{number} {line}" for number in range(20)))
    assert JAPANESE.translated("x: " * 10_000_000)


def test_the_catalogue_is_read_as_gettext_reads_it() -> None:
    known = gettext.translation("lorarecipe", CATALOGUES, ["ja"])
    assert CATALOGUE
    assert all(known.gettext(text) == translation for text, translation in CATALOGUE.items() if "\x04" not in text)
