"""What is added from outside: a family, an engine, a rule and a kind of stage, each one module and one line in a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import pytest

from lorarecipe.dataset import Dataset, scan
from lorarecipe.engines import ENGINES, sd_scripts
from lorarecipe.events import Event, Finished, Reused
from lorarecipe.families import FAMILIES, sd15
from lorarecipe.plan import Plan, Stage, TrainStage, compile_plan
from lorarecipe.recipe import Training, load
from lorarecipe.recipe.arguments import Argument, options_of
from lorarecipe.records import Proof
from lorarecipe.rules import RULES, Finding, check
from lorarecipe.run import Here, execute
from lorarecipe.run.makers import MAKERS, Attempt, Start
from lorarecipe.store import Store
from lorarecipe.trainer import Installation, train_command


def _like(module: object, **other: object) -> Any:
    """Give a module of the same form, with some of its names changed."""
    return SimpleNamespace(**{name: getattr(module, name) for name in dir(module) if not name.startswith("_")} | other)


def test_a_family(folder: Path, fake_trainer: Installation, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAMILIES, "sd1-tiny", _like(sd15, NAME="sd1-tiny", TRAIN_ARGUMENTS={"v2": False}))
    monkeypatch.setattr(sd_scripts, "FAMILIES", (*sd_scripts.FAMILIES, "sd1-tiny"))
    recipe = folder / "recipe.toml"
    recipe.write_text(recipe.read_text("utf-8").replace('"sd15"', '"sd1-tiny"'), encoding="utf-8")
    checked = check(scan(load(recipe)))
    assert not checked.errors
    events = list(execute(compile_plan([checked]), Here(fake_trainer, store), folder / "out"))
    assert [event.title for event in events if isinstance(event, Finished)][-1] == "target aoi"


def test_an_engine(folder: Path, fake_trainer: Installation, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENGINES, "another", _like(sd_scripts, NAME="another", version=lambda: "another-1"))
    recipe = folder / "recipe.toml"
    recipe.write_text(recipe.read_text("utf-8") + '\n[trainer]\nengine = "another"\n', encoding="utf-8")
    plan = compile_plan([check(scan(load(recipe)))])
    assert plan.engine == "another"
    assert {stage.commit for stage in plan.stages if isinstance(stage, TrainStage)} == {"another-1"}
    assert list(execute(plan, Here(fake_trainer, store), folder / "out"))


def test_a_rule(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_recipe(dataset: Dataset) -> Iterator[Finding]:
        yield Finding(dataset.recipe.source, 1, 1, "found a recipe")

    monkeypatch.setitem(RULES, "ZZZ001", SimpleNamespace(__doc__="A recipe.", SEVERITY="warning", check=no_recipe))
    assert [finding.code for finding in check(scan(load(folder / "recipe.toml"))).findings].count("ZZZ001") == 1


class _Training(Training):
    """A training with one more option: one annotated field."""

    max_grad_norm: Annotated[float | None, Argument("max_grad_norm")] = None


def test_an_option_of_a_training(folder: Path, fake_trainer: Installation, store: Store) -> None:
    plan = compile_plan([check(scan(load(folder / "recipe.toml")))])
    [*_, stage] = [stage for stage in plan.stages if isinstance(stage, TrainStage)]
    same, other = (
        replace(stage, training=_Training(**stage.training.model_dump(), max_grad_norm=norm)) for norm in (None, 0.5)
    )
    assert same.key == stage.key != other.key
    command = train_command(other, fake_trainer, store)
    assert "--max_grad_norm=0.5" in command.argv
    assert options_of(_Training)["max_grad_norm"] == "max_grad_norm"


@dataclass(frozen=True)
class NoteStage(Stage):
    """A line of text."""

    kind = "note"
    text: str

    @property
    def why(self) -> str:
        """Say what for."""
        return "a test writes it"

    def identity(self) -> dict[str, object]:
        """Give the text."""
        return {"text": self.text}


class _Notes:
    """Writes notes."""

    def prepare(self, stage: NoteStage, trainer: Installation, store: Store) -> Start:
        return Start()

    def make(self, stage: NoteStage, attempt: Attempt) -> Iterator[Event]:
        (attempt.folder / "note.txt").write_text(stage.text, encoding="utf-8")
        yield from ()

    def prove(self, stage: NoteStage, attempt: Attempt) -> Proof:
        assert (attempt.folder / "note.txt").read_text("utf-8") == stage.text
        return {"letters": len(stage.text)}


def test_a_kind_of_stage(
    fake_trainer: Installation, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MAKERS, "note", _Notes())
    stage = NoteStage("hello")
    plan = Plan("sd-scripts", (stage,), {stage.key: "a note"}, ())
    [_, finished] = execute(plan, Here(fake_trainer, store), tmp_path)
    assert isinstance(finished, Finished)
    assert finished.proof == {"letters": 5}
    assert (store.path(stage.short) / "note.txt").read_text("utf-8") == "hello"
    [reused] = execute(plan, Here(fake_trainer, store), tmp_path)
    assert isinstance(reused, Reused)
