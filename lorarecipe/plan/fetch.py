"""What a recipe names on a hub, fetched."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
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
    is_shared = False
    remote: Remote

    @property
    def why(self) -> str:
        """What the method needs it for."""
        return f"a recipe names it on a hub; its {data_size(self.size)} are fetched once, and proven by their digests"

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return self.remote.size

    @property
    def sum(self) -> list[str]:
        """Where it comes from, and how large it is."""
        return [f"{self.remote.address}, {data_size(self.size)}"]

    def identity(self) -> dict[str, object]:
        """Digest and name; where it comes from changes nothing."""
        return self.remote.identity

    def file(self, folder_of: FolderOf) -> Path:
        """Path of the file or the folder."""
        return folder_of(self.short) / self.remote.within


def fetches_of(recipes: Iterable[Recipe]) -> list[tuple[Stage, str]]:
    """Give what recipes name on a hub, with titles."""
    remotes = (remote for recipe in recipes for remote in recipe.remotes.values())
    return [(FetchStage(remote), f"{remote.address.name} from {_repository(remote)}") for remote in remotes]


def _repository(remote: Remote) -> str:
    """Name the repository without the commit: another file of the same name then counts as a change."""
    return str(replace(remote.address, path="")).partition("@")[0]


def plan_of_fetches(recipes: Iterable[Recipe]) -> Plan:
    """Plan to fetch what recipes name on a hub: it is done before they are checked with it."""
    recipes = list(recipes)
    titled = fetches_of(recipes)
    titles = {stage.key: title for stage, title in titled}
    stages = {stage.key: stage for stage, _ in titled}
    return Plan(recipes[0].trainer.engine, tuple(stages.values()), titles, ())
