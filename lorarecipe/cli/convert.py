"""``lorarecipe convert``."""

from __future__ import annotations

from pathlib import Path

import click

from lorarecipe.cli.options import say
from lorarecipe.errors import count


@click.command("convert")
@click.argument("source", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("target", type=click.Path(path_type=Path), required=False)
def command(source: Path, target: Path | None) -> None:
    """Turn a .ckpt, .pt or .bin file into .safetensors.

    No other command reads anything but .safetensors.

    Such a file is a pickle: to load it as its writer meant runs whatever code is in it. Here it is loaded without any
    code (PyTorch's `weights_only`), so one that needs some is refused. What is no tensor is left out, and named.
    """
    from lorarecipe.weights.convert import convert

    target = target or source.with_suffix(".safetensors")
    if target.exists():
        raise click.BadParameter(f"{target} exists; expected another name", param_hint="TARGET")
    if not target.parent.is_dir():
        raise click.BadParameter(f"{target.parent}: found no such folder, expected one", param_hint="TARGET")
    kept, left = convert(source, target)
    say(target)
    without = f", without {', '.join(left[:5])}{' ...' * (len(left) > 5)}" if left else ""
    say(f"{count(kept, 'tensor')}{without}", err=True)
