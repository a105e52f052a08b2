"""``lorarecipe publish``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lorarecipe.cli.options import run_argument, run_named, say

if TYPE_CHECKING:
    from lorarecipe.hub import Address
    from lorarecipe.publish import Result


@click.command("publish")
@run_argument("run")
@click.option("--to", metavar="hf://OWNER/REPO", help="Repository on the Hugging Face hub; it is created if needed.")
@click.option(
    "--dry-run",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Write the files into a new folder instead, with a sheet for Civitai.",
)
@click.option("--name", help="The result to publish, of a run of several recipes.")
@click.option(
    "--license",
    "license_id",
    metavar="ID",
    help="The LoRA's license, as the hub calls it; by default [deliver]'s.",
)
@click.option("--public", is_flag=True, help="Let everybody see it; without this, only you.")
def command(
    run: str, to: str | None, folder: Path | None, name: str | None, license_id: str | None, public: bool
) -> None:
    """Publish a finished LoRA, with a model card.

    The card, the LoRA, samples and the recipe go to the repository in one commit; its other files stay. Look at them
    first: --dry-run FOLDER writes them, and contacts nobody.

    RUN is a run's name, the end of it, or `last`. Log in once, with `hf auth login` or HF_TOKEN.
    """
    from lorarecipe.publish import LICENSE, SHEET, commit_files, files_of, result_of, sheet_of, write_files

    if not to and not folder:
        raise click.UsageError("found neither --to nor --dry-run, expected --to hf://OWNER/REPO or --dry-run FOLDER")
    address = _repository(to) if to else None
    if license_id and not LICENSE.fullmatch(license_id):
        problem = f"found {license_id!r}, expected the hub's name of a license, as apache-2.0 or cc-by-nc-4.0"
        raise click.BadParameter(problem, param_hint="--license")
    try:
        result = result_of(run_named(run), name)
    except LookupError as problem:
        raise click.BadParameter(str(problem.args[0]), param_hint="--name") from problem
    license_id = license_id or result.license
    files = files_of(result, address.repo if address else f"OWNER/{result.name}", license_id)
    if folder:
        try:
            write_files(files | {SHEET: sheet_of(result).encode("utf-8", "backslashreplace")}, folder)
        except FileExistsError as problem:
            raise click.BadParameter(str(problem), param_hint="--dry-run") from problem
        for written in (*files, SHEET):
            say(folder / written)
    for line in _remarks(result, license_id):
        say(line, err=True)
    if folder:
        say("Read the card and the recipe before you publish them.", err=True)
    elif address:
        done = commit_files(files, address, f"Publish {result.name} with lorarecipe", public=public)
        say(done.address)
        seen = f"Everybody can see {address.repo}: it is public."
        say(seen if done.is_public else f"Only you can see {address.repo}: it is private.", err=True)


def _repository(to: str) -> Address:
    from lorarecipe.hub import SCHEME, AddressError, read_address

    try:
        address = read_address(to) if to.startswith(SCHEME) else None
    except AddressError:
        address = None
    if not address or address.path or address.kind != "models" or "@" in to:
        raise click.BadParameter(f"found {to!r}, expected hf://OWNER/REPO", param_hint="--to")
    return address


def _remarks(result: Result, license_id: str | None) -> Iterator[str]:
    """Say what the author should know before others see it."""
    from lorarecipe.errors import count
    from lorarecipe.publish import without_folders

    if result.failed:
        yield f"The base failed its gate ({', '.join(result.failed)}); the card says so."
    if not result.checkpoint_address:
        yield f"The card names no base_model: {result.checkpoint} was not fetched from a hub. Add its repository there."
    if not license_id:
        yield "The card names no license; name one in [deliver] of the recipe, or with --license."
    if not result.pictures:
        yield "There are no samples to show; [samples] in the recipe draws some."
    if keys := ", ".join(result.private_metadata):
        where = f"The metadata of {result.loras[0].name} tells how the images were tagged and their folders were called"
        yield f'{where} ({keys}). To leave it out, set [deliver] metadata = "public", and run again.'
    if replaced := without_folders(result.recipe_text)[1]:
        yield f"In the recipe, {count(replaced, 'absolute path')} became only the name at its end."
