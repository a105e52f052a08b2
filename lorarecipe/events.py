"""What a run says while it goes on: one stream, of which the display, the log and the record are folds."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Literal

from lorarecipe.records import Check, Made, Proof, Row, Sitting, Verdict


@dataclass(frozen=True)
class Event:
    """Something that happened; ``key`` is the stage's, ``title`` what it is for."""

    def as_json(self) -> dict[str, object]:
        """Give the event as one JSON object, its name under ``event``."""
        fields = {"event": type(self).__name__.lower(), **asdict(self)}
        # JSON has no NaN: a loss that is none is null
        return {name: None if isinstance(v, float) and not math.isfinite(v) else v for name, v in fields.items()}


@dataclass(frozen=True)
class Reused(Event):
    """A stage was found finished in the store; ``made`` is what was written down when it was made.

    ``source`` is the address of the shared store that it was pulled from; empty where it was on this machine.
    """

    key: str
    title: str
    kind: str
    made: Made
    source: str = ""


@dataclass(frozen=True)
class Waiting(Event):
    """Another process makes this stage, and its result will be used; or it uses the GPU that this stage needs."""

    key: str
    title: str
    kind: str
    gpu: str = ""


@dataclass(frozen=True)
class Started(Event):
    """A stage began; ``why`` says what for, ``command`` is the exact argv, empty where no process is started."""

    key: str
    title: str
    kind: str
    why: str
    command: tuple[str, ...]
    log: str | None


@dataclass(frozen=True)
class Progress(Event):
    """Where a training is; ``loss`` is sd-scripts' running mean, ``seconds_left`` its own estimate."""

    key: str
    step: int
    steps: int
    epoch: int
    epochs: int
    loss: float | None
    seconds_left: float | None


@dataclass(frozen=True)
class Sampled(Event):
    """How many pictures of a stage are drawn."""

    key: str
    done: int
    of: int


@dataclass(frozen=True)
class Fetching(Event):
    """How many bytes of a stage have come from a hub, of how many; or from a shared store, or gone to one."""

    key: str
    done: int
    of: int
    way: Literal["fetching", "pulling", "pushing"] = "fetching"


@dataclass(frozen=True)
class Pulling(Event):
    """A stage that another machine has made begins to come from the shared store, whose address is ``where``."""

    key: str
    title: str
    kind: str
    where: str
    size: int


@dataclass(frozen=True)
class Pushing(Event):
    """A finished stage begins to be sent to the shared store, whose address is ``where``."""

    key: str
    title: str
    kind: str
    where: str
    size: int


@dataclass(frozen=True)
class Pushed(Event):
    """A finished stage is in the shared store."""

    key: str
    title: str
    kind: str
    where: str


@dataclass(frozen=True)
class Unsent(Event):
    """A finished stage could not be sent to the shared store: only this machine has it, and the next run sends it."""

    key: str
    title: str
    kind: str
    message: str


@dataclass(frozen=True)
class Damaged(Event):
    """The shared store's files of a stage are not what they should be: the stage is made here, and sent anew."""

    key: str
    title: str
    kind: str
    message: str


@dataclass(frozen=True)
class Pausing(Event):
    """A training was asked to end after the step that it is at, and why."""

    key: str
    title: str
    kind: str
    why: str


@dataclass(frozen=True)
class Paused(Event):
    """A training ended within; its state is kept, and it goes on after ``step``."""

    key: str
    title: str
    kind: str
    step: int
    steps: int
    sittings: tuple[Sitting, ...] = ()


@dataclass(frozen=True)
class Finished(Event):
    """A stage's result was proven and kept; ``proof`` says what was found.

    ``changed`` are files that it was made from and that changed meanwhile: it is not used by another run. ``sittings``
    say when it was worked at.
    """

    key: str
    title: str
    kind: str
    seconds: float
    proof: Proof
    changed: tuple[str, ...] = ()
    sittings: tuple[Sitting, ...] = ()


@dataclass(frozen=True)
class Failed(Event):
    """A stage ended without a result."""

    key: str
    title: str
    kind: str
    message: str
    log: str | None
    sittings: tuple[Sitting, ...] = ()


@dataclass(frozen=True)
class Skipped(Event):
    """A stage is not made, because no result needs it any more: an earlier stage of each has failed."""

    key: str
    title: str
    kind: str


@dataclass(frozen=True)
class Gated(Event):
    """What a base showed (``of`` is ``base``), or the checkpoint that it was merged into (``merged``).

    What was measured of each picture is in ``passport.json``.
    """

    key: str
    name: str
    of: str
    verdict: Verdict
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class Measured(Event):
    """The leak test of a result: ``rows`` are the means of one arm, epoch and weight each, as in ``leak.json``.

    ``advice`` says which to use; it may be empty.
    """

    name: str
    rows: tuple[Row, ...]
    advice: str


@dataclass(frozen=True)
class Unpicked(Event):
    """The author has to pick pictures, on the page, before the recipe can be finished."""

    name: str
    page: str


@dataclass(frozen=True)
class Delivered(Event):
    """A finished file was put in place."""

    name: str
    path: str
    sha256: str
