"""Write a result's LoRA so that its weight 1.0 is the weight that was found to be right."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from lorarecipe.errors import CheckFailed
from lorarecipe.files import file_digest
from lorarecipe.records import Leak, read_record
from lorarecipe.run.deliver import baked_name, is_ours
from lorarecipe.run.measured import LEAK
from lorarecipe.run.usage import baked_words
from lorarecipe.weights import SafetensorsError, Weights, scale_lora


@dataclass(frozen=True)
class Baked:
    """A file, and the LoRA and weight that it is at weight 1.0."""

    path: Path
    source: Path
    weight: float


def bake(
    folder: Path, weight: float | None = None, epoch: int | None = None, digests: Collection[str] | None = None
) -> Baked:
    """Write ``NAME-baked.safetensors`` beside a result.

    Parameters
    ----------
    folder
        The result's folder, which has its name.
    weight
        The weight that becomes 1.0; left out, the one that the leak test advises, and its LoRA and epoch.
    epoch
        A kept epoch; left out, the last.
    digests
        SHA-256 of the files that a run has delivered; left out, any file will do.

    Raises
    ------
    CheckFailed
        When there is no such LoRA, no advice, or somebody's file in the place of the new one.
    """
    name, target = folder.name, ""
    if weight is None:
        weight, epoch, target = _advised(folder, epoch)
    source = folder / f"{name}{target}{f'-{epoch:06d}' if epoch else ''}.safetensors"
    if not source.is_file():
        there = ", ".join(path.name for path in sorted(folder.glob("*.safetensors"))) or "none"
        raise CheckFailed(f"{source}: this LoRA is not there; {folder} has: {there}")
    digest = file_digest(source)
    if digests is not None and digest not in digests:
        raise CheckFailed(f"{source}: a later run has written this file; expected the one of the run that was named")
    baked = folder / baked_name(name)
    if os.path.lexists(baked) and not is_ours(baked):
        raise CheckFailed(f"{baked} is not lorarecipe's; move it away")
    about = {"lorarecipe.baked_weight": repr(weight), "lorarecipe.baked_from": digest}
    about |= {"ss_output_name": baked.stem, "modelspec.title": baked.stem}
    own = Weights(source).metadata
    if alpha := own.get("ss_network_alpha"):
        about["ss_network_alpha"] = _scaled(alpha, weight)
    for words in ("modelspec.description", "modelspec.usage_hint"):
        if words in own:
            about[words] = baked_words(own[words], source.stem, weight)
    scale_lora(source, baked, weight, about)
    return Baked(baked, source, weight)


def baked_in(folder: Path, sources: Mapping[str, Path]) -> Baked | None:
    """Find what was baked beside a result.

    Parameters
    ----------
    folder
        The result's folder, which has its name.
    sources
        LoRAs by their SHA-256.

    Returns
    -------
    Baked or None
        None where there is no such file, or it was baked from none of the sources.
    """
    path = folder / baked_name(folder.name)
    try:
        metadata = Weights(path).metadata
        return Baked(path, sources[metadata["lorarecipe.baked_from"]], float(metadata["lorarecipe.baked_weight"]))
    except (OSError, SafetensorsError, KeyError, ValueError):  # not there, or edited
        return None


def _scaled(alpha: str, weight: float) -> str:
    try:
        return str(float(alpha) * weight)
    except ValueError:
        return alpha


def _advised(folder: Path, epoch: int | None) -> tuple[float, int | None, str]:
    """Give the weight that is advised, its epoch, and the end of its file's name."""
    try:
        advice = read_record(folder / LEAK, Leak).advice
    except (OSError, ValueError):
        advice = None
    if not advice:
        problem = "found no advice, which a leak test gives and a rehearsal does not; name a weight: --weight"
        raise CheckFailed(f"{folder / LEAK}: {problem}")
    if epoch and epoch != advice.epoch:
        raise CheckFailed(f"found --epoch {epoch}, and the advice is for another; name its weight too: --weight")
    return advice.weight, advice.epoch, "-target" if advice.arm == "target" else ""
