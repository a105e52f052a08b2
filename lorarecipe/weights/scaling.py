"""Scale a LoRA, so that a file is at weight 1.0 what another is at any weight."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from lorarecipe.files import draft_of
from lorarecipe.weights.file import SafetensorsError, Weights
from lorarecipe.weights.merging import lora_modules


def scale_lora(source: Path, target: Path, factor: float, metadata: dict[str, str]) -> None:
    """Write a copy of a LoRA in kohya's format with every alpha multiplied; all other tensors stay byte by byte.

    What a LoRA adds to a weight is ``up @ down * alpha / rank``, so a file of ``alpha * factor`` at weight 1.0 adds
    what this one adds at the weight ``factor``. An alpha is written in float32, whatever it was in.

    Parameters
    ----------
    source
        The LoRA.
    target
        Path of the copy, which appears when it is whole.
    factor
        What alpha is multiplied by.
    metadata
        What is added to the file's metadata.

    Raises
    ------
    SafetensorsError
        When a module has no alpha, or the file is no LoRA.
    """
    lora = Weights(source)
    modules = lora_modules(lora.names)
    without = sorted(module for module in modules if f"{module}.alpha" not in lora.names)
    if not modules or without:
        found = f"{without[0]} without alpha" if without else "no LoRA modules"
        raise SafetensorsError(f"{source}: found {found}, expected a LoRA in kohya's format")
    # other programs know a file by the trainer's hashes of its tensors, which are no longer true
    kept = {name: value for name, value in lora.metadata.items() if not name.startswith("sshs_")}
    header: dict[str, object] = {"__metadata__": {**kept, **metadata}}
    parts: list[bytes | tuple[int, int]] = []
    at = 0
    for name in lora.in_order:
        start, size = lora.span(name)
        if name.endswith(".alpha"):
            scaled = np.float32(lora.number(name) * factor).tobytes()
            parts.append(scaled)
            size = len(scaled)
        else:
            parts.append((start, size))
        dtype = "F32" if name.endswith(".alpha") else lora.dtype(name)
        header[name] = {"dtype": dtype, "shape": list(lora.shapes[name]), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    with draft_of(target) as draft, source.open("rb") as reader, draft.open("wb") as writer:
        writer.write(len(text).to_bytes(8, "little") + text)
        for part in parts:
            if isinstance(part, bytes):
                writer.write(part)
            else:
                reader.seek(part[0])
                writer.write(reader.read(part[1]))
