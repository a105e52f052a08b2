"""The address of the shared store, as ``LORARECIPE_STORE`` names it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from lorarecipe.errors import MachineNotReady, printable
from lorarecipe.files import home

VARIABLE = "LORARECIPE_STORE"
#: schemes, each with the library that reads it, and the extra of lorarecipe that brings the library
_LIBRARIES = {"s3": ("s3fs", "s3"), "gs": ("gcsfs", "gs"), "hf": ("huggingface_hub", ""), "file": ("fsspec", "")}
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_EXPECTED = "expected s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, hf://datasets/OWNER/NAME/PREFIX or a folder"


@dataclass(frozen=True)
class SharedAddress:
    """Where the shared store is: ``path`` is a bucket with a prefix, a repository with one, or a folder."""

    scheme: str
    path: str

    def __str__(self) -> str:
        return self.path if self.scheme == "file" else f"{self.scheme}://{self.path}"


def shared_address() -> SharedAddress | None:
    """Read the address from ``LORARECIPE_STORE``; None where the variable is not set.

    Raises
    ------
    MachineNotReady
        When it is no address of a store, or the library that reads it is not installed.
    """
    text = os.environ.get(VARIABLE, "").strip()
    return _read(text) if text else None


def _read(text: str) -> SharedAddress:
    found = _SCHEME.match(text)
    scheme = found[1].lower() if found else "file"
    path = text[found.end() :] if found else text
    if scheme == "file":
        return _folder(path)
    path = path.strip("/")
    shown = printable(text)
    if "@" in path.partition("/")[0] or "?" in path:  # its text may be a password, and is not shown
        raise MachineNotReady(
            f"{VARIABLE} holds a user name, a password or options; write the address alone ({_EXPECTED}): credentials "
            f"belong into the variables or files of the provider, such as AWS_ACCESS_KEY_ID"
        )
    if scheme not in _LIBRARIES or not path or any(part in {"", ".", ".."} for part in path.split("/")):
        raise MachineNotReady(f"{VARIABLE}: found {shown!r}, {_EXPECTED}")
    if scheme == "hf" and (not path.startswith("datasets/") or path.count("/") < 2):
        raise MachineNotReady(f"{VARIABLE}: found {shown!r}, expected hf://datasets/OWNER/NAME/PREFIX")
    library, extra = _LIBRARIES[scheme]
    if not find_spec(library):
        raise MachineNotReady(
            f"{VARIABLE}: {scheme}:// needs the package {library}, which is not installed; run: "
            f'pip install "lorarecipe[{extra}]"'
        )
    return SharedAddress(scheme, path)


def _folder(path: str) -> SharedAddress:
    """Give the address of a folder; the store of this machine cannot be the shared one too."""
    folder = Path(path).expanduser().absolute()
    own = home() / "store"
    if folder.resolve() == own.resolve() or own.resolve() in folder.resolve().parents:
        raise MachineNotReady(
            f"{VARIABLE}: {folder} is in the store of this machine, expected another folder; to have all hosts use one "
            "store, point LORARECIPE_HOME at the shared folder instead"
        )
    return SharedAddress("file", str(folder))
