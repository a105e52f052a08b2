"""Cut runs short, run them again, and compare with a run that nobody disturbed."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import TimeoutExpired

from tests.faults.world import World, kill

#: what may happen to a file: from the outside, by a bad disk, by a half-done copy
HARMS = ("cut", "flipped", "emptied", "gone", "a folder")
#: seconds of a process's life in which it is killed: it takes about seven to begin a training
_LIFE = 9.0


@dataclass
class Outcome:
    """What was done, and what was lost."""

    counts: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    unhit: list[str] = field(default_factory=list)

    def compare(self, what: str, world: World, wanted: dict[str, str]) -> None:
        self.counts["runs compared"] += 1
        self.lost += [f"{what}: {fault}" for fault in world.faults(wanted)]

    def add(self, other: Outcome) -> None:
        self.counts += other.counts
        self.lost += other.lost
        self.unhit += other.unhit


def points_of(log: Path) -> list[str]:
    """Give the names of the operations of a run, each once, in their order."""
    return list(dict.fromkeys(log.read_text("utf-8").splitlines()))


def kill_at_points(world: World, points: Sequence[str], wanted: dict[str, str]) -> Outcome:
    """Kill a run before each of its operations, one after the other, running it again each time.

    A run that ends without meeting its point has done that already: the point is met by one that begins anew.
    """
    outcome, fresh = Outcome(), world
    for number, point in enumerate(points):
        if (code := _run_to(fresh, point)) == 0:
            outcome.compare(f"before {point}", fresh, wanted)
            fresh = World.made(world.root / f"from-{number}")
            code = _run_to(fresh, point)
        if code == -9:
            outcome.counts["killed at a file operation"] += 1
        else:
            outcome.unhit.append(point)
    _finish("points", fresh, wanted, outcome)
    return outcome


def _run_to(world: World, point: str) -> int:
    return world.run(str(world.root / "points"), point, "0")


def kill_at_times(world: World, kills: int, seed: int, wanted: dict[str, str]) -> Outcome:
    """Kill a run at moments of chance, running it again each time; begin anew when it ends by itself."""
    outcome, dice, part = Outcome(), random.Random(seed), 0
    fresh = world
    while outcome.counts["killed at a moment"] < kills:
        running = fresh.start()
        try:
            code = running.wait(dice.uniform(0.2, _LIFE))
        except TimeoutExpired:
            kill(running)
            outcome.counts["killed at a moment"] += 1
            continue
        if code:
            outcome.lost.append(f"seed {seed}: ended with code {code}: {_last_words(fresh)}")
        outcome.compare(f"seed {seed}, part {part}", fresh, wanted)
        part += 1
        fresh = World.made(world.root / f"part-{part}")
    _finish(f"seed {seed}", fresh, wanted, outcome)
    return outcome


def damage(world: World, files: Iterable[str], wanted: dict[str, str]) -> Outcome:
    """Harm files of a finished run, each in two ways, and run it again each time."""
    outcome = Outcome()
    for at, name in enumerate(files):
        for harm in (HARMS[at % len(HARMS)], HARMS[(at + 2) % len(HARMS)]):
            _harm(_as_it_is_called_now(world.root / name), harm)
            outcome.counts["files damaged"] += 1
            if name.startswith("out/") and world.run() == 2:  # it may be the author's: it is refused, and left alone
                outcome.counts["of which refused until moved"] += 1
                _move(world.root / name)
            _finish(f"{name} {harm}", world, wanted, outcome)
    return outcome


def files_to_damage(world: World) -> list[str]:
    """One file of each kind that a run leaves: of every sort of stage, of the home, of the results."""
    kinds: dict[tuple[str, str], str] = {}
    for folder in ("home", "out"):
        for path in sorted((world.root / folder).rglob("*")):
            name = path.relative_to(world.root).as_posix()
            # what is remembered of images is named after their folder, which a copy has not
            if path.is_file() and not name.endswith(".lock") and "/looks/" not in name:
                place = name.split("/")[2].partition("-")[0] if name.startswith("home/store") else name.split("/")[0]
                stem = path.name if path.suffix in {".json", ".toml"} else path.suffix
                kinds.setdefault((place, stem), name)
    return list(kinds.values())


def set_clock(world: World, wanted: dict[str, str]) -> Outcome:
    """Kill a run, and go on with the clock a day back, then kill it, and go on with the clock a day on."""
    outcome, log = Outcome(), str(world.root / "points")
    for days, seconds in (("0", 12), ("-1", 12), ("1", None)):
        running = world.start(log, "", days)
        try:
            running.wait(seconds)
        except TimeoutExpired:
            kill(running)
        outcome.counts["clocks set"] += days != "0"
    _finish("clock", world, wanted, outcome)
    return outcome


def crowd(world: World, runs: int, wanted: dict[str, str]) -> Outcome:
    """Start runs of one recipe at once: each stage is made by one of them."""
    outcome = Outcome(Counter({"runs at once": runs}))
    codes = [running.wait(900) for running in [world.start() for _ in range(runs)]]
    if any(codes):
        outcome.lost.append(f"{runs} at once: ended with codes {codes}: {_last_words(world)}")
    events = [json.loads(line) for line in (world.root / "events").read_text("utf-8").splitlines()]
    made = Counter(event["key"] for event in events if event["event"] == "finished")
    outcome.lost += [f"{runs} at once: {key} made {times} times" for key, times in made.items() if times > 1]
    outcome.compare(f"{runs} at once", world, wanted)
    return outcome


def _finish(what: str, world: World, wanted: dict[str, str], outcome: Outcome) -> None:
    """Run to the end, and compare."""
    if code := world.run():
        outcome.lost.append(f"{what}: ended with code {code}: {_last_words(world)}")
    outcome.compare(what, world, wanted)


def _as_it_is_called_now(path: Path) -> Path:
    """Find a log whose name holds the time: its training may have been made anew for an earlier harm."""
    folder, _, inner = path.as_posix().partition("/logs/")
    return next(Path(folder).glob("logs/**/*.tfevents.*")) if inner else path


def _harm(path: Path, harm: str) -> None:
    content = path.read_bytes()
    match harm:
        case "cut":
            path.write_bytes(content[: len(content) // 2])
        case "flipped":
            middle = len(content) // 2
            path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
        case "emptied":
            path.write_bytes(b"")
        case _:
            path.unlink()
            if harm == "a folder":
                path.mkdir()


def _move(path: Path) -> None:
    path.rmdir() if path.is_dir() else path.unlink()


def _last_words(world: World) -> str:
    return (world.root / "errors").read_text("utf-8").strip().rpartition("\n")[2]
