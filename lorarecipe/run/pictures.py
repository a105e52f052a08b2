"""Put samples where their recipe asks, each with its settings, in the form that web UIs read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Literal

from PIL import Image

from lorarecipe import __version__
from lorarecipe.files import file_digest, read_json, write_atomic
from lorarecipe.marked import is_marked, mark
from lorarecipe.plan import Arm, Delivery, SampleStage
from lorarecipe.records import Candidate, Candidates, record_text
from lorarecipe.run.measured import choice_in
from lorarecipe.run.sheet import contact_sheet
from lorarecipe.store import Store

#: folder of the samples, beside the LoRA; other arms than the target's have theirs within
SAMPLES = "samples"
#: folder and list of pictures to pick from
PICK, CANDIDATES = "pick", "candidates.json"
#: name of the sheet of an arm's pictures
SHEET = "all.png"
#: the record of a run, beside the results
RECORD = "run.json"
#: folder of what a base had to draw, beside the LoRA
GATE = "gate"


def pictures_of(delivery: Delivery) -> dict[str, tuple[SampleStage, str, str]]:
    """Give every picture of a delivery by its path in the result's folder: its stage, its file there, its LoRA's name.

    A picture is named after its prompt's number, the LoRA's weight and the seed; of an earlier epoch, after that first.
    """
    wanted = {
        sample_path(arm, stage, file): (stage, file, _lora_of(delivery, arm))
        for arm, stages in delivery.arms.items()
        for stage in stages
        for file in stage.names
    }
    wanted |= _gate_pictures(delivery, [stage.pictures for stage in delivery.gate])
    return wanted | _candidates_of(delivery)


def _candidates_of(delivery: Delivery) -> dict[str, tuple[SampleStage, str, str]]:
    """Give what may be picked, with the LoRA that drew it; that of an earlier round is not delivered."""
    stage, lora = delivery.candidates, delivery.name
    if not stage:
        return {}
    if delivery.target:
        lora = f"{lora}-target" if stage.lora == delivery.target else f"{lora}-earlier-round"
    return {f"{PICK}/{file}": (stage, file, lora) for file, (_, weight, _) in stage.names.items() if weight}


def _gate_pictures(delivery: Delivery, stages: Iterable[SampleStage]) -> dict[str, tuple[SampleStage, str, str]]:
    base = delivery.recipe.base_name
    return {gate_path(stage, file): (stage, file, base) for stage in stages for file in stage.names}


def deliver_gate(delivery: Delivery, store: Store, out: Path) -> None:
    """Write the gate's pictures that were drawn into the result's folder ``out``, of a run that goes no further."""
    drawn = [stage.pictures for stage in delivery.gate if store.path(stage.pictures.short).is_dir()]
    _write(_gate_pictures(delivery, drawn), store, out)


def sheets_of(delivery: Delivery) -> dict[str, SampleStage]:
    """Give the sheets of a delivery by their paths: one for each arm, of all pictures of its last stage."""
    return {sample_path(arm, stages[-1], SHEET): stages[-1] for arm, stages in delivery.arms.items() if stages}


def preview_name(lora: str) -> str:
    """Name the picture that web UIs show of a LoRA."""
    return f"{lora}.preview.png"


def deliver_pictures(
    delivery: Delivery, store: Store, out: Path, previews: Mapping[str, tuple[SampleStage, str]]
) -> Iterator[tuple[Path, str]]:
    """Write every picture into the result's folder ``out``; previews and sheets are given with their SHA-256.

    Pictures that the record of the run before lists, and that are no longer wanted, are removed; no others are.

    Parameters
    ----------
    delivery
        The result.
    store
        Where the stages are.
    out
        The result's folder.
    previews
        The picture that shows each LoRA best, by the LoRA's name: its stage, and its file there.
    """
    shown = {preview_name(lora): (stage, file, lora) for lora, (stage, file) in previews.items()}
    wanted, sheets = pictures_of(delivery) | shown, sheets_of(delivery)
    for stale in {name for name in delivered_before(out) if name.endswith(".png")} - wanted.keys() - sheets.keys():
        if is_marked(out / stale):
            (out / stale).unlink()
    _write(wanted, store, out)
    yield from ((out / name, file_digest(out / name)) for name in shown)
    for name, stage in sheets.items():
        sheet = out / name
        write_atomic(sheet, contact_sheet([store.path(stage.short) / file for file in stage.names], stage.samples))
        yield sheet, file_digest(sheet)


def delivered_before(out: Path) -> frozenset[str]:
    """Names of the files that the last finished run has written into a result's folder, as its record lists them.

    A record may have been edited, so a name that leads out of the folder is none of them.
    """
    try:
        record = read_json(out / RECORD)
    except (OSError, ValueError):
        return frozenset()
    match record:
        case {"names": [*listed]} if all(isinstance(name, str) for name in listed):
            names = map(PurePosixPath, listed)
            return frozenset(str(name) for name in names if not name.is_absolute() and ".." not in name.parts)
    return frozenset()


def deliver_candidates(stage: SampleStage, delivery: Delivery, store: Store, listed: Path) -> str:
    """Write pictures to pick from, and their list, whose SHA-256 is given; the picks so far are in it."""
    if not delivery.picked:
        _write(_candidates_of(delivery), store, listed.parent)
    author, measured = delivery.recipe.refine or delivery.recipe.distill, {}
    if delivery.choice:
        measured = {one.name: one for one in choice_in(store.path(delivery.choice.short)).pictures}
    pictures = tuple(
        Candidate(
            *(f"{PICK}/{file}", file, prompt, seed),
            picked=measured[file].times > 0 if measured else bool(author and file in author.picks),
            why=measured[file].why if measured else "",
        )
        for file, (prompt, weight, seed) in stage.names.items()
        if weight
    )
    one_round = not delivery.target or stage.lora == delivery.target
    table: Literal["refine", "distill"] | None = ("refine" if delivery.target else "distill") if one_round else None
    write_atomic(listed, record_text(Candidates((stage.key,), pictures, table)))
    return file_digest(listed)


def _write(wanted: Mapping[str, tuple[SampleStage, str, str]], store: Store, out: Path) -> None:
    for name, (stage, file, lora) in wanted.items():
        path, source, settings = out / name, store.path(stage.short) / file, settings_of(stage, file, lora)
        if not _is_right(path, source, settings):
            with Image.open(source) as picture:
                drawn = BytesIO()
                picture.save(drawn, "PNG", pnginfo=mark(parameters=settings))
            write_atomic(path, drawn.getvalue())


def sample_path(arm: Arm, stage: SampleStage, file: str) -> str:
    """Give a sample's path, relative to the result's folder."""
    folder = SAMPLES if arm == "target" else f"{SAMPLES}/{arm}"
    return f"{folder}/{f'{stage.epoch:06d}_' if stage.epoch else ''}{file}"


def gate_path(stage: SampleStage, file: str) -> str:
    """Give the path of a gate's picture, relative to the result's folder."""
    return f"{GATE}/merged/{file}" if stage.merged else f"{GATE}/{file}"


def settings_of(stage: SampleStage, file: str, name: str) -> str:
    """Write a picture's settings as A1111's web UI does, which it, its kin and ComfyUI's nodes read back.

    Source: ``infotext`` of A1111's ``processing.py``. ``Lora key`` is ours: what the LoRA was made from.
    """
    prompt, weight, seed = stage.names[file]
    width, height = stage.resolution
    settings = {
        "Steps": stage.samples.steps,
        "Sampler": "DDIM",
        "CFG scale": f"{stage.samples.scale:g}",
        "Seed": seed,
        "Size": f"{width}x{height}",
        "Model hash": (stage.merged.key if stage.merged else stage.model.main.sha256)[:10],
        "Model": f"{stage.model.main.path.stem} with {name} merged in" if stage.merged else stage.model.main.path.stem,
        **({"Clip skip": stage.model.clip_skip} if stage.model.clip_skip else {}),
        "Lora key": stage.key[:16],
        "Version": f"lorarecipe {__version__}",
    }
    lines = [f"{prompt} <lora:{name}:{weight:g}>".strip() if weight else prompt]
    lines += [f"Negative prompt: {stage.samples.negative}"] if stage.samples.negative else []
    return "\n".join([*lines, ", ".join(f"{key}: {value}" for key, value in settings.items())])


def _lora_of(delivery: Delivery, arm: Arm) -> str:
    target = f"{delivery.name}-target" if delivery.target else delivery.name
    return {
        "refined": delivery.name,
        "target": target,
        "control": f"{delivery.name}-control",
        "base": delivery.recipe.base_name,
    }[arm]


def _is_right(path: Path, source: Path, settings: str) -> bool:
    try:
        with Image.open(path) as there, Image.open(source) as made:
            return there.info.get("parameters") == settings and there.tobytes() == made.tobytes()
    except (OSError, SyntaxError, ValueError):
        return False
