"""Put the samples of a LoRA where its recipe asks, each with its settings, in the form that web UIs read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image

from lorarecipe import __version__
from lorarecipe.files import file_digest, write_atomic
from lorarecipe.marked import mark
from lorarecipe.plan import SampleStage
from lorarecipe.run.sheet import contact_sheet
from lorarecipe.store import Store

#: folder of the samples, beside the LoRA
SAMPLES = "samples"
#: folder of those of the control arm, within
CONTROL = "control"


def deliver_samples(name: str, stages: Sequence[SampleStage], store: Store, folder: Path) -> Iterator[tuple[Path, str]]:
    """Write every picture into ``folder``, and one of all of the last stage's, which is given with its SHA-256.

    A picture is named after its prompt's number, the LoRA's weight and the seed; of an earlier epoch, after that first.
    """
    wanted = {
        folder / ((f"{stage.epoch:06d}_" if stage.epoch else "") + file): (stage, file)
        for stage in stages
        for file in stage.names
    }
    for stale in {*folder.glob("*.png")} - wanted.keys():
        stale.unlink()  # of an earlier LoRA; whatever is not ours was refused before
    for place, (stage, file) in wanted.items():
        source, settings = store.path(stage.short) / file, settings_of(stage, file, name)
        if not _is_right(place, source, settings):
            with Image.open(source) as picture:
                drawn = BytesIO()
                picture.save(drawn, "PNG", pnginfo=mark(parameters=settings))
            write_atomic(place, drawn.getvalue())
    if not stages:
        return
    last = stages[-1]
    sheet = folder / "all.png"
    write_atomic(sheet, contact_sheet([store.path(last.short) / file for file in last.names], last.samples))
    yield sheet, file_digest(sheet)


def settings_of(stage: SampleStage, file: str, name: str) -> str:
    """Write a picture's settings as A1111's web UI does, which it, its kin and ComfyUI's nodes read back.

    Source: ``infotext`` of A1111's ``processing.py``. ``Lora key`` is ours: what the LoRA was made from.
    """
    prompt, weight, seed = stage.names[file]
    width, height = stage.lora.training.resolution
    told = {
        "Steps": stage.samples.steps,
        "Sampler": "DDIM",
        "CFG scale": f"{stage.samples.scale:g}",
        "Seed": seed,
        "Size": f"{width}x{height}",
        "Model hash": stage.model.sha256[:10],
        "Model": stage.model.path.stem,
        **({"Clip skip": stage.model.clip_skip} if stage.model.clip_skip else {}),
        "Lora key": stage.key[:16],
        "Version": f"lorarecipe {__version__}",
    }
    lines = [f"{prompt} <lora:{name}:{weight:g}>" if weight else prompt]
    lines += [f"Negative prompt: {stage.samples.negative}"] if stage.samples.negative else []
    return "\n".join([*lines, ", ".join(f"{key}: {value}" for key, value in told.items())])


def _is_right(place: Path, source: Path, settings: str) -> bool:
    try:
        with Image.open(place) as there, Image.open(source) as made:
            return there.info.get("parameters") == settings and there.tobytes() == made.tobytes()
    except (OSError, SyntaxError, ValueError):
        return False
