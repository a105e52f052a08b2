from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorarecipe.dataset import read_caption
from lorarecipe.dataset.captions import tags_of


@given(st.text(st.characters(exclude_characters=",\n\r", exclude_categories=["Cs"])).map(str.strip), st.integers(0, 3))
def test_a_tag_stands_where_its_column_says(tag: str, spaces: int) -> None:
    line = f"first,{' ' * spaces}{tag} , ,last"
    for found in tags_of(line):
        assert line[found.column - 1 :].startswith(found.text)
        assert found.text == found.text.strip() != ""


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"red hair, full body\n", None),
        (b"red hair\n\n", None),
        ("髪, full body".encode(), None),
        (b"", "empty"),
        (b"\n", "empty"),
        (b"\xef\xbb\xbfred hair", "byte order mark"),
        (b"red\xff", "not UTF-8 (byte 3)"),
        (b"one\ntwo", "more than one line"),
    ],
)
def test_problems(tmp_path: Path, content: bytes, problem: str | None) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    found = read_caption(path).problem
    assert (found is None) if problem is None else (problem in (found or ""))


def test_text_is_joined_one_way(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(" red hair ,full body,, ")
    assert read_caption(path).text == "red hair, full body"
