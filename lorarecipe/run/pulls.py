"""What a run will pull from the shared store, asked before it begins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lorarecipe.errors import MachineNotReady, NetworkFailed
from lorarecipe.plan import Plan, Stage
from lorarecipe.shared import shared_store
from lorarecipe.store import Store

#: seconds without an answer after which a plan does without it
_PATIENCE = 10.0


@dataclass(frozen=True)
class Pulls:
    """Stages that the shared store has and this machine lacks, as far as that is known."""

    address: str = ""
    """Of the shared store; empty where none is named, or where what is named is no address."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Bytes of these stages, by their names."""
    problem: str = ""
    """Why it is not known what the shared store has."""

    @property
    def warning(self) -> str:
        """Say what is not known, and why; nothing where all is known."""
        if not self.problem:
            return ""
        return f"which stages the shared store has is not known, and the plan counts none of them: {self.problem}"

    def to_make(self, stages: Iterable[Stage]) -> list[Stage]:
        """Leave out the stages that are pulled."""
        return [stage for stage in stages if stage.short not in self.sizes]


def pulls_of(plan: Plan, store: Store) -> Pulls:
    """Ask the shared store that ``LORARECIPE_STORE`` names, all at once, for the stages of a plan that are not here.

    It writes nothing and never fails: where the shared store cannot be asked, ``problem`` says why.
    """
    address = ""
    try:
        shared = shared_store()
        if not shared:
            return Pulls()
        address = str(shared.address)
        missing = [stage.short for stage in plan.stages if stage.is_shared and not store.find(stage.short)]
        found = shared.having(missing, _PATIENCE)
    except (MachineNotReady, NetworkFailed, OSError) as problem:
        return Pulls(address, problem=str(problem))
    return Pulls(address, {name: found[name].size for name in missing if name in found})
