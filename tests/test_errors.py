from __future__ import annotations

import inspect
import re
from pathlib import Path

from lorarecipe import errors
from lorarecipe.errors import Fault, Interrupted, LorarecipeError, RecipeError


def test_table_of_the_docstring_is_the_tree() -> None:
    rows = dict(re.findall(r"^(\d+)\s+(\w+)", errors.__doc__ or "", re.MULTILINE))
    classes = {
        name: member
        for name, member in inspect.getmembers(errors, inspect.isclass)
        if issubclass(member, LorarecipeError) and member not in {LorarecipeError, Interrupted}
    }
    assert {name: str(member.exit_code) for name, member in classes.items()} == {
        name: code for code, name in rows.items() if name in classes
    }
    assert rows["130"] == "Interrupted"


def test_faults_come_in_the_order_of_the_file_and_once() -> None:
    late, early = Fault(Path("a.toml"), 9, "x", "late"), Fault(Path("a.toml"), 2, "", "early")
    error = RecipeError((late, early, late))
    assert str(error) == "a.toml:2: early\na.toml:9: x: late"
    assert error.exit_code == 2


def test_a_signal_ends_with_128_and_its_number() -> None:
    assert [Interrupted(2).exit_code, Interrupted(15).exit_code] == [130, 143]
