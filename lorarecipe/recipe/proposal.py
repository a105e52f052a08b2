"""A family and a preset for a checkpoint, by its header and its file's name; no tensor is read."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lorarecipe.families import recognised
from lorarecipe.families.checkpoint import stated_prediction
from lorarecipe.weights import Folder, Weights

#: word of a name -> preset, for checkpoints that predict noise; NoobAI's are often named after Illustrious too
_WORDS = {"noob": "noobai-eps", "illustrious": "illustrious", "pony": "pony"}
_NAMED_VELOCITY = re.compile(r"(?i)v[-_ ]?pred")
_NAMED_768 = re.compile(r"768")


@dataclass(frozen=True)
class Proposal:
    """What a recipe for a checkpoint may begin with."""

    family: str
    preset: str | None
    """None where no settings were published for the family."""
    v_prediction: bool
    reason: str
    """Why, in sentences."""


def proposed_preset(checkpoint: Weights | Folder) -> Proposal | None:
    """Propose a family and a preset for a checkpoint; None when it is of no known family.

    The names of the tensors are the same in all checkpoints of SDXL. Which of them it is follows from the file's name
    or title, and the reason says what was found.
    """
    family = next(iter(recognised(checkpoint)), None)
    if family is None:
        return None
    velocity, why = _prediction(checkpoint, family)
    preset, because = _preset(checkpoint, family, velocity=velocity)
    found = "The names of its tensors are those" if isinstance(checkpoint, Weights) else "Its configuration is that"
    return Proposal(family, preset, velocity, " ".join(filter(None, (f"{found} of {family}.", why, because))))


def _prediction(checkpoint: Weights | Folder, family: str) -> tuple[bool, str]:
    """Tell whether a checkpoint predicts velocity, and why that is believed."""
    name, stated = checkpoint.path.name, stated_prediction(checkpoint)
    if isinstance(checkpoint, Folder):
        return not checkpoint.predicts_noise, "" if checkpoint.predicts_noise else "Its scheduler predicts velocity."
    if stated and stated[0]:
        return True, f"It predicts velocity: {stated[1]}."
    if named := _NAMED_VELOCITY.search(name) or (_NAMED_768.search(name) if family == "sd2" else None):
        doubt = f", though {stated[1]}, which some programs write whatever is true" if stated else ""
        return True, f"It predicts velocity by its file's name, which holds {named[0]!r}{doubt}: make sure of that."
    return False, ""


def _preset(checkpoint: Weights | Folder, family: str, *, velocity: bool) -> tuple[str | None, str]:
    """Choose a preset of the family, and say by what."""
    if family == "sd15":
        return "emanon-2023", "emanon-2023 was published for it."
    if family != "sdxl":
        return None, f"No settings were published for {family}."
    if velocity:
        return "noobai-vpred", "noobai-vpred is the one preset for checkpoints of SDXL that predict velocity."
    title = "" if isinstance(checkpoint, Folder) else checkpoint.metadata.get("modelspec.title", "")
    for where, text in (("file's name", checkpoint.path.name), ("title in its metadata", title)):
        words = [word for word in _WORDS if word in text.lower()]
        if "pony" in words and len(words) > 1:
            return "sdxl", f"Its {where} holds {words[0]!r} and 'pony', so it may be either: sdxl is the common preset."
        if words:
            reason = f"Its {where} holds {words[0]!r}."
            if words[0] == "noob":
                reason = f"{reason} Older NoobAI files do not say that they predict velocity: make sure of this one."
            return _WORDS[words[0]], reason
    return "sdxl", "Neither its file's name nor its title is that of Illustrious, NoobAI or Pony."
