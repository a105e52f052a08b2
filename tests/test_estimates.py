from __future__ import annotations

import json
import platform
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from lorarecipe.dataset import scan
from lorarecipe.errors import TrainingFailed
from lorarecipe.estimates import Past, advice_of, memory_of, savings_of, shortest, times_of
from lorarecipe.estimates.memory import OPTIMIZER_BYTES
from lorarecipe.files import home
from lorarecipe.plan import LORA, Model, Plan, Source, TrainStage, compile_plan
from lorarecipe.recipe import load
from lorarecipe.rules import check
from lorarecipe.run import Arguments, Here, begin_run, execute, noted
from lorarecipe.run.earlier import past_stages
from lorarecipe.run.forecast import Forecast, forecast
from lorarecipe.run.pulls import Pulls
from lorarecipe.store import Store
from lorarecipe.trainer import Installation
from lorarecipe.trainer.diagnosis import explain
from lorarecipe.weights import Weights
from tests.test_cli import _call

Edit = Callable[[str, str], Path]


def _plan(folder: Path) -> Plan:
    return compile_plan([check(scan(load(folder / "recipe.toml")))])


def _base(folder: Path, family: str = "sd15", **training: object) -> TrainStage:
    """Give the base's training, on a checkpoint of full size that is still to be fetched."""
    stage = next(stage for stage in _plan(folder).stages if isinstance(stage, TrainStage))
    model = Model(family, {"path": Source(Path("whole.safetensors"), "0" * 64, coming=1)})
    return replace(stage, model=model, training=stage.training.model_copy(update=training))


def test_memory_by_hand(folder: Path) -> None:
    stage = _base(folder)
    pixels = max(bucket.width * bucket.height for bucket in stage.steps.buckets)
    memory = memory_of(stage)
    assert memory.weights == 4 * (859_520_964 + 123_060_480)
    assert memory.trained == 4 * (423_936 + 165_888) * (4 + 4 + 8)  # rank 4; itself, gradients, two moments
    assert memory.activations == pixels * 7063 + 40_021_536
    assert memory.least == memory.weights + memory.trained + memory.activations
    assert memory.most == round(1.25 * memory.least) + 1_000_000_000


def test_sdxl_at_its_smallest_is_what_its_trainer_says(folder: Path) -> None:
    """Its manual says 8 GB, and 10 GB recommended."""
    options: dict[str, object] = {"cache_text_encoder_outputs": True}
    settings: dict[str, object] = {"rank": 8, "optimizer": "AdamW8bit", "precision": "bf16", "extra": options}
    shape: dict[str, object] = {"resolution": (1024, 1024), "buckets": None, "text_encoder_lr": None}
    memory = memory_of(_base(folder, "sdxl", gradient_checkpointing=True, **settings, **shape))
    assert memory.activations == 1024 * 1024 * 843
    assert memory.most is not None
    assert memory.least < 8e9 < memory.most < 10e9


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    family=st.sampled_from(["sd15", "sd2", "sdxl"]),
    batch=st.integers(1, 16),
    rank=st.integers(1, 128),
    optimizer=st.sampled_from(sorted(OPTIMIZER_BYTES)),
    precision=st.sampled_from(["no", "fp16", "bf16"]),
    checkpointing=st.booleans(),
)
def test_more_is_never_less(
    whole: TrainStage, family: str, batch: int, rank: int, optimizer: str, precision: str, checkpointing: bool
) -> None:
    settings = {"optimizer": optimizer, "precision": precision, "gradient_checkpointing": checkpointing}
    model = replace(whole.model, family=family)

    def least(**more: object) -> int:
        update = {"batch_size": batch, "rank": rank, **settings, **more}
        return memory_of(replace(whole, model=model, training=whole.training.model_copy(update=update))).least

    assert least() < least(batch_size=batch + 1)
    assert least() < least(rank=rank + 1)
    assert least(gradient_checkpointing=True) < least(gradient_checkpointing=False)
    assert least(optimizer="AdamW8bit") < least(optimizer="AdamW")
    assert least(precision="bf16") < least(precision="no")
    stage = replace(whole, model=model, training=whole.training.model_copy(update={"batch_size": batch, **settings}))
    needs = [memory_of(stage).least, *(saving.memory.least for saving in savings_of(stage))]
    assert needs == sorted(needs, reverse=True)


