"""``lorarecipe convert``."""

from __future__ import annotations

from pathlib import Path

import click

from lorarecipe.cli.options import say
from lorarecipe.errors import count


@click.command("convert")
@click.argument("source", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("place", type=click.Path(path_type=Path, dir_okay=False), required=False)
def command(source: Path, place: Path | None) -> None:
    """Turn a .ckpt, .pt or .bin into .safetensors, which no other command reads anything but.

    Such a file is a pickle: to load it as its writer meant runs whatever code is in it. Here it is loaded without any
    code (PyTorch's `weights_only`), so one that needs some is refused. What is no tensor is left out, and named.
    """
    from lorarecipe.weights.convert import convert

    place = place or source.with_suffix(".safetensors")
    if place.exists():
        raise click.BadParameter(f"{place} exists; expected another name", param_hint="PLACE")
    kept, left = convert(source, place)
    say(place)
    without = f", without {', '.join(left[:5])}{' ...' * (len(left) > 5)}" if left else ""
    say(f"{count(kept, 'tensor')}{without}", err=True)
