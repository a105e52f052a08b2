"""What a recipe names on a hub, fetched."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lorarecipe.errors import data_size
from lorarecipe.hub import Remote
from lorarecipe.plan.delivery import Plan
from lorarecipe.plan.stage import FolderOf, Stage
from lorarecipe.recipe import Recipe


@dataclass(frozen=True)
class FetchStage(Stage):
    """A checkpoint or a part of one: a file, or a Diffusers folder."""

    kind = "fetch"
    remote: Remote

    @property
    def why(self) -> str:
        """What the method needs it for."""
        return f"the recipe names it on a hub; {data_size(self.size)} are fetched once"

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return self.remote.size

    def identity(self) -> dict[str, object]:
        """Digest and name; where it comes from changes nothing."""
        return self.remote.identity

    def file(self, folder_of: FolderOf) -> Path:
        """Path of the file or the folder."""
        return folder_of(self.short) / self.remote.within


def fetches_of(recipes: Iterable[Recipe]) -> list[tuple[Stage, str]]:
    """Give what recipes name on a hub, with titles."""
    remotes = (remote for recipe in recipes for remote in recipe.remotes.values())
    return [(FetchStage(remote), f"{remote.address.name} from {remote.address}") for remote in remotes]


def plan_of_fetches(recipes: Iterable[Recipe]) -> Plan:
    """Plan to fetch what recipes name on a hub: it is done before they are checked with it."""
    recipes = list(recipes)
    titled = fetches_of(recipes)
    titles = {stage.key: title for stage, title in titled}
    stages = {stage.key: stage for stage, _ in titled}
    return Plan(recipes[0].trainer.engine, tuple(stages.values()), titles, ())
