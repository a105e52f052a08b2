"""Folders and the shared store that are written to, the encoding of file names, the clock, and a Hugging Face token."""

from __future__ import annotations

import locale
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from lorarecipe.doctor.finding import Finding, absent, present
from lorarecipe.errors import MachineNotReady, NetworkFailed
from lorarecipe.run.room import nearest, require_writable
from lorarecipe.shared import shared_store

#: this release was written then, so no clock can rightly show an earlier time
RELEASED = datetime(2026, 11, 1, tzinfo=UTC)
#: years after the release that a clock may show
_YEARS = 20
#: seconds that a disk's clock may be apart: leases of other hosts are compared with it
_APART = 300.0


def folders(home: Path, out: Path) -> Iterator[Finding]:
    """Write a file into both folders, or where they will be made, and remove it."""
    for what, path, otherwise in (
        ("writing to the store", home, "set LORARECIPE_HOME to another folder"),
        ("writing results", out, "name another folder: --out"),
    ):
        try:
            require_writable(path, otherwise)
            yield present(what, f"a file can be written at {nearest(path)}")
        except MachineNotReady as problem:
            yield absent(what, str(problem), otherwise, needed=True)


def shared() -> Iterator[Finding]:
    """Write a small file into the shared store, and remove it; nothing where none is named."""
    what = "shared store"
    try:
        store = shared_store()
        if store:
            store.require_writable()
            yield present(what, f"a file can be written at {store.address}")
    except (MachineNotReady, NetworkFailed, OSError) as problem:
        advice = "correct LORARECIPE_STORE, or unset it: stages are then kept on this machine alone"
        yield absent(what, str(problem), advice, needed=True)


def encodings(paths: Sequence[Path]) -> Iterator[Finding]:
    """Look whether file names and texts are UTF-8; file names need it where one of ``paths`` is not ASCII."""
    names, texts = sys.getfilesystemencoding(), locale.getencoding()
    odd = next((path for path in paths if not str(path).isascii()), None)
    advice = "set the environment variable PYTHONUTF8=1"
    if _is_utf8(names):
        yield present("encoding of file names", names)
    else:
        found = f"{names}, and {str(odd)!r} is not ASCII" if odd else f"{names}, and all paths here are ASCII"
        yield absent("encoding of file names", found, advice, needed=odd is not None)
    if _is_utf8(texts):
        yield present("encoding of the locale", texts)
    else:
        found = f"{texts}; lorarecipe reads and writes UTF-8 all the same"
        yield absent("encoding of the locale", found, f"{advice} if other programs show wrong letters", needed=False)


def _is_utf8(name: str) -> bool:
    return name.lower().replace("_", "-") in {"utf-8", "utf8", "cp65001"}


def clock(home: Path) -> Finding:
    """Look whether the clock can be right, and whether the disk of the store agrees with it."""
    now = datetime.now(UTC)
    found, advice = f"{now:%Y-%m-%d %H:%M} UTC", "set the machine's clock, or have it set over the network (NTP)"
    if now < RELEASED:
        return absent("clock", f"{found}, which is before this release ({RELEASED:%Y-%m-%d})", advice, needed=True)
    if (years := now.year - RELEASED.year) > _YEARS:
        return absent("clock", f"{found}, which is {years} years after this release", advice, needed=True)
    apart = 0.0  # also where nothing can be written, which `folders` finds
    with suppress(OSError), tempfile.TemporaryFile(dir=nearest(home)) as trial:
        trial.write(b"\0")
        trial.flush()
        apart = os.fstat(trial.fileno()).st_mtime - time.time()
    if abs(apart) > _APART:
        found = f"{found}, and the disk of {nearest(home)} is {apart:+.0f} seconds apart from it"
        return absent("clock", found, f"{advice}, also on the machine that the disk is of", needed=True)
    return present("clock", found)


def token() -> Finding:
    """Look whether there is a Hugging Face token; its text is never given."""
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        if os.environ.get(name):
            return present("Hugging Face token", f"there is one in {name}")
    for path in token_files():
        with suppress(OSError):
            if path.stat().st_size:
                return present("Hugging Face token", f"there is one in {path}")
    advice = "for files on a hub that ask for a login: hf auth login"
    return absent("Hugging Face token", "none; public files need none", advice, needed=False)


def token_files() -> Iterator[Path]:
    """Name the files in which Hugging Face's programs keep a token."""
    if named := os.environ.get("HF_TOKEN_PATH"):
        yield Path(named)
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    with suppress(RuntimeError):  # there is no home
        yield Path(os.environ.get("HF_HOME") or f"{cache}/huggingface").expanduser() / "token"
