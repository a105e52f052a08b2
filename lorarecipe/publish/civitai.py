"""A sheet for Civitai, which has no interface for uploads: what a person fills in there."""

from __future__ import annotations

from lorarecipe.publish.result import Result
from lorarecipe.publish.texts import filled
from lorarecipe.rules.nudity_with_child import nudity_in

#: name of the sheet
SHEET = "civitai.md"
#: what SDXL's descendants are known by, in Civitai's spelling, as a name of a checkpoint or a preset has it
_DESCENDANTS = {"pony": "Pony", "noob": "NoobAI", "illustrious": "Illustrious"}
#: base models whose LoRAs fit each other partly (civitai/civitai@02282ba4 src/shared/constants/base-model.constants.ts)
_PARTLY = frozenset({"SDXL 1.0", *_DESCENDANTS.values()})


def sheet_of(result: Result) -> str:
    """Write the sheet."""
    known = descendant_of(result)
    base_model = known or result.family.CIVITAI
    return filled(
        "civitai.md.j2",
        result=result,
        base_model=base_model,
        known=bool(known),
        partly=sorted(_PARTLY - {base_model}) if base_model in _PARTLY else [],
        checkpoint=result.checkpoint,
        clip_skip=result.setting("checkpoint", "clip_skip"),
        nudity=_nudity(result),
    )


def descendant_of(result: Result) -> str | None:
    """Tell which descendant of SDXL the checkpoint is, by its own name, else by the recipe's preset."""
    if result.family.CIVITAI not in _PARTLY:
        return None
    names = (result.checkpoint.lower(), str(result.recipe.get("preset", "")))
    return next((label for name in names for word, label in _DESCENDANTS.items() if word in name), None)


def _nudity(result: Result) -> list[str]:
    """Give the words of captions and prompts that speak of nudity."""
    texts = [*result.captions, *(picture.prompt for picture in result.pictures)]
    return sorted({found for text in texts if (found := nudity_in(text))})
