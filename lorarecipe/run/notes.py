"""The notes that A1111's web UI and Forge keep of a LoRA, beside its file.

The web UI writes them too, when a person edits them there, and knows no other keys than its own. So the text of ours
ends in a checksum of all that they hold: notes that a person has changed are that person's, and are not ours any more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lorarecipe import __version__
from lorarecipe.files import digest_of, read_json
from lorarecipe.plan import Delivery
from lorarecipe.run.measured import LEAK
from lorarecipe.run.passport import PASSPORT
from lorarecipe.run.pictures import CANDIDATES, RECORD
from lorarecipe.run.usage import Usage

_SEAL = re.compile(r"(?s)(.*)\nWritten by lorarecipe \S+ \(checksum ([0-9a-f]{16})\)\.")
_RECORDS = {RECORD, LEAK, PASSPORT, CANDIDATES}


def notes_of(delivery: Delivery) -> dict[str, str]:
    """Name the notes of each LoRA of a delivery, by the LoRA's name; one that is called like a record has none."""
    named = {lora: f"{lora}.json" for lora in delivery.loras}
    return {lora: name for lora, name in named.items() if name.casefold() not in _RECORDS}


def notes_text(delivery: Delivery, lora: str, usage: Usage) -> str:
    """Write the notes of a LoRA. Source: ``ui_edit_user_metadata.py`` of A1111's web UI."""
    samples, said = delivery.recipe.samples, [usage.hint, f"The leak test: {usage.advice}" if usage.advice else ""]
    notes = {
        "description": usage.what,
        "sd version": delivery.loras[lora].model.traits.WEB_UI_VERSION,
        "activation text": "",
        "preferred weight": usage.weight,
        "negative text": samples.negative or "" if samples else "",
        "notes": "\n".join(filter(None, said)),
    }
    notes["notes"] = f"{notes['notes']}\nWritten by lorarecipe {__version__} (checksum {_checksum(notes)})."
    return json.dumps(notes, indent=4, ensure_ascii=False) + "\n"


def are_ours(path: Path) -> bool:
    """Tell whether lorarecipe wrote notes, and nobody has changed them since."""
    try:
        match read_json(path):
            case {"notes": str(text), **others} if found := _SEAL.fullmatch(text):
                return found[2] == _checksum({**others, "notes": found[1]})
    except (OSError, ValueError, OverflowError, RecursionError):  # not even JSON that we could have written
        pass
    return False


def _checksum(notes: Mapping[Any, object]) -> str:
    """Give a digest of notes; the web UI may write a whole number with or without its point."""
    numbers = {name: float(value) for name, value in notes.items() if isinstance(value, int | float)}
    return digest_of({**notes, **numbers})[:16]
