"""``lorarecipe new``."""

from __future__ import annotations

import shlex
import sys
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lorarecipe.cli.new_dialogue import asked_traits, confirm, describe, propose, tags_in
from lorarecipe.cli.options import check_all, meter, say, wrapped
from lorarecipe.errors import count, did_you_mean
from lorarecipe.language import translated

if TYPE_CHECKING:
    from lorarecipe.drafts import Character, Draft, Survey
    from lorarecipe.recipe.proposal import Proposal

#: letters of a folder's name that a recipe's name begins with
_LONGEST = 50
_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


class _File(click.Path):
    """A file on this machine."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401 - click's signature
        if str(value).startswith("hf://"):
            self.fail(f"{value} is on a hub, expected a file on this machine; the recipe may name the hub afterwards")
        return super().convert(value, param, ctx)


_FILE = _File(path_type=Path, exists=True)


@click.command("new")
@click.argument("folder", type=_FOLDER)
@click.option("--from", "base", type=_FILE, help="Recipe of a base that is there already; every character is a target.")
@click.option("--target", "targets", multiple=True, metavar="NAME", help="Folder of a character to make a LoRA of.")
@click.option("--checkpoint", type=_FILE, help="The checkpoint that the LoRA will be used on.")
@click.option(
    "--traits", multiple=True, metavar="NAME=TAGS", help="Traits of a base character: red='short hair, slim'."
)
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Tag of every image of a target, such as nude.")
@click.option(
    "--zoom", "zooms", multiple=True, metavar="GLOB=TAG", help="Zoom of images by name: 'Render_1*=portrait'."
)
@click.option(
    "--behind", "backs", multiple=True, metavar="GLOB", help="Back views by name; no other image is one then."
)
@click.option("--yes", is_flag=True, help="Take the zooms and views that are proposed from outlines.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path(), help="Folder of the recipes.")
def command(  # long: an option each
    folder: Path,
    base: Path | None,
    targets: tuple[str, ...],
    checkpoint: Path | None,
    traits: tuple[str, ...],
    tags: tuple[str, ...],
    zooms: tuple[str, ...],
    backs: tuple[str, ...],
    yes: bool,
    out: Path,
) -> None:
    """Write recipes and captions for the renders in FOLDER.

    FOLDER holds a folder of images for each character: those of a base, and one or more targets. Which are which is
    read from the folders' names (base, target), or from --target. Zoom and view are read from the images' names; where
    these say nothing, they are proposed from the figures' outlines, and you confirm them.

    The command writes a recipe for the base and one for each target, and a caption beside each image that has none. It
    changes no file that is there, and ends by checking what it wrote.
    """
    from lorarecipe.drafts import Hints, find_characters, survey
    from lorarecipe.mend import write
    from lorarecipe.recipe.escapes import stray_character
    from lorarecipe.recipe.writing import write_recipe

    if base and (targets or checkpoint):
        raise click.UsageError("--target and --checkpoint do not go with --from: every character is a target then")
    characters = find_characters(folder)
    if not characters:
        raise click.BadParameter(f"{folder} holds no folder with images", param_hint="FOLDER")
    if odd := [one.folder for one in characters if stray_character(str(one.folder))]:
        raise click.BadParameter(f"the name of {odd[0]} cannot be written in a recipe; rename it", param_hint="FOLDER")
    of_base, of_targets = ([], characters) if base else _parted(folder, characters, targets)
    known = _proposal(checkpoint)
    surveys = survey(of_base, of_targets, Hints(_traits(traits, of_base), _zooms(zooms), backs, tags), meter())
    for draft in _drafts(folder, out, base, surveys, known):
        if draft.path.exists():
            raise click.BadParameter(
                f"{draft.path} is there already; name another folder, or move the file away", param_hint="--out"
            )
    for one in surveys:
        describe(one)
    if any(one.is_guessed for one in surveys):
        propose(surveys)
        if not yes:
            confirm()
    surveys = surveys[0].with_traits(asked_traits(surveys[0])), surveys[1]
    # captions first: what fails can then be run again, since captions that are there are left
    changes = [change for one in surveys for change in one.changes]
    for change in changes:
        write(change)
    drafts = _drafts(folder, out, base, surveys, known)
    out.mkdir(parents=True, exist_ok=True)
    for draft in drafts:
        write_recipe(draft.path, draft.text)
        say(draft.path)
    say(f"wrote {count(len(drafts), 'recipe')} and {count(len(changes), 'caption')}", err=True)
    for question in (question for draft in drafts for question in draft.questions):
        say(wrapped(f"to decide: {question}", 11), err=True)
    _finish([draft.path for draft in drafts])


def _parted(
    folder: Path, characters: Sequence[Character], targets: Sequence[str]
) -> tuple[Sequence[Character], Sequence[Character]]:
    """Say which characters are the base's and which are targets, by their names, or by the author's answer."""
    from lorarecipe.drafts import parted

    names = ", ".join(one.name for one in characters)
    if len(characters) == 1:
        raise click.UsageError(
            f"found one character, {names}; a base needs several others. Put their folders beside it, or name the "
            "recipe of a base that you have with --from"
        )
    found = parted(folder, characters, targets)
    for name in targets:
        if not parted(folder, characters, [name]):
            near = did_you_mean(name, [one.name for one in characters])
            raise click.BadParameter(f"none of {names} is named {name!r}{near}", param_hint="--target")
    if not found and sys.stdin.isatty():
        say(f"found {count(len(characters), 'character')}: {names}", err=True)
        answer = click.prompt(
            translated("Which of them is the LoRA for?"), type=click.Choice([one.name for one in characters]), err=True
        )
        found = parted(folder, characters, [answer])
    if not found:
        raise click.UsageError(f"found {names}; say with --target NAME which of them the LoRA is for")
    if not found[0]:
        raise click.UsageError(f"found no character for the base beside {names}; a base needs several others")
    return found


def _proposal(checkpoint: Path | None) -> tuple[Path, Proposal] | None:
    from lorarecipe.recipe.proposal import proposed_preset
    from lorarecipe.weights import SafetensorsError, open_checkpoint

    if checkpoint is None:
        return None
    try:
        proposal = proposed_preset(open_checkpoint(checkpoint))
    except SafetensorsError as problem:
        raise click.BadParameter(f"found {problem}", param_hint="--checkpoint") from problem
    if proposal is None:
        raise click.BadParameter(f"{checkpoint} is of no model family that is known here", param_hint="--checkpoint")
    return checkpoint, proposal


def _traits(said: Iterable[str], characters: Sequence[Character]) -> dict[str, list[str]]:
    names = [one.name for one in characters]
    found = {name: tags_in(text) for name, text in _pairs("--traits", said)}
    for name in found.keys() - {*names}:
        raise click.BadParameter(
            f"no character of the base is named {name!r}{did_you_mean(name, names)}", param_hint="--traits"
        )
    return found


def _zooms(said: Iterable[str]) -> dict[str, str]:
    from lorarecipe.rules.vocabulary import ZOOMS

    found = dict(_pairs("--zoom", said))
    for tag in found.values():
        if tag not in ZOOMS:
            raise click.BadParameter(f"found {tag!r}, expected one of {', '.join(ZOOMS)}", param_hint="--zoom")
    return found


def _pairs(option: str, said: Iterable[str]) -> Iterator[tuple[str, str]]:
    for text in said:
        name, sign, value = text.partition("=")
        if not (name and sign and value):
            raise click.BadParameter(f"found {text!r}, expected NAME=VALUE", param_hint=option)
        yield name, value


def _drafts(
    folder: Path, out: Path, base: Path | None, surveys: Sequence[Survey], known: tuple[Path, Proposal] | None
) -> list[Draft]:
    """Draft the recipe of the base, unless there is one, and one for each target."""
    from lorarecipe.drafts import base_draft, target_draft
    from lorarecipe.files import read_file
    from lorarecipe.recipe import load
    from lorarecipe.recipe.naming import narrowed

    of_base, of_targets = surveys
    drafts = []
    if base:
        if load(base).target:  # its faults come first
            raise click.BadParameter(
                f"{base} is the recipe of a character, expected one of a base", param_hint="--from"
            )
        text = read_file(base).decode("utf-8-sig")
    else:
        name = narrowed(f"{folder.absolute().name[:_LONGEST] or 'renders'}-base") or "base"
        base = out / f"{name}.toml"
        drafts.append(base_draft(base, name, of_base, known))
        text = drafts[0].text
    for index, character in enumerate(of_targets.characters, 1):
        name = narrowed(character.name) or f"character-{index}"
        if any(draft.path.stem.lower() == name.lower() for draft in drafts):  # some file systems take them for one
            name = narrowed(f"{name[:_LONGEST]}-{index}")
        path = out / f"{name}.toml"
        drafts.append(target_draft(path, name, character, of_targets, base, tomllib.loads(text)))
    return drafts


def _finish(recipes: Sequence[Path]) -> None:
    """Check what was written, and say what to run next."""
    checked = check_all(tuple(recipes))
    findings = dict.fromkeys(finding for one in checked for finding in one.findings)
    errors = sum(finding.severity == "error" for finding in findings)
    say(f"check: {count(errors, 'error')}, {count(len(findings) - errors, 'warning')}", err=True)
    say(f"Next: {shlex.join(['lorarecipe', 'check', *map(str, recipes[-1:])])}", err=True)
