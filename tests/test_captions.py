from __future__ import annotations

import os
import socket
import warnings
from collections.abc import Callable
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
        (b"one\x00two", "not text (a NUL byte at byte 3)"),
        (b"a" * 64_001, "not readable (larger than 64000 bytes)"),
        (b"\xff\xfea", "marked as UTF-16-LE by its first bytes"),
        (b"one; two", "divided by ';'"),
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


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("one，two、three；four。five", ["one", "two", "three", "four", "five"]),
        ("one ||| two|three", ["one", "two", "three"]),
        ("one;two; three ; four", ["one", "two", "three", "four"]),
        ("one. two two... three.", ["one", "two two", "three"]),
        ("one two\r\nthree\rfour, five\n", ["one two", "three", "four", "five"]),
        ("arms at sides\tnude", ["arms at sides", "nude"]),
        ("; nude", ["nude"]),
        (";d, ;), |_|, ||_||, :3, >:), smile ;d, ^.^, ...", [";d", ";)", "|_|", "||_||", ":3", ">:)", "smile ;d", "^.^", "..."]),
        ("dr. stone, st. gloriana's uniform, no. 5, v1.5 style", ["dr. stone", "st. gloriana's uniform", "no. 5", "v1.5 style"]),
        ("my. tag", ["my. tag"]),
    ],
)  # fmt: skip
def test_what_stands_in_place_of_a_comma(tmp_path: Path, text: str, tags: list[str]) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode())
    caption = read_caption(path, frozenset({"my. tag"}))
    assert [*caption.words] == tags
    assert caption.mendable == (caption.problem is not None) == (", ".join(tags) != text)
    for tag in caption.tags:
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        assert lines[tag.line - 1][tag.column - 1 :].startswith(tag.text)


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: socket.socket(socket.AF_UNIX).bind(str(path)), os.mkdir])
def test_what_is_no_file_is_not_waited_for(
    tmp_path: Path, make: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path is short
    with warnings.catch_warnings(action="ignore"):  # of a socket that is left open
        make(Path("a.txt"))
    assert read_caption(Path("a.txt")).problem == "not readable (not a regular file)"
