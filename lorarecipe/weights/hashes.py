"""Hashes of a file's tensors that other programs know it by."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

#: names in the metadata of the SHA-256 of all bytes after the header, which no edit of the metadata changes, and what
#: it is written after. Sources: ModelSpec 1.0.1; ``precalculate_safetensors_hashes`` of sd-scripts' ``train_util.py``
HASHES = {"modelspec.hash_sha256": "0x", "sshs_model_hash": ""}
#: the trainer's hash of 64 KiB at a fixed place in the file: another header moves other bytes there
_STALE = "sshs_legacy_hash"


def rehashed(metadata: Mapping[str, str], content: Iterable[bytes]) -> dict[str, str]:
    """Give metadata whose hashes are true: those that it has become the ones of ``content``.

    Parameters
    ----------
    metadata
        Metadata of a file.
    content
        All bytes after the header of the file that it will be written into, block after block.
    """
    digest = hashlib.sha256()
    for block in content:
        digest.update(block)
    kept = {name: value for name, value in metadata.items() if name != _STALE}
    return kept | {name: f"{start}{digest.hexdigest()}" for name, start in HASHES.items() if name in kept}
