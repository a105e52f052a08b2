"""The texts that the program has in other languages: ``python -m tests.catalogue`` brings the catalogues up to date.

It adds to each ``.po`` file what it lacks, with no translation, takes out what the program no longer says, and compiles
the file. What a translator has to do is then what stands there with an empty ``msgstr``.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import click
from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from lorarecipe.cli import main
from lorarecipe.language import CATALOGUES
from lorarecipe.rules import RULES

_PACKAGE = CATALOGUES.parent
#: what click writes round the help of a command
_OF_CLICK = ("Usage:", "Options", "Commands", "Show this message and exit.")
_HEAD = "# What lorarecipe says, in another language; python -m tests.catalogue compiles this file."


class _Catalogue(Catalog):
    """Says of itself what gettext needs: no dates, which would make each file another."""

    @property  # type: ignore[misc]  # nobody sets it
    def mime_headers(self) -> list[tuple[str, str]]:
        return [("Language", str(self.locale)), ("Content-Type", "text/plain; charset=utf-8")]


def texts() -> dict[str, str]:
    """Give each text that is translated, and where it is from."""
    found: dict[str, str] = {}
    for text, source in (*_of_commands(main, "lorarecipe"), *_of_click(), *_of_code(), *_of_rules()):
        found.setdefault(text, source)
    return found


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
        known = catalogue.get(text)
        new.add(text, known.string if known else "", auto_comments=[source])
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


def _of_click() -> Iterator[tuple[str, str]]:
    return ((text, "every command") for text in _OF_CLICK)


def _of_rules() -> Iterator[tuple[str, str]]:
    return ((inspect.cleandoc(rule.__doc__ or ""), code) for code, rule in RULES.items())


def _of_code() -> Iterator[tuple[str, str]]:
    """Give what the source hands to ``translated``, or to ``translate`` where a caller chooses the language."""
    keywords = {"translated": None, "translate": None}
    for file, _, text, _, _ in extract_from_dir(_PACKAGE, [("**.py", "python")], keywords=keywords):
        assert isinstance(text, str)
        yield text, f"lorarecipe/{file}"


if __name__ == "__main__":
    update()
