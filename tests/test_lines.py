from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from lorarecipe.recipe.lines import Lines, Where, dotted, locate

_keys = st.text(min_size=1, max_size=8) | st.sampled_from(["a", "b", "a.b", "[x]", "#", "=", '"', "'"])
_values = st.integers() | st.text(max_size=20) | st.lists(st.text(max_size=5), max_size=3) | st.booleans()
_tables = st.recursive(
    st.dictionaries(_keys, _values, max_size=4),
    lambda inner: st.dictionaries(_keys, _values | inner | st.lists(inner, min_size=1, max_size=3), max_size=4),
    max_leaves=8,
)


def _leaves(value: dict[str, Any], where: Where = ()) -> list[tuple[Where, object]]:
    found: list[tuple[Where, object]] = []
    for name, inner in value.items():
        if isinstance(inner, dict):
            found += _leaves(inner, (*where, name))
        elif isinstance(inner, list) and inner and all(isinstance(item, dict) for item in inner):
            for index, item in enumerate(inner):
                found += _leaves(item, (*where, name, index))
        else:
            found.append(((*where, name), inner))
    return found


@given(_tables)
def test_the_line_of_a_key_holds_the_key(document: dict[str, Any]) -> None:
    text = tomli_w.dumps(document)
    lines, split = locate(Path("x.toml"), text), text.split("\n")
    for where, value in _leaves(document):
        # an inline table keeps its keys on its own line, which then is the nearest known one
        statement = "\n".join(split[lines.of(where) - 1 :])
        name = where[-1]
        assert isinstance(name, str)
        if where in lines.numbers:
            one = tomllib.loads(f"{statement.split(' = ', 1)[0]} = 0" if " = " in statement else "")
            assert list(one) == [name]
        assert lines.of(where) >= 1
        assert value is not None


def test_arrays_of_tables_multi_line_values_and_dotted_keys() -> None:
    text = """\
a.b = 1
c = [
  "[not.a.table]",
  "d = 2",
]
s = '''
[nor.this]
'''
[[base.characters]]
images = "x"
[[base.characters]]
images = "y"  # second
[base.training]
extra = { k = 1 }
"""
    lines = locate(Path("x.toml"), text)
    assert lines.of(("a", "b")) == 1
    assert lines.of(("c",)) == 2
    assert lines.of(("base", "characters", 0, "images")) == 10
    assert lines.of(("base", "characters", 1, "images")) == 12
    assert lines.of(("base", "characters", 1, "traits")) == 11
    assert lines.of(("base", "training", "extra", "k")) == 14
    assert lines.of(("nor", "this")) == 1


def test_dotted() -> None:
    assert dotted(("base", "characters", 0, "images")) == "base.characters[0].images"
    assert str(Lines(Path("a"), {("x",): 3}).fault(("x", "y"), "m")) == "a:3: x.y: m"


@pytest.mark.parametrize(
    "text",
    [
        f"a{' ' * 100_000}= 1\nb = 2",
        "a = [\n" + "  1,\n" * 100_000 + "]\nb = 2",
        'a = """' + "x\n" * 100_000 + '"""\nb = 2',
        "a = '" + "[" * 100_000 + "'\nb = 2",
        "#" + " " * 200_000 + "\nb = 2",
        '"' + "k" * 100_000 + '" = 1\nb = 2',
        "a = 1  # " + "'" * 100_000 + "\nb = 2",
    ],
    ids=range(7),
)
def test_the_time_grows_with_the_text(text: str) -> None:
    lines = locate(Path("x.toml"), text)
    assert lines.of(("b",)) == text.count("\n") + 1


def test_quotes_at_the_ends_of_strings_of_several_lines() -> None:
    text = 'a = """x""""\nb = """y"""""\nc = \'\'\'z\'\'\'\'\nd."e.f" . g = "\\"" # "\n[h . "i]"]\nj = {k = [1, "}"]}\nl = 1'
    assert tomllib.loads(text)["h"]["i]"]["l"] == 1
    lines = locate(Path("x.toml"), text)
    found = [lines.of(where) for where in [("a",), ("b",), ("c",), ("d", "e.f", "g"), ("h", "i]"), ("h", "i]", "l")]]
    assert found == [1, 2, 3, 4, 5, 7]


def test_how_deep_a_text_is() -> None:
    assert locate(Path("x.toml"), "a = [[1], {b = [2]}]").depth == 4
    assert locate(Path("x.toml"), "a.b.c = 1").depth == 3
