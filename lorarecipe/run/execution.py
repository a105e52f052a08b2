"""Execute a plan: what is in the store is reused, the rest is made, proven and kept. Yields events."""

from __future__ import annotations

from collections.abc import Container, Generator, Iterator, Mapping, Sequence
from pathlib import Path

from lorarecipe import signals
from lorarecipe.errors import CheckFailed, Interrupted, LorarecipeError, MachineNotReady, NetworkFailed, TrainingFailed
from lorarecipe.events import Delivered, Event, Finished, Gated, Measured, Skipped, Unpicked, Unsent
from lorarecipe.files import file_digest, home, write_atomic
from lorarecipe.plan import Delivery, GateStage, LeakStage, Plan, Stage
from lorarecipe.records import record_text
from lorarecipe.run.baking import bake
from lorarecipe.run.deliver import REPORT, deliver, refuse_what_is_not_ours
from lorarecipe.run.measured import LEAK, gate_in, leak_in
from lorarecipe.run.passport import write_passport
from lorarecipe.run.pictures import CANDIDATES, deliver_candidates, deliver_gate
from lorarecipe.run.room import require_room, require_writable
from lorarecipe.run.schedule import Schedule
from lorarecipe.run.sharing import Sharing, with_shared_store
from lorarecipe.run.slots import slots_of
from lorarecipe.run.workers import Here, Worker
from lorarecipe.store import Store
from lorarecipe.trainer import find_trainer


def execute(
    plan: Plan, workers: Worker | Sequence[Worker] | None = None, out: Path = Path("out")
) -> Generator[Event, None, None]:
    """Run a plan from its first missing stage on, and put the results into ``out``.

    A stage that fails ends the results that need it; the others are made all the same. Several workers make stages side
    by side, as far as these do not need each other. What ends the run then begins nothing new, and what is under way
    goes on to its end; a signal has every training pause, and a second one stops all of them at once.

    Parameters
    ----------
    plan
        What to do.
    workers
        Who makes the stages, one or several; left out, this machine, one stage after the other, with the trainer that
        ``lorarecipe setup`` has installed and the user's own store, in ``LORARECIPE_HOME``, and with the shared store
        that ``LORARECIPE_STORE`` names, if any.
    out
        Folder of the results: each goes into a folder of its name.

    Yields
    ------
    Event
        What happens, as it happens.

    Raises
    ------
    MachineNotReady
        Before anything starts, when the trainer lacks something that a missing stage needs, or the disk is full. Later,
        when the disk has no room for another state, and at the end when a leak test lacks what it needs.
    TrainingFailed
        When a stage ends badly or its result does not prove good; finished stages are kept. ``ResultsFailed``, with
        what became of each result, where others did not need it.
    Interrupted
        When a signal has paused a training.
    CheckFailed
        Before anything starts, when the trainer refuses the arguments of an optimizer. At the end, when a file
        changed while a stage was made from it.
    NetworkFailed
        Before anything starts, when the shared store cannot be reached or written; later, when a stage that it has does
        not come. ``NotSent`` at the end, when a stage that was made could not be sent.
    """
    if workers is None:
        workers = with_shared_store([Here(find_trainer(plan.engine), Store(home() / "store"))])
    workers = workers if isinstance(workers, Sequence) else [workers]
    store = workers[0].store
    _require(plan, workers, out)
    changed: dict[str, tuple[str, ...]] = {}
    failures: dict[str, LorarecipeError] = {}
    unmeasured: dict[str, LorarecipeError] = {}
    unsent: dict[str, str] = {}
    ending: Exception | None = None
    schedule = Schedule(plan)
    with slots_of(workers) as slots:
        while True:
            while not ending and (stage := schedule.take(slots.takes)):
                needed_by = plan.needed_by(stage)
                if needed_by and all(delivery.name in failures for delivery in needed_by):
                    yield Skipped(key=stage.key, title=plan.title(stage), kind=stage.kind)
                    schedule.done(stage)
                else:
                    slots.start(stage, plan.title(stage), changed)
            if not slots.busy:
                break
            said = slots.next()
            if isinstance(said, Event):
                yield said
                if isinstance(said, Finished) and said.changed:
                    changed[said.key] = said.changed
                if isinstance(said, Unsent):
                    unsent[said.title] = said.message
                continue
            stage, needed_by = said.stage, plan.needed_by(said.stage)
            try:
                if said.problem:
                    raise said.problem
                yield from _gated(stage, needed_by, store, out)
            except (TrainingFailed, CheckFailed, MachineNotReady) as problem:
                ended: Sequence[Delivery] = needed_by
                if isinstance(stage, LeakStage):  # what it measures is finished all the same
                    unmeasured[stage.key], ended = problem, ()
                elif isinstance(problem, MachineNotReady):
                    ending = ending or problem
                elif isinstance(problem, _GateFailed):
                    ended = problem.deliveries
                failures |= {delivery.name: problem for delivery in ended if delivery.name not in failures}
                if len(failures) == len(plan.deliveries) and len({*map(id, failures.values())}) <= 1:
                    ending = ending or problem
            except Exception as problem:  # a signal, the disk, or a bug: what is under way comes to its own end
                ending = ending or problem
            if signum := signals.asked():  # it came too late to pause the training
                ending = ending or Interrupted(signum)
            schedule.done(stage)
    if ending:
        raise ending
    for delivery in plan.deliveries:
        if delivery.name not in failures:
            yield from _delivered(delivery, store, out, unmeasured)
    _report_failures(plan, failures, unmeasured, changed, unsent)


