"""Open a file, and say all that can be told of it without the model it is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lorarecipe.families import recognised, recognised_lora
from lorarecipe.files import open_regular
from lorarecipe.imports import Stated, foreign, shown, stated_settings
from lorarecipe.inspection.flavour import Flavour, flavour_of
from lorarecipe.inspection.hashes import Claim, Hashes, claims_of, hashes_of
from lorarecipe.inspection.modules import Module, modules_of
from lorarecipe.inspection.numbers import NotFinite, not_finite_in
from lorarecipe.inspection.parts import Block, Part, blocks_of, parts_of
from lorarecipe.inspection.thumbnail import THUMBNAIL
from lorarecipe.inspection.training import Training, training_of
from lorarecipe.weights import SafetensorsError, Weights

#: architectures of modelspec -> families
_ARCHITECTURES = {"stable-diffusion-v1": "sd15", "stable-diffusion-v2": "sd2", "stable-diffusion-xl": "sdxl"}
#: how pickles begin: PyTorch's archives, and its files before these
_PICKLES = (b"PK\x03\x04", *(bytes([0x80, protocol]) for protocol in range(2, 6)))


@dataclass(frozen=True)
class Family:
    """The family of models that a file is of, or for; each is None where it cannot be told."""

    by_tensors: str | None
    by_metadata: str | None
    """A family, or the word by which the metadata names a model of no family here."""

    @property
    def name(self) -> str:
        """The family; what the tensors say goes before what is written of them."""
        return self.by_tensors or self.by_metadata or "unknown"


@dataclass(frozen=True)
class Inspection:
    """All that can be told of a file."""

    path: Path
    size: int
    tensors: int
    family: Family
    flavour: Flavour
    parts: tuple[Part, ...]
    blocks: tuple[Block, ...]
    not_finite: tuple[NotFinite, ...]
    not_read: tuple[str, ...]
    """Data types whose numbers were not looked into."""
    hashes: Hashes
    claims: tuple[Claim, ...]
    training: Training
    metadata: Mapping[str, str]
    """All of the metadata, but for the thumbnail."""


def inspect(path: Path) -> Inspection:
    """Read a safetensors file whole.

    Raises
    ------
    SafetensorsError
        When it is none, or torn; a pickle is named as such.
    """
    weights = open_weights(path)
    modules, others = modules_of(weights)
    stated, hashes = stated_settings(weights), hashes_of(weights)
    not_finite, not_read = not_finite_in(weights)
    return Inspection(
        path=path,
        size=weights.size,
        tensors=len(weights.names),
        family=_family(weights, modules, stated),
        flavour=flavour_of(weights, modules),
        parts=parts_of(weights, modules, others),
        blocks=blocks_of(weights, modules),
        not_finite=not_finite,
        not_read=not_read,
        hashes=hashes,
        claims=claims_of(weights, hashes),
        training=training_of(weights, stated),
        metadata={name: str(shown(name, value)) for name, value in weights.metadata.items() if name != THUMBNAIL},
    )


def files_in(folder: Path) -> tuple[Path, ...]:
    """List the safetensors files in a folder and the folders within it, but for what is hidden."""
    return tuple(
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() == ".safetensors"
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def open_weights(path: Path) -> Weights:
    """Open a safetensors file; of a pickle, say what to do with it.

    Raises
    ------
    SafetensorsError
        When it is no whole safetensors file.
    """
    try:
        return Weights(path)
    except SafetensorsError as problem:
        if _is_pickle(path):
            raise SafetensorsError(
                f"{path}: this is a pickle, which is not opened here, since it may run code; turn it into a "
                "safetensors file first: lorarecipe convert"
            ) from problem
        raise


def _is_pickle(path: Path) -> bool:
    """Look at how a file begins that is no safetensors file, since the length of a header may look the same."""
    try:
        with open_regular(path) as stream:
            return stream.read(4).startswith(_PICKLES)
    except OSError:
        return False


def _family(weights: Weights, modules: tuple[Module, ...], stated: Stated) -> Family:
    inputs = {module.kohya_name: module.inputs for module in modules if module.inputs is not None}
    by_tensors = recognised_lora(inputs) if modules else recognised(weights)
    return Family(next(iter(by_tensors), None), stated.family or _of_metadata(weights.metadata))


def _of_metadata(metadata: Mapping[str, str]) -> str | None:
    architecture = metadata.get("modelspec.architecture", "").lower()
    found = next((family for start, family in _ARCHITECTURES.items() if architecture.startswith(start)), None)
    named = (metadata.get("ss_base_model_version"), metadata.get("ss_network_module"), architecture)
    return found or next((word.lower() for name in named if (word := foreign(name))), None)
