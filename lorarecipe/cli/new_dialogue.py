"""What ``lorarecipe new`` says of what it found, and asks on a terminal."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from lorarecipe.cli.options import say, wrapped
from lorarecipe.errors import count
from lorarecipe.language import translated

if TYPE_CHECKING:
    from lorarecipe.drafts import Survey

#: images that are named each
_MOST_LINES = 10
#: columns before what is said of a phase
_INDENT = 7


def describe(survey: Survey) -> None:
    """Say what was found of a phase."""
    for character, group, shots in zip(survey.characters, survey.groups, survey.shots, strict=True):
        zooms = Counter(shot.zoom or "zoom unknown" for shot in shots.values())
        parts = [f"{number} {zoom}" for zoom, number in zooms.most_common()]
        parts.append(f"{sum(bool(shot.behind) for shot in shots.values())} from behind")
        traits = f" ({', '.join(group.traits)})" if group.traits else ""
        line = f"{group.phase:6} {character.name}{traits}: {count(len(shots), 'image')}: {', '.join(parts)}"
        say(wrapped(line, _INDENT), err=True)
    if survey.characters and survey.captions:
        say(f"{'':{_INDENT}}images are named {survey.captions.patterns[0]}", err=True)
    unread = survey.unread
    for line in unread[:_MOST_LINES]:
        say(wrapped(f"{'':{_INDENT}}{line}", _INDENT + 2), err=True)
    if more := len(unread[_MOST_LINES:]):
        say(f"{'':{_INDENT}}and {count(more, 'image')} more of this kind", err=True)


def propose(surveys: Iterable[Survey]) -> None:
    """List what outlines propose, once for all characters of one list of cameras."""
    say("Names do not tell the zoom. The outlines of the figures propose:", err=True)
    listed: list[list[object]] = []
    for shots in (shots for one in surveys if one.is_guessed for shots in one.shots):
        if [*shots.values()] in listed:
            say(f"  {next(iter(shots)).parent.name}: the same, image by image", err=True)
            continue
        listed.append([*shots.values()])
        for path, shot in shots.items():
            behind = {True: ", from behind", False: "", None: ", view unknown"}[shot.behind]
            say(f"  {path.parent.name}/{path.name}: {shot.zoom or 'zoom unknown'}{behind}", err=True)


def confirm() -> None:
    """Ask whether what is proposed may be written."""
    correct = "correct them with --zoom GLOB=TAG and --behind GLOB"
    if not sys.stdin.isatty():
        raise click.UsageError(f"nothing was written; take the proposed zooms and views with --yes, or {correct}")
    if not click.confirm(translated("Write these captions?"), err=True):
        raise click.UsageError(f"nothing was written; {correct}")


def asked_traits(base: Survey) -> dict[str, list[str]]:
    """Ask on a terminal for the traits that are not known: a hairstyle and a body."""
    lacking = [*base.lacking()]
    if not lacking or not sys.stdin.isatty():
        return {}
    asked = {}
    say("Traits are tags with commas between them: short hair, slim. Enter skips them.", err=True)
    for character, traits in lacking:
        known = f" ({', '.join(traits)})" if traits else ""
        answer = click.prompt(
            translated(f"Other traits of {character.name}{known}: hairstyle, body"),
            default="",
            show_default=False,
            err=True,
        )
        asked[character.name] = tags_in(answer)
    return asked


def tags_in(text: str) -> list[str]:
    """Read the tags that an author gives, as those of captions are read."""
    from lorarecipe.dataset.captions import tags_of

    return [tag.text for tag in tags_of(text)]
