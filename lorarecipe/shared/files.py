"""Files of a shared store, by fsspec: read, sent and removed. What differs between its providers is here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from lorarecipe.files import draft_of, open_regular
from lorarecipe.hub import OnBytes, endpoint
from lorarecipe.shared.address import SharedAddress
from lorarecipe.shared.failures import NotThere, tried
from lorarecipe.shared.google import google_buckets

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem
    from fsspec.callbacks import Callback

#: files that are on their way at once
_AT_ONCE = 8
#: bytes of a file that are copied at once
_BLOCK = 1 << 22
#: what was listed before may have changed, by another machine
_FRESH = {"skip_instance_cache": True, "use_listings_cache": False}
T = TypeVar("T")


class Files:
    """Files below an address; names are relative to it, with ``/`` between folders."""

    def __init__(self, address: SharedAddress) -> None:
        self.address = address
        self._system = self._try(self._opened)

    def read(self, name: str) -> bytes | None:
        """Read a small file; None where it is not there."""
        try:
            return bytes(self._try(lambda: self._fresh().cat_file(self._path(name))))
        except NotThere:
            return None

    def fetch(self, name: str, target: Path, on_bytes: OnBytes) -> None:
        """Fetch a file.

        Raises
        ------
        NotThere
            When it is not there.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        self._try(lambda: self._system.get_file(self._path(name), str(target), callback=_counting(on_bytes)))

    def send(self, files: Mapping[str, Path], on_bytes: OnBytes) -> None:
        """Send files; those that are there are replaced, each at once."""
        for_each(lambda name: self._send(files[name], name, on_bytes), files)

    def size(self, name: str) -> int:
        """Give the bytes of a file."""
        return int(self._try(lambda: self._fresh().info(self._path(name))["size"]))

    def remove(self, name: str) -> None:
        """Remove a file, or a folder with all that is in it."""
        self._try(lambda: self._fresh().rm(self._path(name), recursive=True))

    def try_writing(self) -> None:
        """Write a small file and remove it again."""
        trial = "lorarecipe-can-write"
        self._try(lambda: self._system.pipe_file(self._path(trial), b"written to see that it can be"))
        self.remove(trial)

    def _opened(self) -> AbstractFileSystem:
        from fsspec import filesystem

        return filesystem(self.address.scheme, **_FRESH)

    def _send(self, source: Path, name: str, on_bytes: OnBytes) -> None:
        self._try(lambda: self._system.put_file(str(source), self._path(name), callback=_counting(on_bytes)))

    def _path(self, name: str) -> str:
        return f"{self.address.path}/{name}"

    def _fresh(self) -> AbstractFileSystem:
        self._system.invalidate_cache()
        return self._system

    def _try(self, work: Callable[[], T]) -> T:
        return tried(work, self.address)


class FolderFiles(Files):
    """Files of a folder, which may be on a disk that hosts share: each appears whole."""

    def try_writing(self) -> None:
        """Write a small file and remove it again; the folder is made where it is not there."""
        self._try(lambda: Path(self.address.path).mkdir(parents=True, exist_ok=True))
        super().try_writing()

    def fetch(self, name: str, target: Path, on_bytes: OnBytes) -> None:
        """Copy a file."""
        target.parent.mkdir(parents=True, exist_ok=True)
        self._try(lambda: _copy(Path(self._path(name)), target, on_bytes))

    def _send(self, source: Path, name: str, on_bytes: OnBytes) -> None:
        def send() -> None:
            with draft_of(Path(self._path(name))) as draft:
                _copy(source, draft, on_bytes)

        self._try(send)


class GoogleFiles(Files):
    """Files of a bucket of Google's."""

    def _opened(self) -> AbstractFileSystem:
        return google_buckets(**_FRESH)


class HubFiles(Files):
    """Files of a dataset on the Hugging Face hub: what is sent together is one commit."""

    def __init__(self, address: SharedAddress) -> None:
        from huggingface_hub import HfApi

        super().__init__(address)
        self._api = HfApi(endpoint=endpoint(), library_name="lorarecipe")
        _, owner, name, *folders = address.path.split("/")
        self._repo, self._folder = f"{owner}/{name}", "".join(f"{folder}/" for folder in folders)

    def send(self, files: Mapping[str, Path], on_bytes: OnBytes) -> None:
        """Send files in one commit."""
        from huggingface_hub import CommitOperationAdd

        add = [CommitOperationAdd(f"{self._folder}{name}", str(path)) for name, path in files.items()]
        message = f"lorarecipe: {next(iter(files)).partition('/')[0]}"
        self._try(lambda: self._api.create_commit(self._repo, add, commit_message=message, repo_type="dataset"))
        on_bytes(sum(path.stat().st_size for path in files.values()))

    def _opened(self) -> AbstractFileSystem:
        from fsspec import filesystem

        return filesystem("hf", endpoint=endpoint(), **_FRESH)

    def try_writing(self) -> None:
        """Ask whether the token may write; a trial would leave two commits."""
        self._try(lambda: self._api.auth_check(self._repo, repo_type="dataset", write=True))


def files_of(address: SharedAddress) -> Files:
    """Give the files of an address, in the way of its provider."""
    return {"file": FolderFiles, "gs": GoogleFiles, "hf": HubFiles}.get(address.scheme, Files)(address)


def for_each(work: Callable[[str], None], names: Mapping[str, object]) -> None:
    """Work on several files at once; the first failure ends it."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        going = [pool.submit(work, name) for name in names]
        try:
            for one in going:
                one.result()
        finally:
            for one in going:
                one.cancel()


def _copy(source: Path, target: Path, on_bytes: OnBytes) -> None:
    with open_regular(source) as reading, target.open("wb") as writing:
        while block := reading.read(_BLOCK):
            writing.write(block)
            on_bytes(len(block))


def _counting(on_bytes: OnBytes) -> Callback:
    from fsspec.callbacks import Callback

    class Counting(Callback):  # type: ignore[misc]  # fsspec has no types
        """Says what has gone over."""

        def relative_update(self, inc: int = 1) -> None:
            on_bytes(inc)

        def absolute_update(self, value: int) -> None:
            on_bytes(value - self.value)
            self.value: int = value

    return Counting()
