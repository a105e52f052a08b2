"""What one run writes down and another command reads: a dataclass for each file, written and read by the same form."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import JsonValue, TypeAdapter

from lorarecipe import __version__
from lorarecipe.files import read_file

Verdict = Literal["pass", "doubtful", "fail"]
#: what was found when a result was proven
Proof = dict[str, int | float | str]
R = TypeVar("R")


@dataclass(frozen=True)
class Made:
    """How a stage was made: ``made.json`` beside its files."""

    command: tuple[str, ...] = ()
    """Words of the process that was started; empty where none was."""
    seconds: float = 0.0
    proof: Proof = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """What a base has to show: in how many pictures it does, and what follows."""

    name: str
    right: int
    of: int
    verdict: Verdict
    note: str = ""


@dataclass(frozen=True)
class GatePicture:
    """What was measured of one picture of a gate, beside what was asked for."""

    path: str
    """Relative to the result's folder."""
    prompt: str
    seed: int
    scene: bool
    """Whether the prompt asks for what the renders do not have."""
    white: float
    """Share of white along the edge, where no figure reaches it."""
    overlap: float
    """What its outline has in common with the nearest render's, from 0 to 1."""
    shading: float
    """Softness of the shading, divided by that of the nearest render."""
    zoom: str | None
    """Zoom tag of the nearest render."""
    hair: tuple[float, float, float] | None
    """L*a*b* of the crown."""
    hair_read: str | None
    """The nearest of the hair colours that the prompts ask for."""


@dataclass(frozen=True)
class Gate:
    """What a base (``of`` is ``base``), or the checkpoint that it was merged into (``merged``), showed."""

    of: Literal["base", "merged"]
    verdict: Verdict
    """The worst of the checks'."""
    checks: tuple[Check, ...]
    pictures: tuple[GatePicture, ...]
    drawn: dict[str, float] = field(default_factory=dict)
    """How the pictures were drawn: the first seed, pictures a prompt, steps, guidance scale."""


@dataclass(frozen=True)
class Shot:
    """One sample, measured; ``path`` is relative to the result's folder."""

    path: str
    arm: str
    """``without`` the LoRA, ``target``, ``refined``, ``control``, or ``base``: the base's own LoRA."""
    epoch: int | None
    """None for the last."""
    weight: float
    prompt: str
    seed: int
    measured: dict[str, float | None]
    """By the key of the measure; None where it makes no sense for this picture."""


@dataclass(frozen=True)
class Row:
    """Means over the pictures of one arm, epoch and weight."""

    arm: str
    epoch: int | None
    weight: float
    pictures: int
    measured: dict[str, float | None]
    """By the key of the measure; None where it makes no sense for any of the pictures."""


@dataclass(frozen=True)
class Point:
    """How a LoRA does in use: an arm, its epoch (None for the last) and its weight."""

    arm: str
    epoch: int | None
    weight: float
    unlike: float
    """How far from the character, as a distance of colours (dE76); less is liker."""
    leak: float
    """What it leaks, where 1 is the most that it may."""
    front: bool
    """Whether it is delivered, and no other beats it in both."""


@dataclass(frozen=True)
class Advice:
    """Which epoch (None for the last) and weight to use, of which arm's LoRA, and why."""

    epoch: int | None
    weight: float
    reason: str
    arm: Literal["refined", "target"] | None = None
    """Which of the two, where both are delivered."""

    @property
    def use(self) -> str:
        """Say what to use."""
        epoch = f"epoch {self.epoch}" if self.epoch else "the last epoch"
        lora = {"refined": "the refined LoRA, ", "target": "the target's LoRA (NAME-target), ", None: ""}[self.arm]
        return f"Use {lora}{epoch} at weight {self.weight:g}"

    def __str__(self) -> str:
        """Say it in a line."""
        return f"{self.use}: {self.reason}"


@dataclass(frozen=True)
class Leak:
    """The leak test of a result; ``of`` are keys of the stages that it is about."""

    of: tuple[str, ...]
    advice: Advice | None
    rows: tuple[Row, ...]
    pictures: tuple[Shot, ...]
    points: tuple[Point, ...] = ()
    """Likeness and leak of each row but those without a LoRA."""
    proven_on: str = "the demo's world only"
    lorarecipe: str = __version__


@dataclass(frozen=True)
class Pick:
    """A drawn picture, and whether it is trained on."""

    name: str
    prompt: str
    times: int
    """How often it stands in the set: none of what is not picked, several where too few are fit."""
    measured: dict[str, float | None]
    """By the key of the measure, or ``hairstyle``."""
    why: str


@dataclass(frozen=True)
class Choice:
    """What was picked by measures."""

    pictures: tuple[Pick, ...]
    lorarecipe: str = __version__


@dataclass(frozen=True)
class Candidate:
    """A drawn picture that may be picked; ``path`` is relative to the result's folder."""

    path: str
    name: str
    prompt: str
    seed: int
    picked: bool
    why: str = ""
    """Why it was picked or not, where measures did it."""


@dataclass(frozen=True)
class Candidates:
    """Pictures to pick from; ``of`` are keys of the stages that it is about."""

    of: tuple[str, ...]
    pictures: tuple[Candidate, ...]
    table: Literal["distill", "refine"] | None = "distill"
    """Table of the recipe that an author's picks go into; None where it takes none."""
    lorarecipe: str = __version__


@dataclass(frozen=True)
class CheckpointUsed:
    """The checkpoint that a base is for."""

    family: str
    file: str
    sha256: str
    clip_skip: int | None
    v_prediction: bool


@dataclass(frozen=True)
class Network:
    """The form of a LoRA; rank and alpha are None where this run did not train it."""

    module: str
    modules: int
    rank: int | None = None
    alpha: float | None = None


@dataclass(frozen=True)
class TrainedBy:
    """What has trained a base."""

    engine: str
    commit: str


@dataclass(frozen=True)
class CastMember:
    """One character of a base."""

    traits: tuple[str, ...]
    images: int
    repeats: int


@dataclass(frozen=True)
class Passport:
    """What a base was made from and what it showed; ``of`` are keys of the stages that it is about.

    Where this run did not train the base, what is known of its training alone is missing.
    """

    name: str
    sha256: str
    key: str
    of: tuple[str, ...]
    checkpoint: CheckpointUsed
    network: Network
    gate: tuple[Gate, ...]
    trainer: TrainedBy | None = None
    training: dict[str, JsonValue] = field(default_factory=dict)
    """The settings, as in a recipe."""
    steps: int | None = None
    cast: tuple[CastMember, ...] = ()
    captions: dict[str, int] = field(default_factory=dict)
    """How many images have each tag."""
    hair_lab: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    """L*a*b* of each hair colour."""
    format: Literal[1] = 1
    lorarecipe: str = __version__


def record_text(record: Made | Gate | Leak | Choice | Candidates | Passport) -> str:
    """Write a record as JSON."""
    return json.dumps(asdict(record), indent=2) + "\n"


def read_record(path: Path, form: type[R]) -> R:
    """Read a record.

    Raises
    ------
    OSError
        When the file cannot be read.
    ValueError
        When it is not of this form.
    """
    try:
        return TypeAdapter(form).validate_json(read_file(path), strict=True)
    except RecursionError as problem:
        raise ValueError("nested too deeply") from problem
