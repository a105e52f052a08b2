"""A recipe in the making: its tables, what each key came from, what is left over, and what is left to decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lorarecipe.imports.found import Found, Left, Setting
from lorarecipe.imports.values import as_option
from lorarecipe.recipe.options import known_options


@dataclass(frozen=True)
class Decision:
    """What its author has to write into a recipe before it loads, or to look at."""

    key: str
    """The recipe's key, dotted."""
    message: str
    example: object = None
    """A value that it may have; None where the recipe loads without one."""


@dataclass
class Draft:
    """What becomes of a source; each function of the other modules takes the settings that it knows."""

    found: Found
    pending: dict[str, Setting] = field(init=False)
    """Settings that nobody took yet, by option."""
    values: dict[str, object] = field(default_factory=dict)
    """Values by the recipe's keys, dotted."""
    comments: dict[str, str] = field(default_factory=dict)
    origins: dict[str, tuple[Setting, ...]] = field(default_factory=dict)
    left: list[Left] = field(init=False)
    unset: list[str] = field(init=False)
    decisions: list[Decision] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin with the settings, numbers as numbers, and what the trainer takes where the source says nothing."""
        self.left, self.unset = [*self.found.left], [*self.found.unset]
        given = self.found.settings
        assumed = {o: Setting("", None, o, means) for o, means in self.found.defaults.items() if o not in given}
        self.pending = {option: _in_kind(setting) for option, setting in (given | assumed).items()}

    def take(self, option: str) -> Setting | None:
        """Take the setting of an option."""
        return self.pending.pop(option, None)

    def put(self, key: str, value: object, *settings: Setting | None) -> None:
        """Write a key of the recipe, and remember what it comes from; a table or null is no value of any key."""
        if not _is_value(value):
            for setting in settings:
                self.leave(setting, "expected a number or a text")
            return
        self.values[key] = value
        self.origins[key] = tuple(setting for setting in settings if setting)
        if self.origins[key] and not any(setting.key for setting in self.origins[key]):
            self.comments[key] = f"the default of {self.found.trainer}"

    def leave(self, setting: Setting | None, reason: str) -> None:
        """Name a setting that is not carried over; a default that the source does not have is none."""
        if setting and setting.key:
            self.left.append(Left(setting.key, setting.value, reason))

    def same(self, setting: Setting | None) -> None:
        """Note that a setting changes nothing."""
        if setting and setting.key:
            self.unset.append(setting.key)

    def decide(self, key: str, message: str, example: object = None) -> None:
        """Leave a key to the author."""
        if not any(decision.key == key for decision in self.decisions):
            self.decisions.append(Decision(key, message, example))

    def drop(self, key: str, reason: str) -> None:
        """Take a key out of the recipe again: its value is not one that recipes have."""
        self.values.pop(key)
        self.comments.pop(key, None)
        for setting in self.origins.pop(key, ()):
            self.leave(setting, reason)


def nested(values: Mapping[str, object]) -> dict[str, object]:
    """Give tables from values by dotted keys."""
    tables: dict[str, object] = {}
    for key, value in values.items():
        *path, name = key.split(".")
        table = tables
        for part in path:
            inner = table.setdefault(part, {})
            assert isinstance(inner, dict)  # keys are those of recipes: none is a table and a value
            table = inner
        table[name] = value
    return tables


def _is_value(value: object) -> bool:
    return isinstance(value, bool | int | float | str) or (isinstance(value, list) and all(map(_is_value, value)))


def _in_kind(setting: Setting) -> Setting:
    option = known_options().get(setting.option)
    if not option or option["many"]:
        return setting
    return Setting(setting.key, setting.value, setting.option, as_option(setting.means, option["kind"]))
