"""Stages of the shared store: ``<stage>/<digest>/`` has their files, ``<stage>/manifest.json`` says that all are there.

The manifest is written last, so what was sent by half is never found. The folder of the files is named by a digest of
what is in it: two machines that send the same stage write into folders of their own (or the very same bytes into one),
and no manifest ever names a mixture of both. The first manifest stays; the files of the other machine are removed.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Annotated, Literal

from pydantic import BaseModel, Field, ValidationError

from lorarecipe.errors import NetworkFailed
from lorarecipe.files import canonical_json, digest_of, file_digest, read_file
from lorarecipe.hub import OnBytes, in_threads
from lorarecipe.shared.address import SharedAddress, shared_address
from lorarecipe.shared.failures import NotThere, wait
from lorarecipe.shared.files import files_of, for_each
from lorarecipe.store import CHANGED, IDENTITY, MANIFEST, Store


class DamagedStage(Exception):
    """A stage of the shared store is not what its manifest says; the message names the file."""


class _Part(BaseModel, frozen=True):
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=0)]


class _Manifest(BaseModel, frozen=True):
    format: Literal[1] = 1
    files: dict[str, _Part]


@dataclass(frozen=True)
class SharedStage:
    """A stage that the shared store has, by its manifest."""

    name: str
    files: Mapping[str, _Part]

    @property
    def folder(self) -> str:
        """Folder of its files in the shared store."""
        return f"{self.name}/{digest_of({file: part.sha256 for file, part in self.files.items()})[:16]}"

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(part.size for part in self.files.values())


class SharedStore:
    """Finished stages that machines share, by name (``kind-key``)."""

    def __init__(self, address: SharedAddress) -> None:
        self.address = address
        self._files = files_of(address)

    def find(self, name: str) -> SharedStage | None:
        """Give a finished stage, or None where the shared store has none of this name.

        Raises
        ------
        DamagedStage
            When its manifest cannot be read.
        NetworkFailed
            When the shared store cannot be asked.
        """
        content = self._files.read(f"{name}/{MANIFEST}")
        if content is None:
            return None
        try:
            manifest = _Manifest.model_validate_json(content)
        except ValidationError as problem:
            raise DamagedStage(f"{self.address}/{name}/{MANIFEST}: this is no manifest of a stage") from problem
        if odd := [file for file in manifest.files if not _is_plain(file)]:
            raise DamagedStage(f"{self.address}/{name}/{MANIFEST}: it names {odd[0]!r}, which no stage holds")
        return SharedStage(name, manifest.files)

    def having(self, names: Iterable[str], patience: float = math.inf) -> dict[str, SharedStage]:
        """Give those of the stages that the shared store has, by their names.

        ``patience`` is after how many seconds without any answer no more is waited for.

        Raises
        ------
        NetworkFailed
            When the shared store cannot be asked.
        """
        found: dict[str, SharedStage] = {}
        jobs = [partial(self._ask, name, found) for name in names]
        with closing(in_threads(jobs)) as answers:
            wait(answers, self.address, patience)
        return found

    def require_writable(self) -> None:
        """Look whether stages can be sent.

        Raises
        ------
        NetworkFailed
            When the shared store cannot be written.
        """
        try:
            self._files.try_writing()
        except NotThere as problem:
            raise self._gone(problem) from problem

    def pull(self, stage: SharedStage, identity: Mapping[str, object], target: Path, on_bytes: OnBytes) -> None:
        """Fetch the files of a stage into a folder, and compare each with its digest.

        Parameters
        ----------
        stage
            What to fetch.
        identity
            What the stage's key was made from: the files of another stage are refused.
        target
            The folder; what it held is removed.
        on_bytes
            Called with the number of bytes that have come since the last call; what it raises ends the transfer.

        Raises
        ------
        DamagedStage
            When a file is missing, or is not what its digest says.
        NetworkFailed
            When the shared store cannot be reached, or breaks off.
        """
        shutil.rmtree(target, ignore_errors=True)
        for_each(lambda file: self._fetch(stage, file, target / file, on_bytes), stage.files)
        if IDENTITY not in stage.files or read_file(target / IDENTITY) != canonical_json(identity).encode():
            raise DamagedStage(f"{self.address}/{stage.folder}: these are the files of another stage")

    def push(self, name: str, store: Store, on_bytes: OnBytes, *, replaces: bool) -> None:
        """Send a finished stage, its manifest last. Where another machine was faster, its stage stays.

        Parameters
        ----------
        name
            Name of the stage.
        store
            Where it is found.
        on_bytes
            Called with the number of bytes that have gone since the last call; what it raises ends the transfer.
        replaces
            Whether the shared store's own was found damaged, and is replaced.

        Raises
        ------
        NetworkFailed
            When the shared store cannot be reached, refuses, or does not hold what was sent.
        """
        folder = store.path(name)
        stage = stage_of(name, store)
        try:
            self._files.send({f"{stage.folder}/{file}": folder / file for file in stage.files}, on_bytes)
            for_each(lambda file: self._require_whole(stage, file), stage.files)
        except NotThere as problem:
            raise self._gone(problem) from problem
        try:
            before = self.find(name)
        except DamagedStage:
            before = None
        if before and not replaces:
            self._remove(before, stage)
            return
        with TemporaryDirectory() as drafts:
            draft = Path(drafts) / MANIFEST
            draft.write_text(canonical_json(_Manifest(files=dict(stage.files)).model_dump()), encoding="utf-8")
            self._files.send({f"{name}/{MANIFEST}": draft}, lambda size: None)  # noqa: ARG005 - it counts as none
        if before:
            self._remove(stage, before)

    def _ask(self, name: str, found: dict[str, SharedStage], on_answer: OnBytes) -> None:
        with suppress(DamagedStage):
            if stage := self.find(name):
                found[name] = stage
        on_answer(1)

    def _fetch(self, stage: SharedStage, file: str, target: Path, on_bytes: OnBytes) -> None:
        """Fetch a file, and once more where it does not come as it should."""
        part = stage.files[file]
        for _ in range(2):
            try:
                self._files.fetch(f"{stage.folder}/{file}", target, on_bytes)
            except NotThere as problem:
                raise DamagedStage(f"{self.address}/{stage.folder}/{file}: the file is not there") from problem
            if target.stat().st_size == part.size and file_digest(target) == part.sha256:
                return
        raise DamagedStage(f"{self.address}/{stage.folder}/{file}: the file is not what its digest says")

    def _require_whole(self, stage: SharedStage, file: str) -> None:
        found, sent = self._files.size(f"{stage.folder}/{file}"), stage.files[file].size
        if found != sent:
            address = f"{self.address}/{stage.folder}/{file}"
            raise NetworkFailed(f"{address}: {sent} bytes were sent, and {found} are there; run the same again")

    def _remove(self, kept: SharedStage, gone: SharedStage) -> None:
        """Remove the files of a stage that no manifest names; where that is not allowed, they stay."""
        if kept.folder != gone.folder:
            with suppress(NetworkFailed, NotThere):
                self._files.remove(gone.folder)

    def _gone(self, problem: NotThere) -> NetworkFailed:
        return NetworkFailed(
            f"{self.address}: there is no such bucket, repository or folder ({problem}); make it first"
        )


def shared_store() -> SharedStore | None:
    """Give the store that ``LORARECIPE_STORE`` names; None where it names none.

    Raises
    ------
    MachineNotReady
        When the variable holds no address of a store, or the library that reads it is not installed.
    """
    address = shared_address()
    return SharedStore(address) if address else None


def stage_of(name: str, store: Store) -> SharedStage:
    """Give a finished stage of this machine's store as the shared store will have it."""
    files = {
        file: _Part(sha256=sealed.sha256 or file_digest(store.path(name) / file), size=sealed.stamp[0])
        for file, sealed in store.manifest(name).items()
    }
    return SharedStage(name, files)


def _is_plain(file: str) -> bool:
    """Tell whether a manifest's name stays within the stage's folder, on any system."""
    parts = PurePosixPath(file).parts
    plain = file == "/".join(parts) and file.isprintable() and not {*parts} & {"/", "..", "."}
    return plain and not {*"\\:"} & {*file} and file not in {"", MANIFEST, CHANGED}
