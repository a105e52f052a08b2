"""Hashes of a safetensors file, as Civitai, A1111, the Hugging Face hub and kohya's trainer compute them."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from lorarecipe.files import open_regular
from lorarecipe.weights import Weights, header_bytes

_BLOCK = 1 << 20
#: the bytes of a file that the oldest hashes are of
_OLD_WINDOW = (0x100000, 0x110000)
#: data types in the order in which the safetensors library writes tensors; of one type, they are ordered by name
_WRITTEN = (
    *("U64", "I64", "F64", "C64", "F32", "U32", "I32", "BF16", "F16", "U16", "I16"),
    *("F8_E8M0", "F8_E4M3", "F8_E5M2", "I8", "U8", "F6_E3M2", "F6_E2M3", "F4", "BOOL"),
)


@dataclass(frozen=True)
class Claim:
    """A hash that the file's metadata states, and what it is by the file's bytes."""

    name: str
    stated: str
    computed: str | None
    """None where it cannot be computed again."""

    @property
    def is_true(self) -> bool | None:
        """Whether the statement is true; None where it cannot be told."""
        stated = self.stated.lower().removeprefix("0x")
        return None if self.computed is None else stated == self.computed


@dataclass(frozen=True)
class Hashes:
    """Every hash of a file; all are hexadecimal digits."""

    sha256: str
    """SHA-256 of the file, also the object id (LFS) that the hub has of it."""
    autov1: str
    """A1111's first hash: 8 digits, of 64 KiB that begin at 1 MiB."""
    autov2: str
    """The first 10 digits of the SHA-256."""
    autov3: str
    """The first 12 digits of the SHA-256 of the tensors, which a change of the metadata does not alter."""
    crc32: str
    """CRC-32, in capitals as Civitai writes it."""
    blake3: str
    git_blob: str
    """SHA-1 of git, the hub's object id of a file that is not in LFS."""
    tensors_sha256: str
    """SHA-256 of all that follows the header."""
    sshs_model_hash: str
    """What kohya's trainer writes under this name: SHA-256 of the tensors as the safetensors library orders them."""
    sshs_legacy_hash: str | None
    """What it writes under this name; None where the metadata is so long that its order, which is random, counts."""
    a1111: str
    """The 12 digits by which A1111 finds a LoRA that a picture names: those the metadata states, or AutoV3."""


def hashes_of(weights: Weights) -> Hashes:
    """Compute all hashes of a file in one pass; the trainer's in a second one where tensors stand in another order."""
    from blake3 import blake3

    whole, tensors, old, blake = hashlib.sha256(), hashlib.sha256(), hashlib.sha256(), blake3()
    git = hashlib.sha1(usedforsecurity=False)
    crc = at = 0
    with open_regular(weights.path) as stream:
        git.update(b"blob %d\0" % weights.size)
        while block := stream.read(_BLOCK):
            for hasher in (whole, git, blake):
                hasher.update(block)
            crc = zlib.crc32(block, crc)
            tensors.update(_part(block, at, weights.header_size, weights.size))
            old.update(_part(block, at, *_OLD_WINDOW))
            at += len(block)
    full, inner = whole.hexdigest(), tensors.hexdigest()
    model_hash = inner if _as_written(weights) == weights.in_order else _sha256(_bytes_as_written(weights))
    return Hashes(
        sha256=full,
        autov1=old.hexdigest()[:8],
        autov2=full[:10],
        autov3=inner[:12],
        crc32=f"{crc:08X}",
        blake3=blake.hexdigest(),
        git_blob=git.hexdigest(),
        tensors_sha256=inner,
        sshs_model_hash=model_hash,
        sshs_legacy_hash=_legacy_hash(weights),
        a1111=(weights.metadata.get("sshs_model_hash") or inner)[:12],
    )


def claims_of(weights: Weights, hashes: Hashes) -> tuple[Claim, ...]:
    """Compare the hashes that the metadata states with those of the file."""
    computed = {
        "sshs_model_hash": hashes.sshs_model_hash,
        "sshs_legacy_hash": hashes.sshs_legacy_hash,
        "modelspec.hash_sha256": hashes.tensors_sha256,
    }
    stated = weights.metadata
    return tuple(Claim(name, stated[name], value) for name, value in computed.items() if name in stated)


def _part(block: bytes, at: int, first: int, last: int) -> memoryview:
    """Give what a block, which begins at ``at``, has of a range of the file."""
    return memoryview(block)[max(0, first - at) : max(0, last - at)]


def _sha256(blocks: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    for block in blocks:
        digest.update(block)
    return digest.hexdigest()


def _as_written(weights: Weights) -> list[str]:
    """Name the tensors in the order in which the safetensors library writes them."""
    rank = {dtype: place for place, dtype in enumerate(_WRITTEN)}
    return sorted(weights.names, key=lambda name: (rank.get(weights.dtype(name), len(rank)), name))


def _bytes_as_written(weights: Weights, last: int | None = None) -> Iterator[bytes]:
    """Give the tensors' bytes in that order, up to ``last``."""
    left = weights.size if last is None else last
    with open_regular(weights.path) as stream:
        for name in _as_written(weights):
            start, size = weights.span(name)
            stream.seek(start)
            size = min(size, left)
            left -= size
            while size > 0 and (block := stream.read(min(_BLOCK, size))):
                size -= len(block)
                yield block


def _legacy_hash(weights: Weights) -> str | None:
    """Hash 64 KiB at 1 MiB of a copy that has the trainer's metadata only, as sd-scripts does before it saves."""
    first, last = _OLD_WINDOW
    kept = {name: value for name, value in weights.metadata.items() if name.startswith("ss_")}
    header: dict[str, object] = {"__metadata__": kept}
    end = 0
    for name in _as_written(weights):
        start, end = end, end + weights.span(name)[1]
        header[name] = {
            "dtype": weights.dtype(name),
            "shape": [*weights.shapes[name]],
            "data_offsets": [start, end],
        }
    copy = header_bytes(header)
    # the library writes the metadata in another order each time
    if len(kept) > 1 and 8 + len(json.dumps(kept, separators=(",", ":"), ensure_ascii=False).encode()) > first:
        return None
    digest, at = hashlib.sha256(copy[first:last]), len(copy)
    for block in _bytes_as_written(weights, max(0, last - at)):
        digest.update(_part(block, at, first, last))
        at += len(block)
    return digest.hexdigest()[:8]
