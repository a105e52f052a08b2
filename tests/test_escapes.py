r"""Windows paths in double quotes: those that are no TOML, and those that hold a control character in silence."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lorarecipe.dataset import scan
from lorarecipe.errors import RecipeError
from lorarecipe.recipe import load
from lorarecipe.recipe.escapes import mended, stray_character
from lorarecipe.rules import check
from tests.conftest import RECIPE

Edit = Callable[[str, str], Path]

_PARTS = st.text(st.sampled_from("abfnrtuUx0 .-_赤é"), min_size=1, max_size=6).filter(lambda part: part.strip() == part)
_PATHS = st.lists(_PARTS, min_size=2, max_size=4).map("\\".join)


def _faults(path: Path) -> list[str]:
    with pytest.raises(RecipeError) as caught:
        load(path)
    return [str(fault).removeprefix(str(path)) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (r'"C:\Users\me"', r''':9: found "C:\Users\me" in double quotes, where \U begins an escape; write it in single quotes: 'C:\Users\me', or with /: "C:/Users/me"'''),
        (r'"D:\me\"', r''':9: found "D:\me\" in double quotes, where \" does not end the string; write it in single quotes: 'D:\me\', or with /: "D:/me/"'''),
        (r'"it\'s\red"', r''':9: found "it\'s\red" in double quotes, where \' begins an escape; write it with /: "it/'s/red"'''),
        (r'"renders\red"', r":9: base.characters[0].images: found 'renders\red', which holds a carriage return (\r in double quotes): write 'renders/red', or put the path in single quotes"),
        (r'"a\tb\\c"', r":9: base.characters[0].images: found 'a\tb\\c', which holds a tab (\t in double quotes): write 'a/tb/c', or put the path in single quotes"),
        (r'"x\u0001"', r":9: base.characters[0].images: found 'x\x01', which holds the character U+0001 (a control character): take it out"),
        (r'"x\u200by"', r":9: base.characters[0].images: found 'x\u200by', which holds the character U+200B (ZERO WIDTH SPACE): take it out"),
    ],
)  # fmt: skip
def test_what_is_said(edit: Edit, written: str, said: str) -> None:
    assert _faults(edit('images = "red"', f"images = {written}")) == [said]


def test_a_prompt_keeps_its_backslashes(folder: Path) -> None:
    path = folder / "recipe.toml"
    path.write_text(RECIPE + '[samples]\nprompts = ["miku \\(vocaloid\\), 1girl"]\n', encoding="utf-8")
    [said] = _faults(path)
    ways = (
        r"in single quotes: 'miku \(vocaloid\), 1girl'",
        r'with two backslashes for each: "miku \\(vocaloid\\), 1girl"',
    )
    assert said.endswith(", or ".join(ways))


def test_all_faults_come_at_once(edit: Edit) -> None:
    """Those of other lines and other kinds too."""
    path = edit('images = "red"', r'images = "C:\red"')
    text = path.read_text("utf-8").replace('images = "blue"', r'images = "b\new"').replace("rank = 2", "rnak = 2")
    path.write_text(text.replace('images = "aoi"', r'images = "C:\Users\aoi\"'), encoding="utf-8")
    said = _faults(path)
    assert [one.split(":")[1] for one in said] == ["9", "13", "29", "31", "32"]
    path.write_text(path.read_text("utf-8") + "\nnothing\n", encoding="utf-8")
    said = _faults(path)
    assert [one.split(":")[1] for one in said] == ["29", "45"]
    assert "not TOML" in said[1]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_PATHS)
def test_no_windows_path_in_double_quotes_is_read_as_another(folder: Path, written: str) -> None:
    """It is refused at its line, or every one of its escapes is a letter that was meant."""
    path = folder / "fuzzed.toml"
    path.write_text(RECIPE.replace('images = "red"', f'images = "{written}"'), encoding="utf-8")
    try:
        images = load(path).base.characters[0].images
    except RecipeError as error:
        [fault] = error.faults
        assert fault.line == 9
        assert "single quotes" in fault.message or "take it out" in fault.message
        return
    assert r"\u" in written.lower()
    assert tomllib.loads(f'p = "{written}"')["p"] in str(images)


@given(st.lists(_PATHS, max_size=4), st.text(st.characters(codec="utf-8"), max_size=30))
def test_mended_strings_are_what_was_written(paths: list[str], other: str) -> None:
    """In a text with strings of every kind; nothing else of it changes."""
    head = tomli_w.dumps({"other": other, "more": [f'"{other}"', "'", '"""']}) + "# \"C:\\no\"\nraw = 'C:\\no'\n"
    text = head + "".join(f'key{number} = "C:\\q{path}"\n' for number, path in enumerate(paths))
    whole, found = mended(text)
    assert tomllib.loads(whole) == tomllib.loads(head) | {f"key{n}": f"C:\\q{path}" for n, path in enumerate(paths)}
    assert [one.line for one in found] == [head.count("\n") + 1 + number for number in range(len(paths))]


@given(st.text(max_size=200))
def test_any_text_is_left_alone_or_mended(text: str) -> None:
    whole, found = mended(text)
    assert whole.count("\n") == text.count("\n")
    assert (whole == text) == (not found)


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1))
def test_letters_and_spaces_of_all_writings_are_no_strays(path: str) -> None:
    assert stray_character(path) is None


@given(st.text(), st.characters(categories=["Cc", "Cf", "Zl", "Zp"]), st.text())
def test_a_stray_character_is_named(before: str, stray: str, after: str) -> None:
    assert "which holds " in str(stray_character(f"{before}{stray}{after}"))


def test_patterns_of_a_rule_are_written_either_way(folder: Path, edit: Edit) -> None:
    (folder / "red" / "full_front.txt").write_text("short hair, full body")
    for written in (r"'red\*'", '"red/*"'):
        rule = f'BAS001 = {{ severity = "ignore", reason = "a try", paths = [{written}] }}'
        path = folder / "other.toml"
        path.write_text(f"{RECIPE}{rule}\n", encoding="utf-8")
        assert "BAS001" in {finding.code for finding in check(scan(load(path))).ignored}
    path.write_text(f"{RECIPE}{rule}\n".replace('"red/*"', r'"red\ref*"'), encoding="utf-8")
    [said] = _faults(path)
    assert r"write 'red/ref*'" in said


@pytest.mark.parametrize(
    "text", ['a = "' + "\\q" * 100_000 + '"', 'a = "\\q"\n' * 50_000, '"""' + "\\" * 100_001, "\\" * 100_000]
)
def test_the_time_grows_with_the_text(text: str) -> None:
    whole, _ = mended(text)
    assert len(whole) >= len(text)