@pytest.fixture
def whole(folder: Path) -> TrainStage:
    return _base(folder)


def test_a_small_model_has_no_activations(folder: Path) -> None:
    stage = next(stage for stage in _plan(folder).stages if isinstance(stage, TrainStage))
    memory = memory_of(stage)
    assert (memory.activations, memory.most) == (None, None)
    # proj_in, to_q, to_out, ff and conv, norm; then the text encoder's two
    assert memory.weights == 4 * (64 + 64 + 64 + 128 + 576 + 8 + 64 + 128)
    assert memory.trained == 4 * stage.lora_size


def test_what_to_set(folder: Path) -> None:
    stage = _base(folder, "sdxl", batch_size=4, text_encoder_lr=None)
    assert advice_of(stage) == (
        "set gradient_checkpointing = true, then batch_size = 1, then extra = { cache_text_encoder_outputs = true }, "
        'then precision = "bf16", then optimizer = "AdamW8bit", then a smaller resolution'
    )
    target = replace(_base(folder, gradient_checkpointing=True, precision="bf16"), role="target")
    assert advice_of(target) == "set a smaller resolution"
    loaded = _base(folder, "sdxl", text_encoder_lr=None, extra={"shuffle_caption": True})
    assert "cache_text_encoder_outputs" not in advice_of(loaded)


@pytest.mark.parametrize(
    ("log", "code", "hint"),
    [
        ("torch.OutOfMemoryError: HIP out of memory. Tried", 1, "the GPU's memory is full"),
        ("RuntimeError: MPS backend out of memory (MPS allocated: 8 GB)", 1, "the GPU's memory is full"),
        ("RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling", 1, "the GPU's memory is full"),
        ("OSError: [Errno 12] Cannot allocate memory", 1, "the machine's memory is full"),
        ("", -9, "the operating system ended it, as it does when the machine's memory is full"),
    ],
)
def test_out_of_memory(log: str, code: int, hint: str) -> None:
    told = explain(log, code, Path("x"), "set batch_size = 1")
    assert f"Hint: {hint}: close other programs" in told
    assert "or set batch_size = 1" in told


