"""What `plan --sky` writes: a task for a rented pod."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lorarecipe.cli.overriding import words_of

if TYPE_CHECKING:
    from lorarecipe.plan import Plan
    from lorarecipe.recipe import Overrides


def write_sky(plan: Plan, recipes: tuple[Path, ...], overrides: Overrides, file: Path) -> None:
    """Write the task that runs recipes on a pod, with the shared store that ``LORARECIPE_STORE`` names.

    Raises
    ------
    click.UsageError
        When a path cannot be copied to a pod, or the shared store is a folder.
    """
    import lorarecipe
    from lorarecipe.batch import Pod, paths_of, sky_task, unmountable
    from lorarecipe.engines import ENGINES
    from lorarecipe.files import home, size_of, write_atomic
    from lorarecipe.run.room import rooms
    from lorarecipe.shared import shared_address
    from lorarecipe.store import Store

    address = shared_address()
    if address and address.scheme == "file":
        raise click.UsageError(
            f"found the folder {address} in LORARECIPE_STORE, expected s3://, gs:// or hf://, which a pod can reach"
        )
    table = (overrides.characters,) if overrides.characters else ()
    paths = paths_of([delivery.recipe for delivery in plan.deliveries], [*recipes, *table])
    if bad := unmountable(paths):
        raise click.UsageError(
            "\n".join(
                f"{path}: SkyPilot cannot copy this path, because it quotes no spaces and no special characters; "
                "use a path of letters, digits and @%+=,.-_ alone"
                for path in bad
            )
        )
    clone = Path(lorarecipe.__file__).parents[1]
    needed = {room.need for room in rooms(plan, plan.stages, Store(home() / "store"), Path("out"))}  # one of each disk
    pod = Pod(
        store=str(address) if address else None,
        scheme=address.scheme if address else "s3",
        disk=sum(needed) + sum(map(size_of, paths)),
        clone=clone if (clone / "pyproject.toml").is_file() else None,
        is_embedded=bool(ENGINES[plan.engine].LIBRARIES),
        endpoint=os.environ.get("AWS_ENDPOINT_URL"),
    )
    absolute = replace(overrides, characters=overrides.characters and overrides.characters.absolute())
    words = ["lorarecipe", "run", *(str(path.absolute()) for path in recipes), *words_of(absolute)]
    write_atomic(file, sky_task(paths, words, pod).encode())
