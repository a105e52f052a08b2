"""Parts of the README and of the pages in the package that are made from the program: cog runs these, and the test command checks them."""

from __future__ import annotations

import json
import re
import textwrap
import tomllib
from collections.abc import Mapping
from pathlib import Path

import click

from lorarecipe import errors
from lorarecipe.cli import main
from lorarecipe.demo import NANO
from lorarecipe.help import topics
from lorarecipe.recipe import Captions
from lorarecipe.recipe.model import Base, Character, Checkpoint, Merge, RecipeFile, Trainer
from lorarecipe.recipe.presets import PRESETS
from lorarecipe.recipe.refine import Refine
from lorarecipe.recipe.samples import Control, Deliver, Distill, Gate, Samples
from lorarecipe.recipe.table import Table
from lorarecipe.recipe.target import Listed, Target, TargetFolder
from lorarecipe.recipe.training import Training
from lorarecipe.rules import RULES
from lorarecipe.rules.finding import summary_of
from lorarecipe.weights import Weights

_TABLES: dict[str, type[Table]] = {
    "(top)": RecipeFile,
    "[checkpoint]": Checkpoint,
    "[base]": Base,
    "[[base.characters]]": Character,
    "[target]": Target,
    "[[target.folders]]": TargetFolder,
    "[[characters]]": Listed,
    "[base.captions], [target.captions]": Captions,
    "[base.training], [target.training], [refine.training]": Training,
    "[base.gate]": Gate,
    "[merge]": Merge,
    "[trainer]": Trainer,
    "[samples]": Samples,
    "[refine]": Refine,
    "[distill]": Distill,
    "[deliver]": Deliver,
    "[control]": Control,
}


def commands() -> None:
    """Print the list of commands."""
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        print(f"- `{name}`: {command.get_short_help_str(200)}")


def rules() -> None:
    """Print the table of rules."""
    print("| code | severity | what is wrong |\n| --- | --- | --- |")
    for code, rule in RULES.items():
        summary = summary_of(rule).replace("``", "`")
        print(f"| {code} | {rule.SEVERITY} | {summary} |")


def exit_codes() -> None:
    """Print the table of exit codes."""
    print("| code | meaning |\n| --- | --- |")
    for code, meaning in re.findall(r"^(\d+)\s+\S+\s+(.+)$", errors.__doc__ or "", re.MULTILINE):
        print(f"| {code} | {meaning} |")


def fields() -> None:
    """Print the table of a recipe's keys."""
    print("| table | key | default | |\n| --- | --- | --- | --- |")
    for table, model in _TABLES.items():
        for name, field in model.model_fields.items():
            if f"[{field.alias or name}]" in "".join(_TABLES) or name in {"training", "characters", "captions", "gate"}:
                continue
            default = "required" if field.is_required() else _default(field.default)
            about = " ".join((field.description or "").replace("|", ",").split())
            print(f"| `{table}` | `{field.alias or name}` | {default} | {about} |")


def pages() -> None:
    """Print the list of the pages in the package."""
    for name, title in topics().items():
        print(f"- `{name}`: [{title}](lorarecipe/help/{name}.md)")


def rooms() -> None:
    """Print the rooms, each of which imports only those before it."""
    layers = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"][0]["layers"]
    names = [", ".join(f"`{room.strip()}`" for room in layer.split("|")) for layer in reversed(layers)]
    print(textwrap.fill(" < ".join(names), 120, break_on_hyphens=False))


def quality() -> None:
    """Print what was measured of the nano checkpoint when it was made."""
    told = json.loads(Weights(NANO / "unet" / "diffusion_pytorch_model.safetensors").metadata["lorarecipe.quality"])
    print("| | drawn by the checkpoint | by the renderer |\n| --- | --- | --- |")
    for name in (name for name in told if not name.startswith("judge ")):
        print(f"| {name} | {told[name]:.1%} | {told[f'judge {name}']:.1%} |")


def _default(value: object) -> str:
    if isinstance(value, Table):
        return f"`{{ {', '.join(f'{k} = {_toml(v)}' for k, v in value.model_dump().items())} }}`"
    return "" if value in (None, {}) else f"`{_toml(value)}`"


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else str(value)


def presets() -> None:
    """Print what the presets set: one value, or the base's and the target's where they differ."""
    settings = {name: (_flat(preset.base), _flat(preset.target)) for name, preset in PRESETS.items()}
    keys = dict.fromkeys(key for phases in settings.values() for phase in phases for key in phase)
    rows = {
        "family": [f"`{preset.family}`" for preset in PRESETS.values()],
        "tried with two phases": ["yes" if preset.tried else "not tried" for preset in PRESETS.values()],
        **{
            f"`{key}`": [_of_phases(base.get(key), target.get(key)) for base, target in settings.values()]
            for key in keys
        },
    }
    print("| | " + " | ".join(f"`{name}`" for name in PRESETS) + " |")
    print("| --- |" + " --- |" * len(PRESETS))
    for title, cells in rows.items():
        print(f"| {title} | " + " | ".join(cells) + " |")


def preset_sources() -> None:
    """Print where each setting of each preset was published."""
    print("| preset | settings | published in |\n| --- | --- | --- |")
    for name, preset in PRESETS.items():
        for source in dict.fromkeys(preset.sources.values()):
            keys = ", ".join(f"`{key}`" for key, its in preset.sources.items() if its == source)
            print(f"| `{name}` | {keys} | {source} |")


def _flat(settings: Mapping[str, object]) -> dict[str, object]:
    """Give settings with the options of ``extra`` beside them."""
    extra = settings.get("extra", {})
    assert isinstance(extra, dict)
    return {
        **{key: value for key, value in settings.items() if key != "extra"},
        **{f"extra.{key}": value for key, value in extra.items()},
    }


def _of_phases(base: object, target: object) -> str:
    return _cell(base) if base == target else f"{_cell(base)}, target {_cell(target)}"


def _cell(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(map(_toml, value))
    return "" if value is None else _toml(value)
