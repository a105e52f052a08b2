"""``lorarecipe import``."""  # noqa: N999 - it is named as its command is, and imported by that name

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lorarecipe.cli.options import say, say_json, wrapped
from lorarecipe.errors import count

if TYPE_CHECKING:
    from lorarecipe.imports import Imported

#: letters of a value that are shown in a line
_SHOWN = 60


@click.command("import")
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@click.option("--name", help="Name of the character; left out, what the source calls its result.")
@click.option("--out", type=click.Path(path_type=Path), metavar="RECIPE", help="The recipe; NAME.toml by default.")
@click.option("--json", "as_json", is_flag=True, help="Print all that was found as JSON.")
def command(source: Path, name: str | None, out: Path | None, as_json: bool) -> None:
    """Turn what another trainer's user has into a recipe.

    SOURCE is a training or a data set configuration of kohya's sd-scripts (TOML), a saved configuration of the kohya_ss
    GUI or of OneTrainer (JSON), a job of ai-toolkit (YAML), a folder of images or of folders N_name, or a finished LoRA
    with the metadata of sd-scripts. Its images become the target. What the recipe still needs is said in the recipe;
    what cannot be carried over is printed, each key with the reason. SOURCE is only read.
    """
    from lorarecipe.imports import import_recipe
    from lorarecipe.recipe.writing import write_recipe

    imported = import_recipe(source, out.parent if out else Path(), name)
    path = out or Path(f"{imported.name}.toml")
    if not path.parent.is_dir():
        raise click.BadParameter(f"{path.parent}: found no such folder, expected one", param_hint="--out")
    try:
        write_recipe(path, imported.text)
    except FileExistsError as problem:
        message = f"{path} exists and is not overwritten; expected another name (--name, --out)"
        raise click.BadParameter(message, param_hint="--out") from problem
    if as_json:
        say_json(_facts(imported, source, path))
        return
    say(path)
    for line in _lines(imported, source, path):
        say(wrapped(line, 4), err=True)
    say(f"Next: {shlex.join(['lorarecipe', 'check', str(path)])}", err=True)


def _lines(imported: Imported, source: Path, path: Path) -> list[str]:
    carried = count(sum(map(len, imported.carried.values())), "setting")
    lines = [f"{source} is {imported.kind}; {carried} carried over into {path}"]
    if imported.decisions:
        lines += ["left to decide:", *(f"  {decision.key}: {decision.message}" for decision in imported.decisions)]
    if imported.left:
        lines.append("not carried over:")
        lines += [f"  {left.key} = {_short(left.value)}: {left.reason}" for left in imported.left]
    if imported.unset:
        lines.append(f"{count(len(imported.unset), 'key')} that change nothing (--json names them)")
    return lines


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def _facts(imported: Imported, source: Path, path: Path) -> dict[str, object]:
    return {
        "source": str(source),
        "kind": imported.kind,
        "recipe": str(path),
        "carried": [
            {"recipe_key": recipe_key, "key": key, "value": value}
            for recipe_key, settings in imported.carried.items()
            for key, value in settings
        ],
        "left_to_decide": [{"key": decision.key, "message": decision.message} for decision in imported.decisions],
        "not_carried": [{"key": left.key, "value": left.value, "reason": left.reason} for left in imported.left],
        "unset": [*imported.unset],
    }
