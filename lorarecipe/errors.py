"""Every failure that is expected, and the exit code a shell sees.

==== ==================== ==================================================================
code class                meaning
==== ==================== ==================================================================
0    --                   good
1    --                   a bug of ours; a log that can be pasted into an issue is written
2    RecipeError          wrong usage, or a recipe that is not valid
3    CheckFailed          the check found errors in the images or captions
4    MachineNotReady      the trainer is not set up, or the disk cannot take the result
5    TrainingFailed       a training or a merge failed, or its result did not prove good
6    NetworkFailed        the network, or an upload, failed
75   Busy                 another process is working on the same thing; it is safe to repeat the command
130  Interrupted          stopped by Ctrl-C (143: by SIGTERM)
==== ==================== ==================================================================

A message says what was found, what was expected and what to run next.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


class LorarecipeError(Exception):
    """An expected failure; ``exit_code`` is what the process ends with."""

    exit_code = 1


def printable(text: str) -> str:
    """Escape what a file name or a key could forge a line of output with."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def printable_lines(text: str) -> str:
    """Escape each line of a text by itself, so that its line breaks stay."""
    return "\n".join(map(printable, text.split("\n")))


@dataclass(frozen=True)
class Fault:
    """One thing wrong in a recipe file; ``line`` counts from 1."""

    path: Path
    line: int
    where: str
    message: str
    option: str = ""
    """The option of the command line that is wrong, in place of a line of the file."""

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return printable(f"{self.option or f'{self.path}:{self.line}'}: {place}{self.message}")


class RecipeError(LorarecipeError):
    """A recipe that is not valid: every fault at once."""

    exit_code = 2

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = tuple(sorted(dict.fromkeys(faults), key=lambda fault: (str(fault.path), fault.line)))
        super().__init__("\n".join(dict.fromkeys(map(str, self.faults))))


class CheckFailed(LorarecipeError):
    """The check found errors; nothing was trained."""

    exit_code = 3


class MachineNotReady(LorarecipeError):
    """The trainer is not set up, or the disk cannot take the result."""

    exit_code = 4


class TrainingFailed(LorarecipeError):
    """A training or a merge failed, or its result did not prove good."""

    exit_code = 5


class NetworkFailed(LorarecipeError):
    """The network, or an upload, failed."""

    exit_code = 6


class Busy(LorarecipeError):
    """Somebody else is at it; safe to repeat."""

    exit_code = 75


class Interrupted(LorarecipeError):
    """Stopped by a signal: 128 plus its number."""

    def __init__(self, signum: int, then: str = "run the same command again to go on") -> None:
        super().__init__(f"stopped; what was finished is kept: {then}")
        self.signum, self.exit_code = signum, 128 + signum


def count(number: int, noun: str, nouns: str = "") -> str:
    """``1 image``, ``2 images``."""
    return f"{number} {noun}" if number == 1 else f"{number} {nouns or noun + 's'}"


def data_size(number: float) -> str:
    """``1_500_000`` bytes -> ``1.5 MB``, ``59_230_400_000`` -> ``59.2 GB``."""
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{number / 1e6:.1f} MB"


def clock(seconds: float) -> str:
    """``75.2`` -> ``0:01:15``; days are hours too."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """Name the word that was perhaps meant, as the end of a message; nothing where none is near."""
    near = difflib.get_close_matches(word, list(words), n=1)
    return f"; did you mean {near[0]}?" if near else ""
