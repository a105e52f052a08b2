"""Read the records that lie beside a result."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from lorarecipe.records import Candidates, Leak, Passport, read_record
from lorarecipe.run.ledger import Run

R = TypeVar("R", Leak, Candidates, Passport)


def record_beside(run: Run, folder: Path, file: str, form: type[R]) -> R | None:
    """Read a record in a result's folder, if it is whole and of this run.

    Parameters
    ----------
    run
        The run that the record has to be of: that of an earlier or a later run may lie there.
    folder
        The result's folder.
    file
        Name of the record's file.
    form
        What the file holds.

    Returns
    -------
    Leak, Candidates, Passport or None
        None where there is no such record.
    """
    planned = {stage.key for stage in run.record.plan}
    try:
        found: R = read_record(folder / file, form)
    except (OSError, ValueError):
        return None
    return found if found.of and {*found.of} <= planned else None