def test_a_training_that_ends_for_lack_of_memory(
    folder: Path, fake_trainer: Installation, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_TRAINER", "fail")
    with pytest.raises(TrainingFailed) as failed:
        _ran(folder, fake_trainer, store)
    hint = "the GPU's memory is full: close other programs that use it, or set gradient_checkpointing = true, then "
    assert hint in str(failed.value)


def test_shortest() -> None:
    graph = {"a": [], "b": ["a"], "c": ["a"]}
    alone = {"a": 10.0, "b": 20.0, "c": 30.0}
    assert [shortest(graph, alone, graph, jobs) for jobs in (1, 2, 9)] == [60.0, 40.0, 40.0]
    assert shortest([], {}, {}) == 0.0


def _ran(folder: Path, trainer: Installation, store: Store) -> str:
    plan = _plan(folder)
    run = begin_run(home() / "runs", plan, Arguments(recipes=["recipe.toml"], out="out"))
    for _ in noted(execute(plan, Here(trainer, store), folder / "out"), run):
        pass
    return run.name


def _forecast(folder: Path, store: Store, **options: float | int | None) -> Forecast:
    speed, gpu = options.get("speed"), options.get("gpu")
    return forecast(
        _plan(folder),
        store,
        home() / "runs",
        folder / "out",
        speed=speed,
        jobs=1,
        gpu=int(gpu) if gpu else None,
        pulls=Pulls(),
    )


def test_time_from_an_earlier_run(folder: Path, fake_trainer: Installation, store: Store, edit: Edit) -> None:
    name = _ran(folder, fake_trainer, store)
    assert _forecast(folder, store).memories == {}  # nothing is left to be made
    trained = [past for past in past_stages(home() / "runs") if past.kind == "train"]
    edit("epochs = 1", "epochs = 3")
    found = _forecast(folder, store)
    [timing] = found.timings.values()
    [target] = [stage for stage in _plan(folder).stages if stage.key in found.timings and isinstance(stage, TrainStage)]
    pace = trained[-1].seconds / trained[-1].units
    assert timing.seconds == pytest.approx(target.steps.total * pace)
    assert timing.basis.endswith(f"as in run {name}")
    assert found.untimed == []
    edit("epochs = 3", "epochs = 300")
    assert [stage.kind for stage in _forecast(folder, store).untimed] == ["train"]  # too few steps to tell
    edit("epochs = 300", "epochs = 3")
    edit("epochs = 3\nresolution = 128", "epochs = 3\nresolution = 192")
    assert [stage.kind for stage in _forecast(folder, store).untimed] == ["train"]
    edit("rank = 2\nalpha = 2", "rank = 8\nalpha = 2")
    assert _forecast(folder, store, speed=2.0).untimed == []


def test_the_ledger_is_read_until_all_is_found(folder: Path) -> None:
    plan, read = _plan(folder), list[int]()
    stages = [stage for stage in plan.stages if stage.kind in {"train", "merge"}]

    def past() -> Iterator[Past]:
        for number in range(1, 9):
            read.append(number)
            stage = stages[number % len(stages)]
            yield Past(str(number), plan.engine, stage.kind, stage.identity(), False, number, 4)

    found = times_of(stages, plan.engine, past())
    assert read == [1, 2, 3]
    assert sorted(timing.basis.partition("as in ")[2] for timing in found.values()) == ["run 1", "run 2", "run 3"]
    assert times_of(stages, "another trainer", past()) == {}
    assert read == [1, 2, 3, *range(1, 9)]
    assert times_of([stage for stage in plan.stages if stage.kind == "data"], plan.engine, past()) == {}
    assert len(read) == 11


def test_what_another_machine_made_gives_no_time(
    folder: Path, fake_trainer: Installation, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    _ran(folder, fake_trainer, store)
    assert list(past_stages(home() / "runs"))
    monkeypatch.setattr(platform, "platform", lambda: "another one")
    assert not list(past_stages(home() / "runs"))


def test_the_trained_numbers_are_those_of_the_lora(folder: Path, fake_trainer: Installation, store: Store) -> None:
    _ran(folder, fake_trainer, store)
    for stage in (stage for stage in _plan(folder).stages if isinstance(stage, TrainStage)):
        lora = Weights(store.path(stage.short) / LORA)
        values = sum(lora.read(name).size for name in lora.names if not name.endswith(".alpha"))
        assert memory_of(stage).trained == values * (4 + 4 + 8)


def test_a_gpu_that_is_too_small(folder: Path, store: Store) -> None:
    assert _forecast(folder, store, gpu=10**9).warnings == []
    base, target = _forecast(folder, store, gpu=5_000).warnings
    assert base.startswith("base aoi will not fit into 0.0 MB of GPU memory; set gradient_checkpointing = true (then ")
    assert base.endswith("then a smaller resolution")
    assert "AdamW8bit" in base
    assert "AdamW8bit" not in target


def test_plan_says_what_a_run_will_take(folder: Path, snapshot: SnapshotAssertion) -> None:
    code, out, err = _call(folder, "plan", "recipe.toml", "--speed", "0.01", "--jobs", "2", "--gpu", "0.000005")
    assert (code, out[out.index("estimates (") :], err) == snapshot


def test_plan_as_json(folder: Path) -> None:
    _, out, _ = _call(folder, "plan", "recipe.toml", "--json", "--speed", "0.5")
    told = json.loads(out)["estimates"]
    names = [stage["name"] for stage in json.loads(out)["stages"] if stage["kind"] == "train"]
    assert [one["name"] for one in told["times"]] == [one["name"] for one in told["memory"]] == names
    assert told["seconds"] == sum(one["seconds"] for one in told["times"])
    assert all(disk["free"] >= disk["needed"] > 0 for disk in told["disk"])
