"""What an address means: the commit, and of each file its size and digest. Remembered, so that it is known offline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from lorarecipe.errors import NetworkFailed
from lorarecipe.files import canonical_json, digest_of, read_file, write_atomic
from lorarecipe.hub.address import Address, hub_folder
from lorarecipe.hub.failures import hub_failures, is_offline

if TYPE_CHECKING:
    from huggingface_hub import RepoFile, RepoFolder


@dataclass(frozen=True)
class RemoteFile:
    """A file on a hub; ``path`` is relative to the address."""

    path: str
    size: int
    """In bytes."""
    digest: str
    """SHA-256 (64 hex digits) of a large file, or of a small one git's own SHA-1 of it (40)."""


@dataclass(frozen=True)
class Remote:
    """What an address meant when it was resolved; ``address`` has the commit as its revision."""

    address: Address
    files: tuple[RemoteFile, ...]
    is_folder: bool

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def digest(self) -> str:
        """SHA-256 of a large file, else a digest of the files' paths and digests."""
        if not self.is_folder and len(self.files[0].digest) == 64:
            return self.files[0].digest
        return digest_of({file.path: file.digest for file in self.files})

    @property
    def identity(self) -> dict[str, object]:
        """What it is, wherever it comes from; trainers write the name of a checkpoint into what they make of it."""
        return {"name": self.address.name, "digest": self.digest}


_FORM = TypeAdapter(Remote)


def resolve(address: Address) -> Remote:
    """Ask the hub what an address means; of a commit that was asked for before, and offline, it is remembered.

    Raises
    ------
    NotOnTheHub
        When the hub has no such repository, revision or path.
    NetworkFailed
        When the hub cannot be asked, refuses, or offline nothing is remembered.
    """
    return _resolved(address)


@cache  # a branch that moves meanwhile would give one run two checkpoints
def _resolved(address: Address) -> Remote:
    memory = hub_folder() / "resolved" / f"{digest_of(str(address))[:32]}.json"
    known = _remembered(memory)
    if known and (address.is_fixed or is_offline()):
        return known
    if is_offline():
        raise NetworkFailed(f"{address}: it was never fetched, and HF_HUB_OFFLINE forbids it now; unset it, run again")
    found = _asked(address)
    write_atomic(memory, canonical_json(_FORM.dump_python(found, mode="json")))
    return found


def _remembered(memory: Path) -> Remote | None:
    try:
        return _FORM.validate_json(read_file(memory))
    except (OSError, ValidationError):
        return None


def _asked(address: Address) -> Remote:
    from huggingface_hub import HfApi, RepoFile

    api, kind = HfApi(library_name="lorarecipe"), address.kind.removesuffix("s")
    with hub_failures(address):
        commit = api.repo_info(address.repo, repo_type=kind, revision=address.revision).sha
        assert commit  # of one repository it is always told
        paths = [address.path] if address.path else []
        found = api.get_paths_info(address.repo, paths, repo_type=kind, revision=commit) if paths else []
        if found and isinstance(found[0], RepoFile):
            return Remote(address.at(commit), (_file(found[0], address.name),), is_folder=False)
        tree = api.list_repo_tree(address.repo, address.path or None, recursive=True, repo_type=kind, revision=commit)
        files = tuple(sorted(_in_folder(tree, address), key=lambda file: file.path))
    return Remote(address.at(commit), files, is_folder=True)


def _in_folder(tree: Iterable[RepoFile | RepoFolder], address: Address) -> Iterator[RemoteFile]:
    from huggingface_hub import RepoFile

    for entry in tree:
        if isinstance(entry, RepoFile):
            yield _file(entry, entry.path.removeprefix(f"{address.path}/" if address.path else ""))


def _file(entry: RepoFile, path: str) -> RemoteFile:
    return RemoteFile(path, entry.size, entry.lfs.sha256 if entry.lfs else entry.blob_id)
