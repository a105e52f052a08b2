"""Read a safetensors file without torch, and rewrite its metadata without touching a tensor byte."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from lorarecipe.errors import TrainingFailed
from lorarecipe.files import draft_of, open_regular


class SafetensorsError(TrainingFailed):
    """Not a whole safetensors file, torn or something else altogether, or not one that holds what is needed."""


#: whole numbers, in which a few files write alpha
_INTEGERS = {"I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1"}
_FLOATS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}


@dataclass(frozen=True)
class Weights:
    """A safetensors file that was opened and found whole."""

    path: Path

    def __post_init__(self) -> None:
        """Open with the library, whose header limits and offset checks are the reference."""
        try:
            with open_regular(self.path), safe_open(self.path, framework="numpy"):
                pass
        except (SafetensorError, OSError) as problem:
            raise SafetensorsError(f"{self.path}: not a whole safetensors file ({problem})") from problem

    @cached_property
    def _header(self) -> tuple[int, dict[str, Any]]:
        with self.path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            return 8 + length, json.loads(stream.read(length))

    @property
    def header_size(self) -> int:
        """Bytes before those of the tensors."""
        return self._header[0]

    @cached_property
    def size(self) -> int:
        """Bytes of the file."""
        return self.path.stat().st_size

    @cached_property
    def metadata(self) -> dict[str, str]:
        """Text metadata of the header."""
        return dict(self._header[1].get("__metadata__") or {})

    @cached_property
    def names(self) -> frozenset[str]:
        """Names of the tensors."""
        return frozenset(self._header[1]) - {"__metadata__"}

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the tensors."""
        return {name: tuple(self._header[1][name]["shape"]) for name in self.names}

    def dtype(self, name: str) -> str:
        """Data type of a tensor as the header writes it (``F16``)."""
        return str(self._header[1][name]["dtype"])

    def read(self, name: str, rows: slice = slice(None)) -> npt.NDArray[np.float32]:
        """Read a float tensor, or some rows that follow each other, as float32; bfloat16 is widened exactly.

        Raises
        ------
        SafetensorsError
            When the tensor does not hold floats.
        """
        dtype, shape = self.dtype(name), self.shapes[name]
        if dtype not in _FLOATS:
            raise SafetensorsError(f"{self.path}: {name} holds {dtype}, expected floats")
        form, span = np.dtype(_FLOATS[dtype]), range(*rows.indices(shape[0] if shape else 1))
        width = prod(shape[1:])
        offset = self._start(name) + span.start * width * form.itemsize
        values = np.fromfile(self.path, form, len(span) * width, offset=offset)
        values = values.reshape((len(span), *shape[1:]) if shape else ())
        if dtype == "BF16":
            return (values.astype(np.uint32) << 16).view(np.float32)
        return values.astype(np.float32, copy=False)

    def number(self, name: str) -> float:
        """Read a tensor of one number, whatever its shape: `()` and `(1,)` are both common, and whole numbers occur.

        Raises
        ------
        SafetensorsError
            When the tensor holds another count of numbers, or none that can be read.
        """
        dtype, shape = self.dtype(name), self.shapes[name]
        if prod(shape) != 1:
            raise SafetensorsError(f"{self.path}: {name} has the shape {list(shape)}, expected one number")
        if dtype in _INTEGERS:
            return float(np.fromfile(self.path, _INTEGERS[dtype], 1, offset=self._start(name))[0])
        return float(self.read(name).reshape(()))

    def content(self) -> Iterator[bytes]:
        """Read all bytes after the header, block after block."""
        with self.path.open("rb") as stream:
            stream.seek(self._header[0])
            while block := stream.read(1 << 20):
                yield block

    @property
    def unreadable(self) -> frozenset[str]:
        """Data types in the file that are neither floats that can be read nor whole numbers: `F8_E4M3`."""
        known = {*_FLOATS, *_INTEGERS, "BOOL", "U16", "U32", "U64"}
        return frozenset(map(self.dtype, self.names)) - known

    def overwrite(self, copy: Path, name: str, blocks: Iterable[npt.NDArray[np.float32]]) -> None:
        """Write a tensor's new values where it stands in a ``copy`` of this file, rounded to its own precision.

        They come block after block, so that a large tensor needs little memory.
        """
        dtype = self.dtype(name)
        # the proof of a merge looks for what is not finite
        with copy.open("r+b") as stream, np.errstate(over="ignore"):
            stream.seek(self._start(name))
            for values in blocks:
                if dtype == "BF16":
                    bits = values.view(np.uint32)
                    # to the nearest, and to the even one of two
                    rounded = ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype("<u2")
                else:
                    rounded = np.ascontiguousarray(values, dtype=_FLOATS[dtype])
                stream.write(rounded.data)

    @property
    def in_order(self) -> list[str]:
        """Names of the tensors as they follow each other in the file."""
        return sorted(self.names, key=lambda name: (self.span(name), name))

    def span(self, name: str) -> tuple[int, int]:
        """Give where a tensor begins in the file, and how many bytes it has."""
        offset, header = self._header
        start, end = header[name]["data_offsets"]
        return int(offset + start), int(end - start)

    def _start(self, name: str) -> int:
        return self.span(name)[0]


def rewrite_metadata(source: Path, target: Path, metadata: Mapping[str, str], drop: Collection[str] = ()) -> None:
    """Copy a safetensors file with its metadata updated; every tensor byte stays what it was.

    The copy appears under its final name only when it is whole and on the disk.

    Parameters
    ----------
    source
        The file.
    target
        Path of the copy.
    metadata
        What is added to the file's own metadata.
    drop
        Names in the file's own metadata that the copy does not have.
    """
    weights = Weights(source)
    offset, header = weights._header
    kept = {name: value for name, value in weights.metadata.items() if name not in drop}
    header = {**header, "__metadata__": {**kept, **metadata}}
    with draft_of(target) as draft, source.open("rb") as reader, draft.open("wb") as writer:
        writer.write(header_bytes(header))
        reader.seek(offset)
        shutil.copyfileobj(reader, writer, 1 << 20)


def header_bytes(header: Mapping[str, object]) -> bytes:
    """Write a header as a file begins with it: its length, and JSON that ends at a multiple of eight bytes."""
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text
