from __future__ import annotations

from pathlib import Path

from lorarecipe.dataset import scan
from lorarecipe.plan import LORA, MergeStage, TrainStage, compile_plan
from lorarecipe.recipe import load
from lorarecipe.rules import check
from lorarecipe.run import Here, execute
from lorarecipe.store import Store
from lorarecipe.trainer import Installation
from lorarecipe.weights import Weights


def test_a_lora_is_as_large_as_was_thought(folder: Path, fake_trainer: Installation, store: Store) -> None:
    """But for its alphas, and with states, of which three may lie there at once."""
    plan = compile_plan([check(scan(load(folder / "recipe.toml")))])
    for _ in execute(plan, Here(fake_trainer, store), folder / "out"):
        pass
    trainings = [stage for stage in plan.stages if isinstance(stage, TrainStage)]
    for stage in trainings:
        lora = Weights(store.path(stage.short) / LORA)
        size = sum(lora.read(name).nbytes for name in lora.names if not name.endswith(".alpha"))
        assert stage.state_size == 4 * size
        assert stage.size == (2 if stage.training.save_every_epochs else 1) * size
    [merge] = [stage for stage in plan.stages if isinstance(stage, MergeStage)]
    assert merge.size == (folder / "checkpoint.safetensors").stat().st_size
