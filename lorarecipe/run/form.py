"""The form of a run's record: what is written into the ledger, and read again."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel

from lorarecipe.engines import ENGINES
from lorarecipe.recipe import Setting
from lorarecipe.recipe.naming import narrowed
from lorarecipe.records import Proof, Sitting


class FileRecord(BaseModel):
    """A file, and its SHA-256."""

    path: str
    sha256: str


class RecipeRecord(FileRecord):
    """A recipe as it was read."""

    text: str


class StageRecord(BaseModel):
    """What became of a stage."""

    key: str
    title: str
    kind: str
    outcome: str
    """``started``, ``made``, ``reused``, ``paused``, ``failed`` or ``not made``."""
    source: str = ""
    """Address of the shared store that it was pulled from; empty where it was on this machine, or was made here."""
    command: list[str] = []
    seconds: float = 0.0
    """Of the last sitting."""
    sittings: list[Sitting] = []
    """When it was worked at, in this run or in an earlier one; none where that was not written down."""
    proof: Proof = {}
    steps: int | None = None
    """How far a training is."""
    loss: float | None = None
    """The trainer's running mean; None where it is no number."""
    changed: list[str] = []
    """Files that it was made from and that changed meanwhile."""
    message: str = ""


class Identity(BaseModel, extra="allow"):
    """What a stage's key was made from."""

    groups: list[list[tuple[str, str]]] = []
    """Digest and caption of each image, folder by folder."""
    renders: str | None = None
    """Key of the images that pictures are compared with."""


class PlannedStage(BaseModel):
    """A stage as it was planned."""

    key: str
    name: str
    """Of its folder in the store."""
    title: str
    identity: Identity
    paths: list[list[str]] = []
    """Where its images were, folder by folder."""
    sum: list[str] = []
    """How its steps come about."""

    @property
    def kind(self) -> str:
        """Kind of the stage."""
        return self.name.partition("-")[0]


class Arguments(BaseModel):
    """What the command was asked for."""

    recipes: list[str]
    out: str
    allow: list[str] = []
    rehearse: bool = False
    sets: list[str] = []
    """Each ``KEY=VALUE``, as it was written."""
    sweeps: list[str] = []
    """Each ``KEY=V1,V2``, as it was written."""
    characters: str | None = None
    """A table of characters."""
    only: list[str] = []
    """Names of the results that were meant; all of them where it is empty."""


def _a_result(name: str) -> str:
    if not name or narrowed(name) != name:
        raise ValueError(f"found {name!r}, expected the name of a result")
    return name


#: a result names files: another name in an edited record could lead elsewhere
_Name = Annotated[str, AfterValidator(_a_result)]


def _known_engine(name: str) -> str:
    if name not in ENGINES:
        raise ValueError(f"found {name!r}, expected one of {', '.join(ENGINES)}")
    return name


class RunRecord(BaseModel):
    """A run: what was asked for, by which versions, of which recipes, in which stages, and how it ended."""

    format: Literal[1] = 1
    state: str = "running"
    began: str
    ended: str = ""
    message: str = ""
    engine: Annotated[str, AfterValidator(_known_engine)] = "sd-scripts"
    arguments: Arguments
    versions: dict[str, str]
    recipes: list[RecipeRecord]
    results: list[_Name] = []
    findings: list[str] = []
    settings: dict[_Name, list[Setting]] = {}
    """Of each result's recipe, as the run uses them."""
    hub: dict[str, str] = {}
    """Addresses on a hub, at a commit, by the paths of what was fetched from there."""
    sets: dict[_Name, list[str]] = {}
    """What was put over the text of each result's recipe: ``KEY = VALUE``."""
    plan: list[PlannedStage]
    stages: list[StageRecord] = []
    files: dict[_Name, list[FileRecord]] = {}


class ResultRecord(BaseModel):
    """What lies beside a result: which run made it, from what, in which stages."""

    format: Literal[1] = 1
    rehearsal: bool = False
    """Whether it was tried in miniature: its LoRA is not for use."""
    lorarecipe: str
    python: str
    platform: str
    recipe: str
    sets: list[str] = []
    """What was put over the recipe's text: ``KEY = VALUE``."""
    key: str
    allowed: list[str]
    """Rules whose errors were let pass."""
    began: str
    ended: str
    files: list[FileRecord]
    names: list[str]
    """All files that a later run may remove when it no longer wants them, relative to the result's folder."""
    stages: list[StageRecord]
