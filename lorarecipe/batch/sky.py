"""A run as a task for SkyPilot: a rented pod that calls the same command, with a shared store in place of a disk."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel

from lorarecipe.files import home
from lorarecipe.recipe import Recipe


@dataclass(frozen=True)
class Pod:
    """What a pod is to have."""

    store: str | None
    """Address of the shared store; None where the user gives it when the pod is started."""
    scheme: str
    """What the address begins with: ``s3``, ``gs`` or ``hf``."""
    disk: int
    """Bytes that the run needs."""
    clone: Path | None
    """The clone that lorarecipe is installed from; None where the user names a package when the pod is started."""
    is_embedded: bool = False
    """Whether the trainer is the embedded one, which comes with lorarecipe's own environment."""
    endpoint: str | None = None
    """Address of a provider of S3 that is not Amazon."""


def sky_task(paths: Sequence[Path], words: Sequence[str], pod: Pod) -> str:
    """Give the text of a task.

    Parameters
    ----------
    paths
        Files and folders that the run reads; on the pod they have the same paths.
    words
        The command that the pod calls.
    pod
        What the pod is to have.
    """
    extra, secrets = _STORES[pod.scheme]
    extras = ",".join(name for name in (extra, "embedded" if pod.is_embedded else "") if name)
    wanted = f"[{extras}]" if extras else ""
    package = f".{wanted}" if pod.clone else f"lorarecipe{wanted} @ $LORARECIPE_PACKAGE"
    trainer = "" if pod.is_embedded else "~/lorarecipe/bin/lorarecipe setup --torch cuda\n"
    task = {
        "name": "lorarecipe",
        **({"workdir": str(pod.clone)} if pod.clone else {}),
        "num_nodes": 1,
        "resources": {"accelerators": "L4:1", "disk_size": _OTHERS + -(-pod.disk // 1_000_000_000)},
        "envs": {
            "LORARECIPE_STORE": pod.store,
            **({"AWS_ENDPOINT_URL": pod.endpoint} if pod.endpoint and pod.scheme == "s3" else {}),
            **({} if pod.clone else {"LORARECIPE_PACKAGE": None}),
        },
        **({"secrets": dict.fromkeys(secrets)} if secrets else {}),
        "file_mounts": {str(path): str(path) for path in paths},
        "setup": f'{_SETUP}uv pip install --python ~/lorarecipe/bin/python "{package}"\n{trainer}',
        "run": f"{_RUN}{shlex.join(words)}\n",
    }
    return _HEAD + yaml.dump(task, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)


def paths_of(recipes: Sequence[Recipe], files: Sequence[Path] = ()) -> list[Path]:
    """Name ``files`` and what recipes read, but for what each machine fetches from a hub itself."""
    found = {Path(os.path.abspath(path)) for path in (*files, *_read(recipes))}  # noqa: PTH100 - keeps links
    fetched = {home() / "hub", home() / "store"}
    return sorted(path for path in found if not (found | fetched).intersection(path.parents))


def unmountable(paths: Sequence[Path]) -> list[Path]:
    """Name the paths that SkyPilot cannot copy: it puts them into shell commands as they are."""
    return [path for path in paths if not _PLAIN.fullmatch(str(path))]


def _read(recipes: Sequence[Recipe]) -> Iterator[Path]:
    for recipe in recipes:
        yield from (recipe.source, recipe.base_lines.path, recipe.checkpoint_lines.path)
        yield from _within([recipe.checkpoint, recipe.base, recipe.target, recipe.samples, recipe.distill])


def _within(value: object) -> Iterator[Path]:
    """Name the paths in a value of a recipe."""
    if isinstance(value, Path):
        yield value
    elif isinstance(value, BaseModel):
        yield from (path for name in type(value).model_fields for path in _within(getattr(value, name)))
    elif isinstance(value, list | tuple):
        yield from (path for part in value for path in _within(part))


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as such."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if _BREAKS.intersection(text) else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)

#: what YAML takes for the end of a line, unless it is escaped
_BREAKS = frozenset("\x85\u2028\u2029")
_PLAIN = re.compile(r"/[\w@%+=,./-]*")
#: gigabytes that the system, the trainer and its archives take
_OTHERS = 60
#: scheme -> extra of lorarecipe that reads it, and secrets that it asks for; SkyPilot itself copies those of gs://
_STORES = {
    "s3": ("s3", ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")),
    "gs": ("gs", ()),
    "hf": ("", ("HF_TOKEN",)),
}

_HEAD = """\
# A task for SkyPilot. `lorarecipe help scale` says how to start it, and where the results are.
# accelerators: which GPU to rent. `sky gpus list` names others and their prices.
# null: a value to give at the start, by --env NAME=VALUE, or by --secret NAME, which takes it from your shell.
"""

_SETUP = """\
set -e
export PATH="$HOME/.local/bin:$PATH"
command -v uv > /dev/null || curl -LsSf https://astral.sh/uv/install.sh | sh
uv venv --quiet --allow-existing --python 3.12 ~/lorarecipe
"""

_RUN = """\
export PATH="$HOME/lorarecipe/bin:$PATH"
"""
