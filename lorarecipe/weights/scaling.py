"""Scale a LoRA, so that a file is at weight 1.0 what another is at any weight."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from lorarecipe.files import draft_of
from lorarecipe.weights.file import SafetensorsError, Weights, header_bytes
from lorarecipe.weights.hashes import rehashed
from lorarecipe.weights.merging import lora_modules


def scale_lora(source: Path, target: Path, factor: float, metadata: dict[str, str]) -> None:
    """Write a copy of a LoRA in kohya's format with every alpha multiplied; all other tensors stay byte by byte.

    What a LoRA adds to a weight is ``up @ down * alpha / rank``, so a file of ``alpha * factor`` at weight 1.0 adds
    what this one adds at the weight ``factor``. An alpha is written in float32, whatever it was in.
    Hashes in the metadata become those of the copy.

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
    alphas = {f"{module}.alpha": np.float32(lora.number(f"{module}.alpha") * factor).tobytes() for module in modules}
    about = rehashed(lora.metadata, _content(lora, alphas))
    header: dict[str, object] = {"__metadata__": {**about, **metadata}}
    end = 0
    for name in lora.in_order:
        start, end = end, end + (len(alphas[name]) if name in alphas else lora.span(name)[1])
        dtype = "F32" if name in alphas else lora.dtype(name)
        header[name] = {"dtype": dtype, "shape": list(lora.shapes[name]), "data_offsets": [start, end]}
    with draft_of(target) as draft, draft.open("wb") as writer:
        writer.write(header_bytes(header))
        writer.writelines(_content(lora, alphas))


def _content(lora: Weights, alphas: Mapping[str, bytes]) -> Iterator[bytes]:
    """Give a LoRA's tensors in their order, those in ``alphas`` with other bytes."""
    with lora.path.open("rb") as reader:
        for name in lora.in_order:
            start, size = lora.span(name)
            reader.seek(start)
            yield alphas.get(name) or reader.read(size)
