"""What every stage states of itself, and what stages are made from that nobody makes: files of the author's.

A key holds content only: digests, captions, settings that change the result, the trainer's commit, and the keys of the
stages that it is made from. No name, path or machine setting is in it, so two characters that share a base share its
stages without any code for it. A setting that is left unset is left out, so that a new one does not change the keys of
old work.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from lorarecipe.files import digest_of

#: name of a stage's folder in the store -> the folder
FolderOf = Callable[[str], Path]


@dataclass(frozen=True)
class Source:
    """A file or a Diffusers folder of the author's, with the digest that a stage's key holds."""

    path: Path
    sha256: str
    is_folder: bool = False
    coming: int = 0
    """Bytes of what is not there yet, and fetched by another stage of the plan."""


class Keyed(ABC):
    """Something whose key is the digest of its identity."""

    kind: ClassVar[str]

    @abstractmethod
    def identity(self) -> dict[str, object]:
        """Give everything that the result depends on, as JSON."""

    @cached_property
    def key(self) -> str:
        """SHA-256 (hex) of the identity."""
        return digest_of({"stage": self.kind, **self.identity()})

    @property
    def short(self) -> str:
        """Kind and the key's first digits: the name of the stage's folder."""
        return f"{self.kind}-{self.key[:16]}"


class Stage(Keyed):
    """Something that a run makes once and keeps: a folder of files, named by its key."""

    is_shared: ClassVar[bool] = True
    """Whether machines share it by a shared store; not what takes seconds to make of files that each of them has."""

    @property
    @abstractmethod
    def why(self) -> str:
        """What the method needs the stage for, in a sentence."""

    @property
    def inputs(self) -> tuple[Stage, ...]:
        """Stages whose results it is made from."""
        return ()

    @property
    def sources(self) -> tuple[Source, ...]:
        """Files of the author's that it is made from; images are compared by their digests while they are copied."""
        return ()

    @property
    def family(self) -> str | None:
        """Family of the checkpoint that the trainer is needed for; None where it is not."""
        return None

    @property
    def paths(self) -> list[list[str]]:
        """Where its images are, folder by folder; for people, and in no key."""
        return []

    @property
    def sum(self) -> list[str]:
        """How its steps come about, line by line; for people, and in no key."""
        return []

    @property
    def size(self) -> int:
        """Bytes that its files take while it is made, as far as that is known before."""
        return 0
