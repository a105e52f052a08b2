"""``lorarecipe inspect``."""

from __future__ import annotations

from pathlib import Path

import click

from lorarecipe.cli.options import as_json_option, say, say_json


@click.command("inspect")
@click.argument("path", type=click.Path(path_type=Path, exists=True), metavar="FILE|FOLDER")
@as_json_option
def command(path: Path, as_json: bool) -> None:
    """Say what is in a LoRA, a checkpoint or an embedding.

    Of a .safetensors FILE: the family, whose form it has (kohya, diffusers, PEFT, LyCORIS), rank and alpha of each
    part, how much it changes each block, numbers that are not finite, every hash that Civitai, A1111 and the hub know
    it by, and what its metadata says of the training. Of a FOLDER: a line for each .safetensors file in it. The file is
    only read.
    """
    from lorarecipe.cli.inspect_page import HEADING, facts_of, line_of, lines_of
    from lorarecipe.inspection import files_in, inspect
    from lorarecipe.weights import SafetensorsError

    if not path.is_dir():
        found = inspect(path)
        if as_json:
            say_json({"files": [facts_of(found)]})
        else:
            say("\n".join(lines_of(found)))
        return
    if not (paths := files_in(path)):
        raise click.BadParameter(f"{path}: the folder holds no .safetensors file", param_hint="FILE|FOLDER")
    files, problems = [], []
    if not as_json:
        say(HEADING)
    for file in paths:
        try:
            found = inspect(file)
        except SafetensorsError as problem:
            problems.append(str(problem))
            continue
        if as_json:
            files.append(facts_of(found))
        else:
            say(line_of(found, path))
    if as_json:
        say_json({"files": files, "problems": problems})
    if problems:
        raise SafetensorsError("\n".join(problems))
