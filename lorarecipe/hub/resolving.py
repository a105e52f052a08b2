"""What an address means: the commit, and of each file its size and digest. Remembered, so that it is known offline."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from lorarecipe.errors import NetworkFailed
from lorarecipe.files import READ_ONLY, canonical_json, digest_of, read_file, write_atomic
from lorarecipe.hub.address import Address, hub_folder, is_plain
from lorarecipe.hub.failures import NotOnTheHub, endpoint, hub_failures, is_offline, not_here, quiet

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

    @property
    def is_large(self) -> bool:
        """Whether the hub tells its SHA-256."""
        return len(self.digest) == 64


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
        """Digest of a file, or of a folder's paths and digests, as of a checkpoint's folder on this machine."""
        return digest_of({file.path: file.digest for file in self.files}) if self.is_folder else self.files[0].digest

    @property
    def identity(self) -> dict[str, object]:
        """What it is, wherever it comes from; trainers write the name of a checkpoint into what they make of it."""
        return {"name": self.address.name, "digest": self.digest}

    @property
    def within(self) -> Path:
        """Where it is in the folder of what was made: apart from our own files, whatever its name is."""
        return Path("files", self.address.name)

    def only(self, paths: Collection[str]) -> Remote:
        """Give a folder with some of its files."""
        return replace(self, files=tuple(file for file in self.files if file.path in paths))


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
    return _resolved(address, endpoint(), hub_folder(), offline=is_offline())


@cache  # a branch that moves meanwhile would give one run two checkpoints
def _resolved(address: Address, where: str | None, folder: Path, *, offline: bool) -> Remote:
    known = _remembered(address, folder)
    if known and (address.is_fixed or offline):
        return known
    if offline:
        raise not_here(address)
    try:
        found = _asked(address, where)
    except NotOnTheHub:
        raise
    except NetworkFailed as problem:
        if known:
            raise NetworkFailed(f"{problem}; to use what was fetched before, set HF_HUB_OFFLINE=1") from problem
        raise
    for name in {address, found.address}:
        try:
            write_atomic(_memory(name, folder), canonical_json(_FORM.dump_python(found, mode="json")))
        except OSError as problem:
            if problem.errno not in READ_ONLY:  # a home that is only read is none the worse
                raise
    return found


def _memory(address: Address, folder: Path) -> Path:
    return folder / "resolved" / f"{digest_of(str(address))[:32]}.json"


def _remembered(address: Address, folder: Path) -> Remote | None:
    try:
        known = _FORM.validate_json(read_file(_memory(address, folder)))
    except (OSError, ValidationError):
        return None
    is_of_it = (known.address.kind, known.address.repo, known.address.path) == (
        address.kind,
        address.repo,
        address.path,
    )
    return known if is_of_it and known.files and all(is_plain(file.path) for file in known.files) else None


def _asked(address: Address, where: str | None) -> Remote:
    from huggingface_hub import HfApi, RepoFile

    api, kind = HfApi(endpoint=where, library_name="lorarecipe"), address.kind.removesuffix("s")
    with quiet(), hub_failures(address):
        commit = api.repo_info(address.repo, repo_type=kind, revision=address.revision).sha
        assert commit  # the hub always names the commit of a repository
        paths = [address.path] if address.path else []
        found = api.get_paths_info(address.repo, paths, repo_type=kind, revision=commit) if paths else []
        if found and isinstance(found[0], RepoFile):
            return Remote(address.at(commit), (_file(found[0], address.name),), is_folder=False)
        tree = api.list_repo_tree(address.repo, address.path or None, recursive=True, repo_type=kind, revision=commit)
        files = tuple(sorted(_in_folder(tree, address), key=lambda file: file.path))
    if odd := next((file.path for file in files if not is_plain(file.path)), None):
        raise NetworkFailed(f"{address}: found a file of the name {odd!r}, which a disk may not be able to hold")
    return Remote(address.at(commit), files, is_folder=True)


def _in_folder(tree: Iterable[RepoFile | RepoFolder], address: Address) -> Iterator[RemoteFile]:
    from huggingface_hub import RepoFile

    for entry in tree:
        if isinstance(entry, RepoFile):
            yield _file(entry, entry.path.removeprefix(f"{address.path}/" if address.path else ""))


def _file(entry: RepoFile, path: str) -> RemoteFile:
    return RemoteFile(path, entry.size, entry.lfs.sha256 if entry.lfs else entry.blob_id)
