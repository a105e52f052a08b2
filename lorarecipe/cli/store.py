"""``lorarecipe store``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lorarecipe.cli.options import as_json_option, plan_all, say, say_json
from lorarecipe.errors import count, data_size

if TYPE_CHECKING:
    from lorarecipe.store import Store

#: runs of the ledger whose stages `gc` keeps
_RECENT = 10


@click.group("store")
def command() -> None:
    """List, check and clean up what the store holds."""


def _store() -> Store:
    from lorarecipe.files import home
    from lorarecipe.store import Store

    return Store(home() / "store")


def _names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001 - click's signature
    store = _store()
    return [name for name in store.names() + store.attempts() if name.startswith(incomplete)]


@command.command("list")
@as_json_option
def list_(as_json: bool) -> None:
    """List the finished stages of this machine and their sizes.

    Where LORARECIPE_STORE names a shared store, the list says which of them that has too.
    """
    from lorarecipe.shared import shared_store
    from lorarecipe.store import CHANGED

    store, shared, whole = _store(), shared_store(), 0
    there = shared.having(store.names()) if shared else {}
    if as_json:
        stages = [
            {
                "name": name,
                "bytes": store.size(name),
                "is_usable": store.find(name) is not None,
                "made_of_changed_files": CHANGED in store.manifest(name),
                "is_shared": name in there,
            }
            for name in store.names()
        ]
        say_json({"stages": stages})
        return
    for name in store.names():
        taken = store.size(name)
        whole += taken
        fit = store.find(name) is not None
        note = "" if fit else "  made of files that changed" if CHANGED in store.manifest(name) else "  damaged"
        say(f"{name}  {data_size(taken):>10}{note}{'  shared' if name in there else ''}")
    say(f"{count(len(store.names()), 'stage')}, {data_size(whole)}")
    if shared:
        say(f"{len(there)} of them are in the shared store too: {shared.address}")


@command.command("verify")
@as_json_option
def verify(as_json: bool) -> int:
    """Read every file again and compare its digest. A damaged stage is never used: it is made anew when needed.

    This reads the store of this machine. The files of a shared store are compared whenever a stage is pulled.
    """
    store = _store()
    damaged = [store.path(name) / file for name in store.names() for file in store.damaged_files(name)]
    if as_json:
        say_json({"stages": len(store.names()), "damaged": [str(path) for path in damaged]})
    else:
        for path in damaged:
            say(f"{path}: the file is damaged")
        say(f"{count(len(store.names()), 'stage')} read, {count(len(damaged), 'file')} damaged")
    return 4 if damaged else 0


@command.command("rm")
@click.argument("names", nargs=-1, required=True, metavar="NAME...", shell_complete=_names)
def remove(names: tuple[str, ...]) -> None:
    """Remove stages by name, finished or begun. A shared store keeps them."""
    store = _store()
    if unknown := [name for name in names if name not in store.names() + store.attempts()]:
        raise click.BadParameter(f"{unknown[0]!r} is not in the store; run: lorarecipe store list", param_hint="NAME")
    for name in names:
        taken = store.size(name)
        _remove(store, name)
        say(f"removed {name}, {data_size(taken)}")


@command.command("gc")
@click.argument("recipes", nargs=-1, type=click.Path(path_type=Path, dir_okay=False), metavar="[RECIPE...]")
@click.option("--delete", is_flag=True, help="Remove them; without it, they are only named.")
def collect(recipes: tuple[Path, ...], delete: bool) -> None:
    """List stages that none of the recipes and of the last ten runs uses; --delete removes them.

    A shared store keeps them: `lorarecipe help scale` has how to empty one.
    """
    from lorarecipe.files import home
    from lorarecipe.run import all_runs

    store = _store()
    used = {stage.short for stage in plan_all(recipes).stages} if recipes else set()
    used |= {stage.name for run in all_runs(home() / "runs")[:_RECENT] for stage in run.record.plan}
    whole = 0
    for name in [name for name in store.names() + store.attempts() if name not in used]:
        taken = store.size(name)
        whole += taken
        if delete:
            _remove(store, name)
        say(f"{'removed' if delete else 'would remove'} {name}, {data_size(taken)}")
    say(f"{data_size(whole)}" + ("" if delete else " in all; --delete removes them"))


def _remove(store: Store, name: str) -> None:
    """Remove a stage that nobody is at: its lock is free, and it is in no plan of a run that goes on."""
    from lorarecipe.errors import Busy
    from lorarecipe.files import home
    from lorarecipe.run import all_runs

    with store.lock(name, wait=False) as held:
        going_on = [run for run in all_runs(home() / "runs") if run.state == "running"]
        if not held or any(name == stage.name for run in going_on for stage in run.record.plan):
            raise Busy(f"{name}: another run is at it; try again when it is done")
        store.remove(name)
