"""A checkpoint with the settings that it is used with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lorarecipe.families import FAMILIES, Family
from lorarecipe.plan.stage import Source


@dataclass(frozen=True)
class Model:
    """A checkpoint of a family.

    ``components`` are its files by their names in ``Family.COMPONENTS``, without those that the recipe leaves out.
    """

    family: str
    components: Mapping[str, Source]
    clip_skip: int | None = None
    v_prediction: bool = False

    @property
    def traits(self) -> Family:
        """What the family says of itself."""
        return FAMILIES[self.family]

    @property
    def main(self) -> Source:
        """The component that a LoRA is merged into."""
        return self.components[self.traits.COMPONENTS[0]]

    def sources(self, *, merged: bool) -> tuple[Source, ...]:
        """All components, but for the main one where a stage reads a ``merged`` checkpoint in its place."""
        return tuple(source for source in self.components.values() if not merged or source != self.main)

    def identity(self) -> dict[str, object]:
        """Everything that changes what is trained on it or drawn with it; settings that are unset are left out."""
        components = {name: source.sha256 for name, source in self.components.items()}
        settings = {"clip_skip": self.clip_skip, "v_prediction": self.v_prediction or None}
        return {"family": self.family, "components": components} | {
            name: value for name, value in settings.items() if value is not None
        }
