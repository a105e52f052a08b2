"""Fetch files from a hub, and prove that they are what the hub promised."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from lorarecipe.errors import NetworkFailed
from lorarecipe.files import file_digest, machine, open_regular
from lorarecipe.hub.address import hub_folder
from lorarecipe.hub.failures import endpoint, hub_failures, quiet
from lorarecipe.hub.resolving import Remote, RemoteFile
from lorarecipe.hub.transfers import OnBytes, in_threads


def fetch(remote: Remote, target: Path) -> None:
    """Fetch a file or a folder; see ``fetched_bytes``."""
    for _ in fetched_bytes(remote, target, hub_folder() / "drafts"):
        pass


def fetched_bytes(remote: Remote, target: Path, drafts: Path) -> Generator[int, None, None]:
    """Fetch a file or a folder, file by file: each appears when it has the digest that the hub promised.

    Parameters
    ----------
    remote
        What to fetch.
    target
        Path of the file or the folder; a file that is there already is kept.
    drafts
        A folder on the same disk, for files that are not whole yet.

    Yields
    ------
    int
        How many bytes are there, about twice a second. An exception that is raised meanwhile ends the transfer.

    Raises
    ------
    NotOnTheHub
        When a file has gone meanwhile.
    NetworkFailed
        When the hub cannot be reached, breaks off, or sends something else.
    OSError
        When the disk cannot take it.
    """
    missing = [file for file in remote.files if not _path(remote, file, target).exists()]
    if remote.is_folder:
        target.mkdir(parents=True, exist_ok=True)  # it may be empty
    if not missing:
        return
    there = remote.size - sum(file.size for file in missing)
    with quiet(), _draft_in(drafts) as draft:
        jobs = [_Job(remote, file, draft / str(number), target) for number, file in enumerate(missing)]
        with closing(in_threads(jobs)) as transfer:
            for came in transfer:
                yield there + came


def digested(remote: Remote) -> Remote:
    """Give the same with the SHA-256 of every file: of small ones, which a hub does not tell it of, by fetching them.

    Raises
    ------
    NetworkFailed
        When the hub cannot be reached, breaks off, or sends something else.
    """
    small = replace(remote, files=tuple(file for file in remote.files if not file.is_large))
    if not small.files:
        return remote
    place = remote.address.place
    for file in small.files:
        path = _path(remote, file, place)
        if path.exists() and _digest(path, file) != file.digest:  # somebody wrote into it
            path.unlink()
    fetch(small, place)
    own = {file: replace(file, digest=file_digest(_path(remote, file, place))) for file in small.files}
    return replace(remote, files=tuple(own.get(file, file) for file in remote.files))


class _Job:
    """A file to fetch."""

    def __init__(self, remote: Remote, file: RemoteFile, draft: Path, target: Path) -> None:
        self._remote, self._file, self._draft, self._target = remote, file, draft, target

    def __call__(self, on_bytes: OnBytes) -> None:
        came = _fetched(self._remote, self._file, self._draft, on_bytes)
        if _digest(came, self._file) != self._file.digest:
            raise NetworkFailed(
                f"{self._remote.address}: {self._file.path} came with another digest than the hub promised "
                f"({self._file.digest[:12]}); nothing of it is kept; run the same command again"
            )
        with came.open("rb+") as stream:
            os.fsync(stream.fileno())
        target = _path(self._remote, self._file, self._target)
        target.parent.mkdir(parents=True, exist_ok=True)
        came.replace(target)


def _fetched(remote: Remote, file: RemoteFile, folder: Path, on_bytes: OnBytes) -> Path:
    from huggingface_hub import hf_hub_download
    from tqdm.auto import tqdm

    counted = 0

    class Counting(tqdm):  # type: ignore[misc]  # tqdm has no types
        """Says what came, and draws nothing."""

        def __init__(self, *args: object, **keywords: object) -> None:
            super().__init__(*args, **{**keywords, "disable": True})

        def update(self, n: float | None = 1) -> bool | None:
            nonlocal counted
            counted += int(n or 0)
            on_bytes(int(n or 0))
            return None

        # xet tells beside it what it receives; ``update`` says how much of the file that makes
        def update_transfer(self, n: float | None = 1) -> None: ...
        def set_transfer_postfix_str(self, *args: object, **keywords: object) -> None: ...

    address = remote.address
    path = f"{address.path}/{file.path}".strip("/") if remote.is_folder else address.path
    with hub_failures(address):
        came = hf_hub_download(
            address.repo,
            path,
            repo_type=address.kind.removesuffix("s"),
            revision=address.revision,
            local_dir=folder,
            tqdm_class=Counting,
            library_name="lorarecipe",
            endpoint=endpoint(),
        )
    on_bytes(file.size - counted)  # it may come from huggingface_hub's own cache, or in fewer pieces than were counted
    return Path(came)


def _path(remote: Remote, file: RemoteFile, target: Path) -> Path:
    return target / file.path if remote.is_folder else target


def _digest(path: Path, file: RemoteFile) -> str:
    """Digest a file as its hub does: by SHA-256, or by git's SHA-1 of its size and content."""
    if file.is_large:
        return file_digest(path)
    digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with open_regular(path) as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def _draft_in(drafts: Path) -> Iterator[Path]:
    """Give an empty folder; what killed processes left beside it is removed."""
    import psutil

    drafts.mkdir(parents=True, exist_ok=True)
    for left in drafts.glob(f"{machine()}-*"):
        process = left.name.split("-")[1]
        if process.isdecimal() and not psutil.pid_exists(int(process)):
            shutil.rmtree(left, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(prefix=f"{machine()}-{os.getpid()}-", dir=drafts))
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)
