"""Put a page together: one file, with everything that it needs inside."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from lorarecipe import __version__
from lorarecipe.report.curves import drawings
from lorarecipe.report.story import Story
from lorarecipe.report.thumbs import thumb

_HERE = Path(__file__).parent
#: what each number means, in plain words; the definitions are in ``run.measures``
MEANINGS = {
    "white border": "how much of the picture's edge is white, where no white background was asked for",
    "3D look": "how softly it is shaded: 0 as the checkpoint does it, 1 as the renders are",
    "upright": "how much its outline has in common with the nearest render's, where another pose was asked for",
    "colours off": "how far the character's colours are from the nearest in the picture; less is liker",
    "change": "how far the picture is from the one without the LoRA",
    "elsewhere": "the same, for prompts that have nothing to do with the character",
}


def page(stories: Sequence[Story], place: Path) -> bytes:
    """Draw the page of one result, or of several beside each other, in UTF-8; ``place`` is where it will be.

    What is not text in the name of a file is escaped.
    """
    pictures = [picture for story in stories for picture in _pictures(story, place.parent, alone=len(stories) == 1)]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"words": shlex.join, "id": id}
    told = json.dumps(pictures).replace("<", "\\u003c")
    html = environment.get_template("page.html.j2").render(
        stories=stories,
        title=", ".join(dict.fromkeys(story.name for story in stories)),
        running=any(story.run.state == "running" for story in stories),
        meanings=MEANINGS,
        version=__version__,
        style=Markup((_HERE / "page.css").read_text("utf-8")),  # noqa: S704 - our own
        script=Markup((_HERE / "page.js").read_text("utf-8")),  # noqa: S704 - our own
        pictures=Markup(told),  # noqa: S704 - `<` is escaped
        plots={id(story): _plots(story) for story in stories},
        picks={id(story): [*_shown(story, story.candidates, place.parent)] for story in stories},
        gates={id(story): _gates(story, place.parent) for story in stories},
    )
    return html.encode("utf-8", "backslashreplace")


def _pictures(story: Story, folder: Path, *, alone: bool) -> Iterator[dict[str, Any]]:
    before = "" if alone else f"{story.run.name} {story.name}: "
    for shot in story.leak.get("pictures", []):
        if small := thumb(story.folder / shot["place"]):
            yield {
                "arm": before + shot["arm"],
                "epoch": shot["epoch"],
                "weight": shot["weight"],
                "prompt": shot["prompt"],
                "seed": shot["seed"],
                "link": _link(story.folder / shot["place"], folder),
                "small": small,
            }


def _gates(story: Story, folder: Path) -> list[dict[str, Any]]:
    """Give the base's gates, each of their pictures with a small copy."""
    gates = story.passport.get("gate", [])
    return [gate | {"pictures": [*_shown(story, gate["pictures"], folder)]} for gate in gates]


def _shown(story: Story, pictures: Sequence[dict[str, Any]], folder: Path) -> Iterator[dict[str, Any]]:
    for one in pictures:
        if small := thumb(story.folder / one["place"]):
            yield one | {"small": small, "link": _link(story.folder / one["place"], folder)}


def _plots(story: Story) -> list[tuple[str, list[tuple[str, Markup]]]]:
    drawn = []
    for stage in story.stages:
        if curves := story.curves.get(stage["key"]):
            svgs = [(words, Markup(svg)) for words, svg in drawings(curves)]  # noqa: S704 - matplotlib's
            drawn.append((stage["title"], svgs))
    return drawn


def _link(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()
