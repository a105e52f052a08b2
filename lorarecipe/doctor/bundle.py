"""An archive for a bug report: what the doctor found, versions, logs and the recipe, with all that is private out."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import distributions
from pathlib import Path

from lorarecipe.doctor.examination import as_json
from lorarecipe.doctor.finding import Finding
from lorarecipe.doctor.private import private_here
from lorarecipe.files import home, open_regular
from lorarecipe.recipe import Recipe
from lorarecipe.run import all_runs

#: bytes of a file's end that are taken
_MOST = 2_000_000


def write_bundle(path: Path, recipe: Recipe | None, findings: tuple[Finding, ...]) -> list[tuple[str, int]]:
    """Write a new archive, and give the names and sizes of what is in it.

    Raises
    ------
    FileExistsError
        When there is a file of that name; it is left alone.
    """
    private, written = private_here(), []
    with path.open("xb") as stream:
        try:
            with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, text in _texts(recipe, findings):
                    content = private.redacted(text).encode("utf-8", "backslashreplace")
                    archive.writestr(name, content)
                    written.append((name, len(content)))
        except BaseException:
            stream.close()
            path.unlink()
            raise
    return written


def _texts(recipe: Recipe | None, findings: tuple[Finding, ...]) -> Iterator[tuple[str, str]]:
    facts = as_json(recipe.source.absolute() if recipe else None, findings)
    yield "doctor.json", json.dumps(facts, indent=2, ensure_ascii=False)
    names = {f"{one.name}=={one.version}" for one in distributions() if one.name}
    yield "packages.txt", "\n".join(sorted(names, key=str.lower))
    files = {"bug.log": home() / "bug.log"}
    if recipe:
        files["recipe.toml"] = recipe.source
        if recipe.base_lines.path != recipe.source:
            files["base-recipe.toml"] = recipe.base_lines.path
    for run in all_runs(home() / "runs")[:1]:
        files |= {f"run/{name}": run.folder / name for name in ("ledger.json", "events.jsonl")}
        files |= {f"run/{log.name}": log for log in sorted(run.folder.glob("*.log"))}
    for name, file in files.items():
        with suppress(OSError):  # what is not there is not in it
            yield name, _end_of(file)


def _end_of(path: Path) -> str:
    """Give the last lines of a file, whole: half a token is not known as one."""
    with open_regular(path) as stream:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - _MOST))
        content = stream.read(_MOST)
    if size > _MOST:
        content = content.partition(b"\n")[2]
    return content.decode("utf-8-sig", errors="backslashreplace")
