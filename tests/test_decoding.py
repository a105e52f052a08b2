"""Recipes that are saved in other encodings than UTF-8."""

from __future__ import annotations

import codecs
import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lorarecipe.errors import RecipeError
from lorarecipe.recipe import load
from tests.conftest import RECIPE

_WIDE = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
_SAVE = "save the file as UTF-8"


def _fault(path: Path, content: bytes) -> tuple[int, str]:
    path.write_bytes(content)
    with pytest.raises(RecipeError) as caught:
        load(path)
    [fault] = caught.value.faults
    return fault.line, fault.message


@pytest.mark.parametrize("encoding", _WIDE)
@pytest.mark.parametrize("marked", [True, False])
def test_utf_16_and_32(folder: Path, encoding: str, marked: bool) -> None:
    text = RECIPE.replace('"red"', '"レンダー/赤"')
    content = (("\ufeff" if marked else "") + text).encode(encoding)
    expected = f"the file is written in {encoding.upper()}, expected UTF-8; {_SAVE}"
    assert _fault(folder / "recipe.toml", content) == (1, expected)


@pytest.mark.parametrize(
    ("encoding", "comment"),
    [
        ("cp932", "赤い髪のレンダー、白背景"),
        ("cp949", "한국어 주석입니다"),
        ("cp1252", "für Käthe, très léger"),
        ("gb18030", "红色头发的角色在这里"),
        ("cp1251", "красные волосы"),
    ],
)
def test_encodings_of_editors(folder: Path, encoding: str, comment: str) -> None:
    """The likeliest is the one, and shows the line as it was meant."""
    content = f"{RECIPE}\n# {comment}\n".encode(encoding)
    line, message = _fault(folder / "recipe.toml", content)
    assert line == RECIPE.count("\n") + 2
    assert f"({encoding} reads {f'# {comment}'!r}" in message
    assert message.endswith(_SAVE)


_LETTERS = {"cp932": "赤い髪レンダー", "cp949": "한국어주석", "cp1252": "éüßÀñ", "cp1251": "жщяё"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([*_LETTERS]), st.data())
def test_any_text_in_another_encoding_is_refused_at_its_first_line(
    folder: Path, encoding: str, data: st.DataObject
) -> None:
    letters = st.text(st.sampled_from(f"{_LETTERS[encoding]}ab \n"), max_size=30)
    comment = "# " + data.draw(letters).replace("\n", "\n# ")
    content = f"{RECIPE}{comment}\n".encode(encoding)
    path = folder / "recipe.toml"
    if content.isascii():
        path.write_bytes(content)
        assert load(path).name == "aoi"
        return
    with pytest.raises(UnicodeDecodeError) as problem:
        content.decode()
    line, message = _fault(path, content)
    assert line == content.count(b"\n", 0, problem.value.start) + 1
    assert message.startswith("this line is not UTF-8; ")
    assert message.endswith(_SAVE)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.integers(0, len(RECIPE)))
def test_no_bytes_give_a_traceback(folder: Path, content: bytes, at: int) -> None:
    path, whole = folder / "recipe.toml", RECIPE.encode()
    path.write_bytes(whole[:at] + content + whole[at:])
    with contextlib.suppress(RecipeError):
        load(path)


@given(st.sampled_from(_WIDE), st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_utf_16_and_32_of_any_comment(folder: Path, encoding: str, comment: str) -> None:
    content = (RECIPE + "# " + " ".join(comment.split()) + "\n").encode(encoding)
    assert encoding.upper() in _fault(folder / "recipe.toml", content)[1]


def test_a_mark_of_utf_8_is_no_fault(folder: Path) -> None:
    path = folder / "recipe.toml"
    path.write_bytes(codecs.BOM_UTF8 + RECIPE.replace("\n", "\r\n").encode())
    assert load(path).name == "aoi"


def test_a_base_recipe_in_another_encoding_is_named_itself(folder: Path) -> None:
    head, target = RECIPE.split("[target]")
    (folder / "base.toml").write_bytes((head.replace('"aoi"', '"base"') + "# é\n").encode("cp1252"))
    path = folder / "mine.toml"
    path.write_text(f'format = 1\nname = "mine"\n[base]\nfrom = "base.toml"\n[target]{target}', encoding="utf-8")
    with pytest.raises(RecipeError, match=rf"base\.toml:\d+: this line is not UTF-8; .*cp1252 reads '# é'.*{_SAVE}"):
        load(path)
