"""A recipe whose parts are all there, from one or two files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lorarecipe.errors import Fault, RecipeError
from lorarecipe.hub import Remote
from lorarecipe.recipe.lines import Lines
from lorarecipe.recipe.model import Base, Checkpoint, Merge, Method, RuleSetting, Trainer
from lorarecipe.recipe.refine import Refine
from lorarecipe.recipe.samples import Control, Deliver, Distill, Samples
from lorarecipe.recipe.target import Target
from lorarecipe.recipe.writing import toml_key, toml_value


@dataclass(frozen=True)
class Recipe:
    """A recipe whose parts are all there: what `load` gives.

    ``base`` is never of the form `from`; ``base_lines`` places the base's keys in the file they came from.
    """

    name: str
    method: Method
    base_name: str
    checkpoint: Checkpoint
    base: Base
    target: Target | None
    merge: Merge
    trainer: Trainer
    samples: Samples | None
    refine: Refine | None
    distill: Distill | None
    deliver: Deliver
    control: Control
    rules: Mapping[str, RuleSetting]
    lines: Lines
    base_lines: Lines
    checkpoint_lines: Lines
    preset: str | None = None
    """Preset of the target's training."""
    base_preset: str | None = None
    """Preset of the base's training, which may come from another file."""
    remotes: Mapping[Path, Remote] = field(default_factory=dict)
    """What a hub will give, by the paths that it will have here."""
    rehearsal: bool = False
    """Whether its settings were made small to try it: what comes of it is no LoRA to use."""

    @property
    def source(self) -> Path:
        """The file that was loaded."""
        return self.lines.path

    @property
    def sets(self) -> tuple[str, ...]:
        """What is put over its text, each ``KEY = VALUE``; of several values of a key, the one that counts."""
        values = {toml_key(one.where): toml_value(one.value) for one in self.lines.overrides}
        return tuple(f"{key} = {value}" for key, value in values.items())

    @property
    def tags(self) -> tuple[str, ...]:
        """Tags that the recipe names for captions, as it writes them: traits, and those allowed or added besides."""
        tables = [table.captions for table in (self.base, self.target) if table and table.captions]
        return (
            *(trait for character in self.base.characters for trait in character.traits),
            *(tag for tags in (self.target.allow if self.target else {}).values() for tag in tags),
            *(tag for table in tables for tag in (*table.tags, *table.words.values())),
        )

    @property
    def prompts(self) -> tuple[str, ...]:
        """All that the recipe asks to be drawn, by whichever table."""
        return (
            *((*self.samples.drawn, self.samples.negative or "") if self.samples else ()),
            *(self.base.gate.prompts or ()),
            *self.base.gate.against,
            *((self.refine.prompts or ()) if self.refine else ()),
            *(self.distill.prompts if self.distill else ()),
        )

    def fault(self, where: tuple[str | int, ...], message: str) -> Fault:
        """Give a fault at a key of the recipe, in whichever file the key stands."""
        lines = {"base": self.base_lines, "checkpoint": self.checkpoint_lines}.get(str(where[0]), self.lines)
        return lines.fault(where, message)

    def error(self, where: tuple[str | int, ...], message: str) -> RecipeError:
        """Give the error of one fault."""
        return RecipeError((self.fault(where, message),))
