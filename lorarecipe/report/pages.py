"""Put a page together: one file, with everything that it needs inside."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup

from lorarecipe import __version__
from lorarecipe.language import in_context, language, translated
from lorarecipe.measures import MEASURES
from lorarecipe.measures.leak import cells_of, titles_of
from lorarecipe.records import Candidate, Gate, GatePicture, Shot
from lorarecipe.report.curves import Drawing, drawings
from lorarecipe.report.findings import by_rule
from lorarecipe.report.front import front_of
from lorarecipe.report.references import Reference, beside
from lorarecipe.report.story import Story
from lorarecipe.report.thumbs import small_copy
from lorarecipe.report.times import length_of, moment, taken, times_of

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Thumb:
    """A picture on the page: what was written down of it, its small copy, and where the whole one is."""

    of: Shot | GatePicture | Candidate
    small: str
    link: str


def page(stories: Sequence[Story], path: Path) -> bytes:
    """Draw the page of one result, or of several beside each other, in UTF-8; ``path`` is where it will be.

    What is not text in the name of a file is escaped.
    """
    renders = {id(story): [*_renders(story.renders)] for story in stories}
    pictures = [picture for story in stories for picture in _pictures(story, path.parent, renders[id(story)])]
    if len(stories) > 1:
        one_run = len({story.run.name for story in stories}) == 1
        whose = "name" if one_run else "story"
        pictures = [
            picture | {name: f"{picture[whose]}: {picture[name]}" for name in ("arm", "named")} for picture in pictures
        ]
    html = _template().render(
        stories=stories,
        title=", ".join(dict.fromkeys(story.name for story in stories)),
        rehearsals=[f"{story.name} (run {story.run.name})" for story in stories if story.rehearsal],
        running=any(story.run.state == "running" for story in stories),
        meanings={measure.TITLE: measure.MEANING for measure in MEASURES.values() if not measure.NEEDS},
        version=__version__,
        language=language(),
        style=_text("page.css"),
        script=_text("pictures.js") + _text("grid.js") + _text("page.js"),
        pictures=Markup(json.dumps(pictures).replace("<", "\\u003c")),  # noqa: S704 - `<` is escaped
        plots={id(story): _plots(story) for story in stories},
        picks={id(story): _picks(story, path.parent) for story in stories},
        fronts={id(story): front_of(story.leak.points, story.leak.advice) if story.leak else None for story in stories},
        renders=renders,
        base_renders={id(story): [*_renders(story.base_renders)] for story in stories},
        gates={id(story): _gates(story, path.parent) for story in stories},
    )
    return html.encode("utf-8", "backslashreplace")


@cache
def _template() -> jinja2.Template:
    """Compile the template, once: it takes five times as long as to fill it in."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        translated,
        lambda one, several, number: translated(one if number == 1 else several),
        newstyle=True,
        pgettext=lambda context, word: in_context(word, context),
    )
    environment.filters |= {"translated": translated, "in_context": in_context}
    environment.filters |= {"words": shlex.join, "id": id, "cells": cells_of, "titles": titles_of, "by_rule": by_rule}
    environment.filters |= {"times": times_of, "taken": taken, "length_of": length_of, "moment": moment}
    return environment.get_template("page.html.j2")


def _text(file: str) -> Markup:
    return Markup((_HERE / file).read_text("utf-8"))  # noqa: S704 - our own


def _pictures(story: Story, folder: Path, renders: Sequence[tuple[Reference, str]]) -> Iterator[dict[str, object]]:
    """Give what the page's script needs of each sample."""
    captions = [render.caption for render, _ in renders]
    for shot in story.leak.pictures if story.leak else ():
        for thumb in _thumbs(story, [shot], folder):
            yield {
                "story": f"{story.run.name} {story.name}",
                "name": story.name,
                "arm": shot.arm,
                "named": in_context(shot.arm, "arm"),
                "of": shot.arm,
                "epoch": shot.epoch,
                "weight": shot.weight,
                "prompt": shot.prompt,
                "seed": shot.seed,
                "renders": beside(shot.prompt, captions),
                "link": thumb.link,
                "small": thumb.small,
            }


def _thumbs(
    story: Story, pictures: Iterable[Shot] | Iterable[GatePicture] | Iterable[Candidate], folder: Path
) -> Iterator[Thumb]:
    for picture in pictures:
        if small := small_copy(story.folder / picture.path):
            yield Thumb(picture, small, _link(story.folder / picture.path, folder))


def _renders(renders: Iterable[Reference]) -> Iterator[tuple[Reference, str]]:
    """Give renders that can still be read, each with its small copy."""
    for render in renders:
        if small := small_copy(render.path):
            yield render, small


def _picks(story: Story, folder: Path) -> list[Thumb]:
    """Give what may be picked."""
    return [*_thumbs(story, story.candidates.pictures, folder)] if story.candidates else []


def _gates(story: Story, folder: Path) -> list[tuple[Gate, list[Thumb]]]:
    """Give the base's gates, each with its pictures."""
    gates = story.passport.gate if story.passport else ()
    return [(gate, [*_thumbs(story, gate.pictures, folder)]) for gate in gates]


def _plots(story: Story) -> list[tuple[str, list[Drawing]]]:
    curves = ((stage.title, story.curves.get(stage.key)) for stage, _ in story.stages)
    return [(title, drawings(found)) for title, found in curves if found]


def _link(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()