def _report_failures(
    plan: Plan,
    failures: Mapping[str, LorarecipeError],
    unmeasured: Mapping[str, LorarecipeError],
    changed: Mapping[str, tuple[str, ...]],
    unsent: Mapping[str, str],
) -> None:
    """Raise what went wrong in a run that has come to its end."""
    files = ", ".join(sorted({file for those in changed.values() for file in those}))
    note = f"{files}: changed while it was used; the result is kept, and made anew by the same command"
    if failures:
        made = [one.name for one in plan.deliveries if one.name not in failures]
        notes = ([note] if files else []) + ([str(NotSent(unsent))] if unsent else [])
        raise ResultsFailed(failures, made, notes)
    if unmeasured:
        raise next(iter(unmeasured.values()))
    if files:
        raise CheckFailed(note)
    if unsent:
        raise NotSent(unsent)


class ResultsFailed(TrainingFailed):
    """Some results of a run could not be made, and the others were."""

    def __init__(self, failures: Mapping[str, LorarecipeError], made: Sequence[str], notes: Sequence[str] = ()) -> None:
        lines = [f"{name}: made" for name in made]
        lines += [f"{name}: not made: {problem}" for name, problem in failures.items()]
        super().__init__("\n".join([*lines, *notes]))


class NotSent(NetworkFailed):
    """Everything was made, and some stages could not be sent to the shared store."""

    def __init__(self, unsent: Mapping[str, str]) -> None:
        lines = [f"{title}: not sent: {message}" for title, message in unsent.items()]
        last = "what was made is kept on this machine; run the same again: it sends what the shared store lacks"
        super().__init__("\n".join([*lines, last]))


class _GateFailed(TrainingFailed):
    """A base fails its gate, and some recipes have ``mode = "stop"``: their targets are not trained."""

    def __init__(self, message: str, deliveries: Sequence[Delivery]) -> None:
        super().__init__(message)
        self.deliveries = deliveries


def _require(plan: Plan, workers: Sequence[Worker], out: Path) -> None:
    """Look before anything starts whether the run can be made, and its results can be written."""
    for delivery in plan.deliveries:
        require_writable(out / delivery.name)
        refuse_what_is_not_ours(delivery, out)
    first, store = workers[0], workers[0].store
    missing = [stage for stage in plan.stages if not store.find(stage.short)]
    first.require(missing, plan.titles)
    require_room(plan, missing, store, out, first.sizes if isinstance(first, Sharing) else {})


def _gated(stage: Stage, needed_by: Sequence[Delivery], store: Store, out: Path) -> Iterator[Event]:
    """Give the verdict on a base; a target is not trained on one that fails, where a recipe says so."""
    if not isinstance(stage, GateStage):
        return
    gate, base = gate_in(store.path(stage.short)), needed_by[0].recipe.base_name
    yield Gated(stage.key, base, gate.of, gate.verdict, gate.checks)
    stopped = [delivery for delivery in needed_by if delivery.recipe.base.gate.mode == "stop"]
    if gate.verdict == "fail" and stopped:
        # beside an earlier LoRA, the passport stays that of its own base
        for delivery in (one for one in stopped if not (out / one.name / f"{one.name}.safetensors").exists()):
            write_passport(delivery, store, out)
            deliver_gate(delivery, store, out / delivery.name)
        raise _GateFailed(
            f"base {base}: it fails its gate, and [base.gate] mode is stop; no target was trained\n"
            "Train the base for more steps, or on more characters that differ more from each other, and run again.\n"
            f"Its pictures are in {store.path(stage.pictures.short)}",
            stopped,
        )


def _delivered(delivery: Delivery, store: Store, out: Path, unmeasured: Container[str]) -> Iterator[Event]:
    """Put a result in place, with what was measured of it."""
    if delivery.candidates:
        path = out / delivery.name / CANDIDATES
        yield Delivered(delivery.name, str(path), deliver_candidates(delivery.candidates, delivery, store, path))
    if not delivery.picked:
        yield Unpicked(delivery.name, str(out / delivery.name / REPORT))
    if not delivery.loras:
        return
    leaks = leak_in(store.path(delivery.leak.short)) if delivery.leak and delivery.leak.key not in unmeasured else None
    leaks = leaks.without_advice if leaks and delivery.recipe.rehearsal else leaks
    for path, digest in deliver(delivery, store, out, leaks):
        yield Delivered(delivery.name, str(path), digest)
    if delivery.gate:
        path = write_passport(delivery, store, out)
        yield Delivered(delivery.name, str(path), file_digest(path))
    if leaks:
        path = out / delivery.name / LEAK
        write_atomic(path, record_text(leaks))
        yield Delivered(delivery.name, str(path), file_digest(path))
        yield Measured(delivery.name, leaks.rows, str(leaks.advice or ""))
    weight = delivery.recipe.deliver.weight
    if weight is not None and delivery.picked and (weight != "advised" or (leaks and leaks.advice)):
        baked = bake(out / delivery.name, None if weight == "advised" else weight)
        yield Delivered(delivery.name, str(baked.path), file_digest(baked.path))
