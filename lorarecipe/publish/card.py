"""The model card: what a hub shows of a repository, and what its search reads at the top of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from lorarecipe.measures import MEASURES
from lorarecipe.measures.leak import leak_table, titles_of
from lorarecipe.publish.result import Result
from lorarecipe.publish.snippet import snippet_of
from lorarecipe.publish.texts import filled
from lorarecipe.run import baked_name

_TAGS = ("text-to-image", "lora", "diffusers", "template:sd-lora")
#: settings of a training that the card names, and how
_ROWS = {
    "rank": "rank",
    "alpha": "alpha",
    "unet_lr": "learning rate of the U-Net",
    "text_encoder_lr": "learning rate of the text encoder",
    "batch_size": "batch size",
    "optimizer": "optimizer",
    "scheduler": "scheduler",
    "precision": "precision",
    "resolution": "resolution",
}


def card_of(result: Result, repository: str, license_id: str | None) -> str:
    """Write the card.

    Parameters
    ----------
    result
        What is published.
    repository
        ``OWNER/NAME``: where it is published.
    license_id
        The hub's name of the license, if the author names one.
    """
    from huggingface_hub import ModelCardData

    address = result.checkpoint_address
    front = ModelCardData(
        base_model=address.repo if address else None,
        base_model_relation="adapter" if address else None,
        license=license_id,
        library_name="diffusers",
        pipeline_tag="text-to-image",
        tags=[*_TAGS, result.family.HUB_TAG],
        widget=_widget(result),
    )
    return f"---\n{front.to_yaml(line_break=chr(10))}\n---\n\n{_body(result, repository, license_id)}"


def recipe_name(result: Result) -> str:
    """Name of the recipe in a repository."""
    return f"{result.name}.recipe.toml"


def _widget(result: Result) -> list[dict[str, object]] | None:
    """Give the samples that the hub's page shows; None where there are none."""
    shown: list[dict[str, object]] = []
    for picture in result.pictures:
        shown.append({"text": picture.prompt, "output": {"url": picture.place}})
        if picture.negative:
            shown[-1]["parameters"] = {"negative_prompt": picture.negative}
    return shown or None


def _body(result: Result, repository: str, license_id: str | None) -> str:
    leak, passport = result.leak, result.passport
    rows = leak.rows if leak else ()
    return filled(
        "card.md.j2",
        result=result,
        file=result.use.file,
        weight=f"{result.use.weight:g}",
        baked=result.baked,
        clip_skip=result.setting("checkpoint", "clip_skip"),
        velocity=result.setting("checkpoint", "v_prediction"),
        prompt=result.pictures[0].prompt if result.pictures else "1girl",
        snippet=snippet_of(result, repository),
        meanings=_meanings(result),
        recipe_name=recipe_name(result),
        refined="refine" in result.recipe,
        base=bool(passport and passport.training),
        rows=[*_rows(result)],
        checkpoint=result.checkpoint,
        address=result.checkpoint_address,
        base_drawn=any(row.arm == "base" for row in rows),
        control=any(row.arm == "control" for row in rows),
        leak=leak_table(rows) if rows else "",
        columns=[(title, MEASURES[key].MEANING) for key, title in titles_of(rows).items() if key in MEASURES],
        license=license_id,
    )


def _meanings(result: Result) -> Mapping[Path, str]:
    """Say what each LoRA is."""
    name = result.name
    known = {f"{name}.safetensors": "the finished LoRA", baked_name(name): "the same, so that its weight 1 is right"}
    return {
        lora: "the LoRA to use" if lora == result.use.file else known.get(lora.name, "what the other was made from")
        for lora in result.loras
    }


def _rows(result: Result) -> Iterator[tuple[str, list[object]]]:
    """Give the rows of the table of trainings: a title, and the values of the base, if it is known, and of the LoRA."""
    own, base = result.trained, result.passport if result.passport and result.passport.training else None
    cast = base.cast if base else ()
    columns: list[Mapping[str, object]] = [base.training] if base else []
    columns.append(own.settings)
    yield "characters", [*([len(cast)] if base else []), 1]
    yield "images", [*([sum(member.images for member in cast)] if base else []), own.images or "-"]
    yield "steps", [*([base.steps or "-"] if base else []), own.steps or "-"]
    for name, title in _ROWS.items():
        if any(name in column for column in columns):
            yield title, [_cell(column.get(name)) for column in columns]


def _cell(value: object) -> str:
    match value:
        case None:
            return "-"
        case float():
            return f"{value:g}"
        case [width, height]:
            return f"{width}x{height}"
    return str(value)
