"""Addresses on a hub: ``hf://[datasets/]OWNER/REPO/PATH@REVISION``."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from lorarecipe.files import home

SCHEME = "hf://"
_KINDS = ("models", "datasets")
Kind = Literal["models", "datasets"]
#: names of owners and repositories (huggingface_hub 2.4, validate_repo_id)
_NAME = re.compile(r"(?!.*(?:--|\.\.))(?!.*\.git$)[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?")
#: names of branches and tags (git check-ref-format), and commits; no @, which begins one
_REVISION = re.compile(r"(?!.*(?:\.\.|//))[^\s~^:?*\[\]\\@/.-][^\s~^:?*\[\]\\@]{0,200}(?<![/.])")
#: letters of OWNER/NAME
_LONGEST = 96
_COMMIT = re.compile(r"[0-9a-f]{40}")


class AddressError(ValueError):
    """A text that is no address on a hub; the message says what was found and what was expected."""


@dataclass(frozen=True)
class Address:
    """A file or a folder of a repository on a hub, at a revision: a branch, a tag or a commit."""

    kind: Kind
    repo: str
    """``OWNER/NAME``."""
    path: str
    """Within the repository, with ``/`` between folders; empty for all of it."""
    revision: str = "main"

    @property
    def is_fixed(self) -> bool:
        """Whether the revision is a commit, so that the address always means the same content."""
        return bool(_COMMIT.fullmatch(self.revision))

    @property
    def name(self) -> str:
        """Name of the file or the folder."""
        return PurePosixPath(self.path or self.repo).name

    @property
    def place(self) -> Path:
        """Path on this machine of what is fetched; the revision is a commit."""
        return hub_folder() / self.kind / self.repo.replace("/", "--") / self.revision / self.path

    def at(self, revision: str) -> Address:
        """Give the same place at another revision."""
        return replace(self, revision=revision)

    def beside(self, path: str) -> Address:
        """Give the address of a path that a file of the same repository names, relative to this folder.

        Raises
        ------
        AddressError
            When the path leads out of the repository.
        """
        parts: list[str] = []
        for part in PurePosixPath(self.path, path.replace("\\", "/")).parts:
            if part == ".." and not parts:
                raise AddressError(f"found {path!r}, which leads out of {self}, expected a path within the repository")
            parts = parts[:-1] if part == ".." else [*parts, part]
        return replace(self, path="/".join(parts))

    def __str__(self) -> str:
        kind = "datasets/" if self.kind == "datasets" else ""
        # without a path, a slash keeps the revision apart: a part of it would be read as one
        path = f"/{self.path}" if self.path or "/" in self.revision else ""
        return f"{SCHEME}{kind}{self.repo}{path}@{self.revision}"


def hub_folder() -> Path:
    """Folder of what was fetched, in ``LORARECIPE_HOME``."""
    return home() / "hub"


def read_address(text: str) -> Address:
    """Read an address; a revision may stand after the path or, as huggingface_hub writes it, after the repository.

    The last ``@`` of a path begins a revision, so a path that holds one is written with its revision.

    Raises
    ------
    AddressError
        When it is none.
    """
    kind, rest = "models", text.removeprefix(SCHEME)
    for prefix in _KINDS:
        if rest.startswith(f"{prefix}/"):
            kind, rest = prefix, rest.removeprefix(f"{prefix}/")
    owner, _, rest = rest.partition("/")
    name, _, path = rest.partition("/")
    name, at, revision = name.partition("@")
    if not at and "@" in path:
        path, at, revision = path.rpartition("@")
    elif path and revision == "refs":  # refs/pr/1 holds slashes itself
        raise _wrong(text)
    path = path.strip("/")
    named = _NAME.fullmatch(owner) and _NAME.fullmatch(name) and len(f"{owner}/{name}") <= _LONGEST
    if not named or (path and not is_plain(path)) or (at and not _REVISION.fullmatch(revision)):
        raise _wrong(text)
    return Address("datasets" if kind == "datasets" else "models", f"{owner}/{name}", path, revision or "main")


def is_plain(path: str) -> bool:
    """Tell whether a path of a repository leads to one place below a folder, on every system."""
    parts = path.split("/")
    return path.isprintable() and "\\" not in path and not any(part in {"", ".", ".."} for part in parts)


def address_of(folder: Path) -> Address | None:
    """Give the address of a folder on this machine that was fetched; None of any other folder."""
    try:
        kind, repo, commit, *path = folder.relative_to(hub_folder()).parts
    except ValueError:  # elsewhere, or above the folder of a repository
        return None
    owner, _, name = repo.partition("--")
    return Address("datasets" if kind == "datasets" else "models", f"{owner}/{name}", "/".join(path), commit)


def _wrong(text: str) -> AddressError:
    return AddressError(f"found {text!r}, expected an address like hf://OWNER/REPO/FILE.safetensors@REVISION")
