"""The form of a run's record: what is read of ``run.json`` in the ledger."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, StringConstraints

from lorarecipe.engines import ENGINES


class _File(BaseModel):
    path: str
    sha256: str


class _Recipe(_File):
    text: str


class _Stage(BaseModel):
    key: str
    title: str
    kind: str
    outcome: str
    seconds: float = 0.0
    loss: float | None = None


class _Identity(BaseModel, extra="allow"):
    groups: list[list[tuple[str, str]]] = []


class _Planned(BaseModel):
    key: str
    name: str
    title: str
    identity: _Identity
    paths: list[list[str]] = []


class _Arguments(BaseModel):
    recipes: list[str]
    out: str
    allow: list[str] = []
    rehearse: bool = False


#: a result names files: another name in an edited record could lead elsewhere
_Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


def _known_engine(name: str) -> str:
    if name not in ENGINES:
        raise ValueError(f"found {name!r}, expected one of {', '.join(ENGINES)}")
    return name


class RunForm(BaseModel):
    """What is read of a run's record; one of another form is not read."""

    format: Literal[1]
    state: str
    began: str
    ended: str = "-"
    message: str = ""
    process: tuple[int, float]
    engine: Annotated[str, AfterValidator(_known_engine)] = "sd-scripts"
    arguments: _Arguments
    versions: dict[str, str]
    recipes: list[_Recipe]
    results: list[_Name] = []
    plan: list[_Planned]
    stages: list[_Stage]
    files: dict[_Name, list[_File]]
