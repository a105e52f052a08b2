"""The texts that the program has in other languages: ``python -m tests.catalogue`` brings the catalogues up to date.

It adds to each ``.po`` file what it lacks, with no translation, takes out what the program no longer says, and compiles
the file. What a translator has to do is then what stands there with an empty ``msgstr``.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import get_args, get_type_hints

import click
from babel.messages import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from lorarecipe.cli import main
from lorarecipe.language import CATALOGUES
from lorarecipe.measures import MEASURES
from lorarecipe.measures.gate import CRITERIA
from lorarecipe.phrases import CONTEXT
from lorarecipe.plan import Arm
from lorarecipe.records import Gate, Verdict
from lorarecipe.rules import RULES
from tests.messages import messages

_PACKAGE = CATALOGUES.parent
#: what click writes round the help of a command, and of a wrong command line (click 8: core, exceptions, types)
_OF_CLICK = """\
Usage:
Usage: {usage}
Options
Commands
Show this message and exit.
Show the version and exit.
Try '{command}' for help.
Error: {message}
Invalid value for {name}: {problem}
Invalid value: {problem}
Missing argument {name}.
Missing option {name}.
Missing command.
Option {name} does not take a value.
Argument {name} takes {number} values.
No such option {name}.
No such option: {name}
Did you mean {near}?
(Possible options: {near})
Option {name} requires an argument.
Got unexpected extra argument ({names})
Got unexpected extra arguments ({names})
{value} is not one of {choices}.
{value} is not a valid boolean. Recognized values: {states}
{value} is not a valid integer.
{value} is not a valid float.
{value} is not in the range {range}.
File {path} does not exist.
File {path} is a directory.
Directory {path} does not exist.
Directory {path} is a file.
Path {path} does not exist.
""".splitlines()
#: what pydantic says of a value that a recipe may not have, after "expected"
_OF_PYDANTIC = """\
a valid string
a valid integer
a valid number
a valid boolean
a valid list
a valid tuple
a valid dictionary
a finite number
greater than {number}
greater than or equal to {number}
less than {number}
less than or equal to {number}
""".splitlines()
#: words that values are shown as on a page or in a table, by their contexts
_WORDS: dict[str, Iterable[str]] = {
    "arm": ("without", *get_args(Arm)),
    "check": [criterion.name for criterion in CRITERIA],
    "column": ("right", "of", *(measure.TITLE for measure in MEASURES.values() if not measure.NEEDS)),
    "gate": get_args(get_type_hints(Gate)["of"]),
    "outcome": ("started", "made", "reused", "paused", "failed", "not made", "to do"),
    "plot": ("loss", "step"),
    "proof": "modules rank matched compared changed pictures images picked of verdict files digest".split(),
    "setting": ("default", "not set"),
    "state": ("running", "finished", "paused", "interrupted", "failed", "crashed", "killed"),
    "verdict": get_args(Verdict),
}
_HEAD = "# What lorarecipe says, in another language; python -m tests.catalogue compiles this file."


class _Catalogue(Catalog):
    """Says of itself what gettext needs: no dates, which would make each file another."""

    @property  # type: ignore[misc]  # nobody sets it
    def mime_headers(self) -> list[tuple[str, str]]:
        return [("Language", str(self.locale)), ("Content-Type", "text/plain; charset=utf-8")]


def texts() -> dict[str, str]:
    """Give each text that is translated, and where it is from; a word of a context has that before it."""
    found: dict[str, str] = {}
    others = ((text, "every command") for text in _OF_CLICK), ((text, "a recipe") for text in _OF_PYDANTIC)
    for text, source in chain(_of_commands(main, "lorarecipe"), *others, messages(_PACKAGE), _of_rules(), of_pages()):
        found.setdefault(text, source)
    for context, words in _WORDS.items():
        for word in words:
            if word not in found:  # what is a text of its own is that in every context
                found.setdefault(key_of(word, context), "a value on a page or in a table")
    return found


def of_pages() -> Iterator[tuple[str, str]]:
    """Give what the templates of pages say, and the words that have a context there or in the source."""
    methods = [("**.py", "python"), ("**.j2", "jinja2.ext:babel_extract")]
    options = {"**.j2": {"newstyle_gettext": "true", "trimmed": "true", "silent": "false"}}
    keywords = DEFAULT_KEYWORDS | {"in_context": ((2, "c"), 1)}
    for file, _, said, _, context in extract_from_dir(_PACKAGE, methods, options, keywords):
        for text in (said,) if isinstance(said, str) else said:
            yield key_of(text, context), f"lorarecipe/{file}"


def key_of(text: str, context: str | None) -> str:
    """Give a text, or a word of a context, as ``texts`` and the compiled catalogue name it."""
    return f"{context}{CONTEXT}{text}" if context else text


def read(path: Path) -> Catalog:
    """Read a catalogue."""
    with path.open("rb") as file:
        return read_po(file, locale=path.parents[1].name, abort_invalid=True)


def compiled(catalogue: Catalog) -> bytes:
    """Give a catalogue in the form that gettext reads."""
    file = BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()


def brought_up_to_date(catalogue: Catalog) -> Catalog:
    """Give a catalogue of all texts, with the translations that there are."""
    new = _Catalogue(catalogue.locale, header_comment=_HEAD, fuzzy=False)
    for text, source in texts().items():
        context, _, bare = text.rpartition(CONTEXT)
        known = catalogue.get(bare, context or None)
        new.add(bare, known.string if known else "", auto_comments=[source], context=context or None)
    return new


def update() -> None:
    """Bring every catalogue up to date."""
    for path in CATALOGUES.glob("*/LC_MESSAGES/*.po"):
        catalogue = brought_up_to_date(read(path))
        file = BytesIO()
        write_po(file, catalogue, width=120)
        path.write_bytes(file.getvalue())
        path.with_suffix(".mo").write_bytes(compiled(catalogue))
        print(f"{path}: {sum(not message.string for message in catalogue if message.id)} texts without a translation")


def _of_commands(command: click.Command, name: str) -> Iterator[tuple[str, str]]:
    context = click.Context(command)
    yield inspect.cleandoc(command.help or ""), name
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.help:
            yield parameter.help, f"{name} {parameter.opts[-1]}"
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            subcommand = command.get_command(context, inner)
            assert subcommand is not None
            yield from _of_commands(subcommand, f"{name} {inner}")


def _of_rules() -> Iterator[tuple[str, str]]:
    return ((inspect.cleandoc(rule.__doc__ or ""), code) for code, rule in RULES.items())


if __name__ == "__main__":
    update()
