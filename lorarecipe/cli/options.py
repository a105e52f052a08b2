"""Arguments and options that several commands share, and the steps from recipes to a plan."""

from __future__ import annotations

import gc
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from lorarecipe.cli.folding import folded_lines
from lorarecipe.errors import count, printable_lines
from lorarecipe.language import translated

if TYPE_CHECKING:
    from lorarecipe.plan import Plan
    from lorarecipe.recipe import Overrides
    from lorarecipe.rules import Checked
    from lorarecipe.run import Run

Command = TypeVar("Command", bound=Callable[..., object])

recipes = click.argument(
    "recipes", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False), metavar="RECIPE..."
)


def rule_codes(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001 - click's signature
    """Name the rules that a shell may complete."""
    from lorarecipe.rules import RULES

    return [code for code in RULES if code.startswith(incomplete.upper())]


def _run_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001 - click's signature
    """Name the runs that a shell may complete."""
    from lorarecipe.files import home

    folders = (home() / "runs").glob("*/")
    return [name for name in ("last", *sorted((folder.name for folder in folders), reverse=True)) if incomplete in name]


def run_argument(name: str, *, nargs: int = 1) -> Callable[[Command], Command]:
    """Give the argument that names a run, or with ``nargs`` of -1 several."""
    metavar = "RUN..." if nargs < 0 else None
    return click.argument(name, nargs=nargs, required=True, metavar=metavar, shell_complete=_run_names)


def say(text: object, *, err: bool = False) -> None:
    """Print a text in the language of the user; a path, which programs read too, stays as it is.

    Control characters, which a terminal obeys, are escaped, since parts of the text may come from files. Remarks,
    which go to standard error, are left out with ``--quiet``.
    """
    if not (err and is_quiet()):
        shown = str(text) if isinstance(text, Path) else translated(str(text))
        click.echo(printable_lines(shown), err=err)


def wrapped(line: str, indent: int) -> str:
    """Give a line in the language of the user, broken where it would leave the terminal; what follows is indented."""
    line = translated(line)
    if not (sys.stderr.isatty() and sys.stdout.isatty()):
        return line
    return "\n".join(folded_lines(line, shutil.get_terminal_size().columns, indent))


def say_json(facts: Mapping[str, object]) -> None:
    """Print facts as one JSON object on a line, with the version of its form."""
    click.echo(json.dumps({"schema_version": SCHEMA_VERSION, **facts}, ensure_ascii=False, default=str))


def is_quiet() -> bool:
    """Tell whether the command was asked to print results and errors alone."""
    context = click.get_current_context(silent=True)
    return bool(context and context.meta.get(_QUIET))


def with_quiet(command: click.Command) -> click.Command:
    """Give a command the option that leaves remarks out."""

    def remember(ctx: click.Context, param: click.Parameter, value: bool) -> None:  # noqa: ARG001 - click's signature
        ctx.meta[_QUIET] = value

    if all(param.name != "quiet" for param in command.params):
        option = click.Option(["-q", "--quiet"], is_flag=True, expose_value=False, callback=remember)
        option.help = "Print results and errors, and no remarks."
        command.params.append(option)
    return command


#: of what commands print with --json; it rises when a key changes its meaning or goes
SCHEMA_VERSION = 1
_QUIET = "lorarecipe.quiet"

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON, for programs.")
verbose_option = click.option("-v", "--verbose", is_flag=True, help="Print the exact command of each stage too.")


def check_all(paths: tuple[Path, ...], overrides: Overrides | None = None) -> tuple[Checked, ...]:
    """Load and check recipes, with what is put over them; faults of all files come at once."""
    from lorarecipe.dataset import Known, scan
    from lorarecipe.errors import Fault, RecipeError
    from lorarecipe.recipe import NONE, load_all
    from lorarecipe.rules import check

    checked, faults, known = [], list[Fault](), Known()
    gc.disable()  # all of it is kept: the collector would walk it again and again, a quarter of the time
    try:
        for recipe in load_all(paths, overrides or NONE):
            try:
                checked.append(check(scan(recipe, meter(), known)))
            except RecipeError as error:
                faults += error.faults
    finally:
        gc.enable()
    if faults:
        raise RecipeError(tuple(faults))
    return tuple(checked)


def meter() -> Callable[[Path, int, int], None]:
    """Give what counts the images on a terminal, once they have taken a second."""
    start = time.monotonic()

    def on_image(folder: Path, done: int, of: int) -> None:
        if sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and time.monotonic() - start > 1:
            counted = "" if done == of else f"measuring {folder.name}: {done} of {of}"
            click.echo(f"\r\x1b[K{translated(counted)}", nl=False, err=True)

    return on_image


def _numbers(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, ...] | None:  # noqa: ARG001 - click's signature
    """Read numbers of GPUs, as `0,1`."""
    if value is None:
        return None
    words = [word.strip() for word in value.split(",")]
    if not all(word.isascii() and word.isdecimal() for word in words) or len({*map(int, words)}) < len(words):
        raise click.BadParameter(f"found {value!r}, expected the numbers of GPUs, each once, as 0,1")
    return tuple(map(int, words))


def _cluster(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:  # noqa: ARG001 - click's signature
    """Read the address of a Ray cluster."""
    if value is not None and value != "local" and not re.fullmatch(r"[^\s:/]+:[0-9]+", value):
        raise click.BadParameter(f"found {value!r}, expected HOST:PORT of a Ray cluster, or local")
    return value


jobs_option = click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Make up to N stages side by side; by default one for each GPU, and one where there is none.",
)
devices_option = click.option(
    "--devices",
    callback=_numbers,
    metavar="0,1",
    help="Use these GPUs, one training each; by default all that are visible.",
)
ray_option = click.option(
    "--ray",
    callback=_cluster,
    metavar="HOST:PORT",
    help="Make stages on a Ray cluster; `local` starts one here. Whoever reaches a Ray port can run any program.",
)
allowed = click.option(
    "--allow",
    "allow",
    multiple=True,
    metavar="CODE",
    shell_complete=rule_codes,
    help="Let errors of a rule pass, this once; it is kept in run.json.",
)


def plan_all(paths: tuple[Path, ...], overrides: Overrides | None = None) -> Plan:
    """Load, check and compile recipes.

    Raises
    ------
    CheckFailed
        With every error found.
    """
    from lorarecipe.plan import compile_plan

    return compile_plan(sound(paths, overrides=overrides))


def planned(checked: tuple[Checked, ...], *, rehearse: bool) -> tuple[Plan, tuple[str, ...]]:
    """Give the plan, and for a rehearsal the settings in which it differs from the real one."""
    from lorarecipe.plan import compile_plan, rehearsal_of

    if not rehearse:
        return compile_plan(checked), ()
    if all(one.dataset.checkpoint_weights for one in checked):
        compile_plan(checked)  # its faults are the real run's
    checked, differences = rehearsal_of(checked)
    return compile_plan(checked), differences


def sound(
    paths: tuple[Path, ...], allow: tuple[str, ...] = (), overrides: Overrides | None = None
) -> tuple[Checked, ...]:
    """Load and check recipes, and let none pass that may not be trained, but for errors of the rules in ``allow``.

    Raises
    ------
    CheckFailed
        With every error found.
    """
    from lorarecipe.errors import CheckFailed
    from lorarecipe.rules import RULES, UNALTERABLE

    if unknown := sorted({*allow} - (RULES.keys() - UNALTERABLE)):
        raise click.BadParameter(f"{unknown[0]!r} is no rule that can be allowed", param_hint="--allow")
    checked = check_all(paths, overrides)
    if errors := [str(finding) for one in checked for finding in one.errors if finding.code not in allow]:
        raise CheckFailed(
            "\n".join([*dict.fromkeys(errors), count(len(set(errors)), "error") + "; nothing was trained"])
        )
    return checked


def run_named(name: str) -> Run:
    """Find a run of the ledger by its name, the end of it, or `last`."""
    from lorarecipe.files import home
    from lorarecipe.run import find_run

    try:
        return find_run(home() / "runs", name)
    except LookupError as problem:
        raise click.BadParameter(str(problem), param_hint="RUN") from problem
