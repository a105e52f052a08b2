"""Settings of a recipe, table by table, each beside the value that it would have if the author had written none."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lorarecipe.recipe.presets import PRESETS
from lorarecipe.recipe.table import Table
from lorarecipe.recipe.training import Training
from lorarecipe.recipe.whole import Recipe

#: what is a table of its own, or stands elsewhere
_APART = frozenset({"training", "gate", "characters", "from_"})


@dataclass(frozen=True)
class Setting:
    """A setting, its values written as TOML has them; ``start`` is what it would be, by the preset or the default."""

    table: str
    name: str
    value: str
    start: str | None
    """None where there is no such value: the author has to write one."""
    source: str
    """Where ``start`` is from: ``default``, a preset, or another table."""

    @property
    def differs(self) -> bool:
        """Whether the author chose another value than there would be."""
        return self.start is not None and self.value != self.start


def settings_of(recipe: Recipe) -> Iterator[Setting]:
    """Give all settings of a recipe, in the order of its tables."""
    base, target, refine = recipe.base, recipe.target, recipe.refine
    yield from _rows("checkpoint", recipe.checkpoint)
    if recipe.method == "two-phase":
        yield from _rows("base", base)
        yield from _training("base", base.training, recipe.base_preset)
        yield from _rows("base.gate", base.gate)
        yield from _rows("merge", recipe.merge)
    yield from _rows("target", target)
    yield from _training("target", target.training if target else None, recipe.preset)
    yield from _rows("refine", refine)
    if refine and target:
        inherited = target.training.model_dump(mode="json") | {"mask": None}
        yield from _rows("refine.training", refine.training, inherited, "target.training")
    for table in ("distill", "trainer", "samples", "control", "deliver"):
        yield from _rows(table, getattr(recipe, table))


def _training(phase: str, training: Training | None, preset: str | None) -> Iterator[Setting]:
    start = getattr(PRESETS[preset], phase) if preset else None
    filled = Training.model_validate(start).model_dump(mode="json", include={*start}) if start else {}
    yield from _rows(f"{phase}.training", training, filled, f"preset {preset}")


def _rows(
    name: str, table: Table | None, start: Mapping[str, object] | None = None, source: str = "default"
) -> Iterator[Setting]:
    if table is None:
        return
    values, start = table.model_dump(mode="json"), start or {}
    for key, field in type(table).model_fields.items():
        if key in _APART:
            continue
        default = None if field.is_required() else _in_toml(field.get_default(call_default_factory=True), key)
        without = _in_toml(start[key], key) if key in start else default
        yield Setting(name, key, _in_toml(values[key], key), without, source if key in start else "default")


def _in_toml(value: object, key: str = "") -> str:
    match value:
        case None:
            return "false" if key == "buckets" else "not set"
        case Table():
            return _in_toml(value.model_dump(mode="json"))
        case {**table}:
            items = ", ".join(f"{name} = {_in_toml(item)}" for name, item in table.items())
            return f"{{ {items} }}" if items else "{ }"
        case [*several]:
            return f"[{', '.join(map(_in_toml, several))}]"
        case float():
            return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return json.dumps(value, ensure_ascii=False, default=str)
