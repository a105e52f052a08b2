"""Write down when a stage was worked at: a training that was stopped goes on in another sitting."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter

from lorarecipe.files import read_file, write_atomic
from lorarecipe.records import Sitting

#: in an attempt's folder, until the stage is finished; then they are in its ``made.json``
_FILE = "sittings.json"
_FORM = TypeAdapter(tuple[Sitting, ...])


def sittings_in(attempt: Path) -> tuple[Sitting, ...]:
    """Read the sittings of an attempt; none where they were not written down."""
    try:
        return _FORM.validate_json(read_file(attempt / _FILE))
    except (OSError, ValueError):
        return ()


class Sittings:
    """The sittings of a stage, of which the last goes on; its length stays unknown if the process is killed.

    They are a note in the attempt's folder: where the disk refuses it, the stage is made all the same.
    """

    def __init__(self, folder: Path, earlier: tuple[Sitting, ...], after: str) -> None:
        self._file, self._earlier, self._after = folder / _FILE, earlier, after
        self._began, self._start = datetime.now(UTC).isoformat(timespec="seconds"), time.monotonic()
        self._keep((*earlier, Sitting(self._began, None, after)))

    def ended(self) -> tuple[Sitting, ...]:
        """Give all sittings, of which the last ends now."""
        seconds = round(time.monotonic() - self._start, 2)
        return (*self._earlier, Sitting(self._began, seconds, self._after))

    def kept(self) -> tuple[Sitting, ...]:
        """Give all sittings, of which the last ends now, and keep them for one that goes on."""
        return self._keep(self.ended())

    def forget(self) -> None:
        """Remove the note."""
        with suppress(OSError):
            self._file.unlink(missing_ok=True)

    def _keep(self, sittings: tuple[Sitting, ...]) -> tuple[Sitting, ...]:
        with suppress(OSError):
            write_atomic(self._file, json.dumps([asdict(sitting) for sitting in sittings]))
        return sittings
