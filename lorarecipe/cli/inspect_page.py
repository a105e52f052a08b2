"""What was found in a file: as a page, as a line, and as facts for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from lorarecipe.cli.folding import folded_lines
from lorarecipe.errors import count, data_size, printable

if TYPE_CHECKING:
    from lorarecipe.inspection import Claim, Inspection, Training

#: columns of a page, and of what stands before a value
_WIDTH, _LABEL = 80, 16
#: tensors that are named
_NAMED = 10
#: settings that are said of the network
_OF_NETWORK = frozenset({"rank", "alpha", "extra.network_args"})
HEADING = f"{'size':>9}  {'family':8}  {'flavour':20}  {'rank':>6}  {'AutoV3':12}  file"


def line_of(found: Inspection, folder: Path) -> str:
    """Give the line of a file in a list of those in a folder."""
    ranks = sorted({int(rank) for part in found.parts for rank in part.ranks})
    rank = f"{ranks[0]}-{ranks[-1]}" if len(ranks) > 1 else "".join(map(str, ranks)) or "-"
    name = printable(str(found.path.relative_to(folder)))
    columns = f"{found.family.name:8}  {found.flavour.title:20}  {rank:>6}  {found.hashes.autov3}"
    return f"{data_size(found.size):>9}  {columns}  {name}"


def lines_of(found: Inspection) -> Iterator[str]:
    """Give the lines of a page."""
    yield printable(str(found.path))
    yield _line("size", f"{found.size:,} bytes, {count(found.tensors, 'tensor')}")
    yield _line("family", _family(found))
    yield _line("flavour", found.flavour.title)
    yield ""
    yield from _parts(found)
    yield from _blocks(found)
    yield from _not_finite(found)
    yield ""
    yield from _hashes(found)
    yield from _training(found.training)


def facts_of(found: Inspection) -> dict[str, object]:
    """Give all of it for programs."""
    return asdict(found) | {
        "family": {"name": found.family.name, **asdict(found.family)},
        "claims": [asdict(claim) | {"is_true": claim.is_true} for claim in found.claims],
    }


def _line(label: str, value: object) -> str:
    return "\n".join(folded_lines(f"{label:{_LABEL}}{printable(str(value))}", _WIDTH, _LABEL))


def _lines(label: str, values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Give a line for each value; the first has the label."""
    for at, (name, value) in enumerate(values.items()):
        yield "" if at else label, f"{name} = {_shown(value)}"


def _family(found: Inspection) -> str:
    tensors, metadata = found.family.by_tensors, found.family.by_metadata
    if tensors and metadata and tensors != metadata:
        return f"{tensors} by its tensors, but {metadata} by its metadata"
    if tensors:
        return tensors
    return f"{metadata} (by its metadata alone)" if metadata else "unknown"


def _parts(found: Inspection) -> Iterator[str]:
    yield f"{'part':{_LABEL}}{'modules':>7}  {'rank':18}  {'alpha':18}  type"
    for part in found.parts:
        modules = str(part.modules or "-")
        columns = f"{_counted(part.ranks):18}  {_counted(part.alphas):18}  {_counted(part.dtypes)}"
        yield f"{part.name:{_LABEL}}{modules:>7}  {columns}"
    yield ""


def _counted(values: Mapping[str, int]) -> str:
    """``16``, or where values differ each with its count: ``8 (32), 16 (160)``."""
    if len(values) < 2:
        return next(iter(values), "-")
    return ", ".join(f"{value} ({number})" for value, number in values.items())


def _blocks(found: Inspection) -> Iterator[str]:
    if not found.blocks:
        return
    yield f"{'block':{_LABEL}}{'modules':>7}  change of the weights (Frobenius norm)"
    for block in found.blocks:
        norm = "not finite" if not block.is_finite else "not computed" if block.norm is None else f"{block.norm:.4g}"
        without = (
            f"; {block.not_computed} modules not computed" if block.not_computed and block.norm is not None else ""
        )
        yield f"{block.name:{_LABEL}}{block.modules:>7}  {norm}{without}"
    yield ""


def _not_finite(found: Inspection) -> Iterator[str]:
    bad = found.not_finite
    for one in bad[:_NAMED]:
        yield _line("not finite", f"{count(one.count, 'number')} (nan or infinity) in {one.tensor}")
    if len(bad) > _NAMED:
        yield _line("", f"and {len(bad) - _NAMED} more tensors (--json names them)")
    if not bad:
        yield _line("not finite", "none")
    if found.not_read:
        yield _line("not looked into", ", ".join(found.not_read))


def _hashes(found: Inspection) -> Iterator[str]:
    hashes = found.hashes
    yield _line("SHA256", hashes.sha256)
    yield _line("AutoV1", hashes.autov1)
    yield _line("AutoV2", hashes.autov2)
    yield _line("AutoV3", hashes.autov3)
    yield _line("CRC32", hashes.crc32)
    yield _line("BLAKE3", hashes.blake3)
    yield _line("git blob", hashes.git_blob)
    if found.flavour.kind == "lora":
        yield _line("sshs_model_hash", hashes.sshs_model_hash)
        yield _line("sshs_legacy", hashes.sshs_legacy_hash or "cannot be computed again")
        yield _line("A1111 LoRA hash", hashes.a1111)
    for claim in found.claims:
        yield _line("metadata", f"{claim.name} {_verdict(claim)}")


def _verdict(claim: Claim) -> str:
    if claim.is_true is None:
        return "cannot be checked, since the metadata is too long"
    return "is true" if claim.is_true else f"is not true: the metadata says {claim.stated}"


def _training(training: Training) -> Iterator[str]:
    lines = [_line(label, value) for label, value in _facts_of_training(training) if value]
    yield from ("", *lines) if lines else ("", "The metadata says nothing of a training.")


def _facts_of_training(training: Training) -> Iterator[tuple[str, str]]:
    checkpoint, network = training.checkpoint, training.network
    yield "name", training.name
    yield "title", training.title
    yield "trainer", training.trainer
    yield "checkpoint", checkpoint.name
    yield "  SHA256", checkpoint.sha256
    yield "  AutoV1", checkpoint.autov1
    yield "VAE", checkpoint.vae
    yield "network", network.module
    yield from _lines("", {"rank": network.dim, "alpha": network.alpha, **network.arguments} if network.module else {})
    yield "steps", training.steps
    yield "epoch", training.epochs
    yield from _lines("settings", {key: value for key, value in training.settings.items() if key not in _OF_NETWORK})
    others = training.other_settings.items()
    yield from _lines("others", {key: value for key, value in others if not key.startswith("ss_network")})
    for at, images in enumerate(training.folders):
        counts = f"{count(images.images or 0, 'image')}, repeats = {images.repeats or 1}"
        yield "" if at else "folders", f"{images.folder}: {counts}{', regularisation' * images.regularisation}"
    yield "buckets", ", ".join(f"{bucket.width}x{bucket.height} ({bucket.images})" for bucket in training.buckets)
    more = f" and {training.all_tags - len(training.tags)} more" if training.all_tags > len(training.tags) else ""
    yield "tags", ", ".join(f"{tag} ({number})" for tag, number in training.tags) + more
    yield from _lines("lorarecipe", training.lorarecipe)
    yield from _lines("modelspec", training.modelspec)
    if thumbnail := training.thumbnail:
        size = f"{thumbnail.width}x{thumbnail.height}, {thumbnail.form}" if thumbnail.form else "not readable"
        yield "thumbnail", f"{size}, {thumbnail.bytes:,} bytes"


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_shown, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)
