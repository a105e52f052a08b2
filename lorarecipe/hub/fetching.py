"""Fetch files from a hub, and prove that they are what the hub promised."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from lorarecipe.errors import NetworkFailed
from lorarecipe.files import file_digest, fitting, machine, open_regular
from lorarecipe.hub.failures import hub_failures
from lorarecipe.hub.resolving import Remote, RemoteFile

#: bytes that have come since the last call
OnBytes = Callable[[int], None]


def _nothing(size: int) -> None:
    """Do nothing."""


def fetch(remote: Remote, target: Path, on_bytes: OnBytes = _nothing) -> None:
    """Fetch a file or a folder, whole: it appears when every file has the size and the digest that the hub promised.

    Parameters
    ----------
    remote
        What to fetch.
    target
        Path of the file or the folder; what is there already is kept.
    on_bytes
        Called with the number of bytes that have come since the last call; what it raises ends the transfer.

    Raises
    ------
    NotOnTheHub
        When a file has gone meanwhile.
    NetworkFailed
        When the hub cannot be reached, breaks off, or sends something else.
    """
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.parent / f".{fitting(target.name)}.{machine()}.fetching"
    shutil.rmtree(draft, ignore_errors=True)
    try:
        for file in remote.files:
            _fetch_file(remote, file, draft, on_bytes)
        shutil.rmtree(draft / ".cache", ignore_errors=True)
        came = draft / remote.address.path
        if remote.is_folder:
            came.mkdir(parents=True, exist_ok=True)  # it may be empty
        came.replace(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _fetch_file(remote: Remote, file: RemoteFile, folder: Path, on_bytes: OnBytes) -> None:
    from huggingface_hub import hf_hub_download
    from tqdm.auto import tqdm

    class Counting(tqdm):  # type: ignore[misc]  # tqdm has no types
        """Says what came, and draws nothing."""

        def __init__(self, *args: object, **keywords: object) -> None:
            super().__init__(*args, **{**keywords, "disable": True})

        def update(self, n: float | None = 1) -> bool | None:
            on_bytes(int(n or 0))
            return None

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
        )
    if _digest(Path(came), file) != file.digest:
        raise NetworkFailed(
            f"{address}: {file.path} came with another digest than the hub promised ({file.digest[:12]}); nothing of "
            "it is kept; run the same again"
        )


def _digest(path: Path, file: RemoteFile) -> str:
    """Digest a file as its hub does: by SHA-256, or by git's SHA-1 of its size and content."""
    if len(file.digest) == 64:
        return file_digest(path)
    digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with open_regular(path) as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
