"""Write records as JSON, and read them back in the same form."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

from lorarecipe.files import read_file
from lorarecipe.records.gate import Gate
from lorarecipe.records.leak import Leak
from lorarecipe.records.made import Made
from lorarecipe.records.passports import Passport
from lorarecipe.records.picks import Candidates, Choice

R = TypeVar("R")


def record_text(record: Made | Gate | Leak | Choice | Candidates | Passport) -> str:
    """Write a record as JSON."""
    return json.dumps(asdict(record), indent=2) + "\n"


def read_record(path: Path, form: type[R]) -> R:
    """Read a record.

    Raises
    ------
    OSError
        When the file cannot be read.
    ValueError
        When it is not of this form.
    """
    try:
        return TypeAdapter(form).validate_json(read_file(path), strict=True)
    except RecursionError as problem:
        raise ValueError("nested too deeply") from problem
