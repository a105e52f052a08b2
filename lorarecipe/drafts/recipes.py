"""Texts of the recipes: what was found, and a comment where something is left to decide."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lorarecipe.drafts.characters import Character
from lorarecipe.drafts.surveys import Survey
from lorarecipe.errors import count
from lorarecipe.recipe.proposal import Proposal
from lorarecipe.recipe.writing import recipe_text, relative_path

#: what a recipe begins with while no checkpoint is named: the method's own family, with its author's settings
_WITHOUT = Proposal("sd15", "emanon-2023", v_prediction=False, reason="No checkpoint was named.")
_NO_FILE = Path("checkpoint.safetensors")


@dataclass(frozen=True)
class Draft:
    """A recipe to be written, and what its author has to decide, a sentence each."""

    path: Path
    text: str
    questions: tuple[str, ...]


def base_draft(path: Path, name: str, survey: Survey, checkpoint: tuple[Path, Proposal] | None) -> Draft:
    """Draft the recipe of a base.

    Parameters
    ----------
    path
        Where the recipe will be written; paths in it are relative to its folder.
    name
        Name of the result.
    survey
        What was found of its characters.
    checkpoint
        The checkpoint, with the family and the preset that were proposed for it.
    """
    file, proposal = checkpoint or (_NO_FILE, _WITHOUT)
    comments = {"preset": "where the training settings come from; a [base.training] table overrides any"}
    questions = []
    if not checkpoint:
        questions.append("Name your checkpoint in [checkpoint]; its family and a preset that suits it go with it.")
        comments["checkpoint.path"] = "to decide: your checkpoint"
    if not proposal.preset:
        questions.append(f"No preset is known for {proposal.family}: write a [base.training] table, or name a preset.")
    lacking = [character.name for character, _ in survey.lacking()]
    for index, character in enumerate(survey.characters):
        if character.name in lacking:
            comments[f"base.characters[{index}].traits"] = "to decide: hair colour, hairstyle, body"
    if lacking:
        command = shlex.join(["lorarecipe", "caption", "--replace", str(path)])
        then = f"write them again: {command}" if survey.captions else "add them there too"
        questions.append(
            f"Add what is missing of hair colour, hairstyle and body to the traits of {', '.join(lacking)}. "
            f"Captions hold each trait, so {then}"
        )
    questions += _unknown_views(survey, "base")
    tables = {
        "format": 1,
        "name": name,
        "preset": proposal.preset,
        "checkpoint": {
            "family": proposal.family,
            "path": _written(file, path) if checkpoint else str(file),
            "clip_skip": 2 if proposal.preset == _WITHOUT.preset else None,
            "v_prediction": True if proposal.v_prediction else None,
        },
        "trainer": {"engine": "embedded"} if file.is_dir() else None,
        "base": {
            "characters": [
                {
                    "images": _written(one.folder, path),
                    "traits": list(group.traits),
                    "repeats": one.repeats,
                }
                for one, group in zip(survey.characters, survey.groups, strict=True)
            ],
            "captions": _captions(survey),
        },
    }
    characters = count(len(survey.characters), "character")
    notes = [f"The base, of {characters}. Any number of targets stand on it.", proposal.reason]
    return Draft(path, recipe_text(tables, comments=comments, notes=notes), tuple(questions))


def target_draft(
    path: Path, name: str, character: Character, survey: Survey, base: Path, of_base: Mapping[str, object]
) -> Draft:
    """Draft the recipe of a target on a base.

    Parameters
    ----------
    path
        Where the recipe will be written.
    name
        Name of the result.
    character
        The character.
    survey
        What was found of all targets.
    base
        The base's recipe.
    of_base
        What that file holds: the target takes the base's preset, or its training settings.
    """
    table = of_base.get("base")
    training = table.get("training") if isinstance(table, Mapping) and not of_base.get("preset") else None
    tables = {
        "format": 1,
        "name": name,
        "preset": of_base.get("preset"),
        "base": {"from": _written(base, path)},
        "target": {
            "images": _written(character.folder, path),
            "repeats": character.repeats,
            "captions": _captions(survey),
            "training": training,
        },
        "trainer": of_base.get("trainer"),
    }
    notes = [f"The character {character.name} on a base. Its captions hold nothing but the closed list."]
    comments = {"base.from": "trained once, whoever uses it"}
    if training:
        comments["target.training"] = "as the base's; a smaller rank keeps more of the style out"
    return Draft(path, recipe_text(tables, comments=comments, notes=notes), tuple(_unknown_views(survey, "targets")))


def _unknown_views(survey: Survey, whose: str) -> list[str]:
    if not (unknown := survey.unknown_views):
        return []
    images = count(unknown, "image")
    return [f"The view of {images} of the {whose} is not known. Add 'from behind' to the captions of back views."]


def _captions(survey: Survey) -> dict[str, object] | None:
    if survey.captions is None:
        return None
    return {"pattern": survey.captions.patterns[0], **({"tags": list(survey.tags)} if survey.tags else {})}


def _written(file: Path, recipe: Path) -> str:
    return relative_path(file.absolute(), recipe.absolute().parent)
