"""Where the trainer is: the checkout, its interpreter, its tokenizers. Looks, never builds."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from lorarecipe.engines import ENGINES, Engine, Pin, pin
from lorarecipe.errors import MachineNotReady
from lorarecipe.families import FAMILIES
from lorarecipe.files import digest_of, home, vendor

MARKER = "ready.json"

#: folder of a tokenizer that sd-scripts looks for -> names of the families that need it
TOKENIZERS = {
    tokenizer: tuple(name for name, family in FAMILIES.items() if tokenizer in family.TOKENIZERS)
    for tokenizer in dict.fromkeys(tokenizer for family in FAMILIES.values() for tokenizer in family.TOKENIZERS)
}


@dataclass(frozen=True)
class Installation:
    """Paths of a trainer; ``managed`` when `lorarecipe setup` builds it."""

    checkout: Path
    python: Path
    tokenizers: Path
    managed: bool
    root: Path
    engine: str = "sd-scripts"

    @property
    def traits(self) -> Engine:
        """What the trainer says of itself."""
        return ENGINES[self.engine]

    def script(self, name: str) -> Path:
        """Give a script of the trainer."""
        return self.checkout / name

    @property
    def marker(self) -> Path:
        """Written last by the setup."""
        return self.root / MARKER

    def lacks(self, family: str | None = None) -> list[str]:
        """Say what is missing, each with what to do; empty when a training can start."""
        lacking = []
        if libraries := self.traits.LIBRARIES:
            missing = [name for name in libraries if importlib.util.find_spec(name) is None]
            return [f"{', '.join(missing)} missing; run: pip install 'lorarecipe[embedded]'"] if missing else []
        if self.managed and not self.marker.is_file():
            return ["the trainer is not set up; run: lorarecipe setup"]
        if not (self.checkout / "train_network.py").is_file():
            lacking.append(f"{self.checkout}: no sd-scripts there; set LORARECIPE_SD_SCRIPTS to its folder")
        elif (commit := checked_out(self.checkout)) != pin().commit:
            found = commit or "no commit"
            lacking.append(
                f"{self.checkout}: at {found}, expected {pin().commit}; run there: git checkout {pin().commit}"
            )
        if not self.python.is_file():
            lacking.append(f"{self.python}: no such interpreter; set LORARECIPE_PYTHON to the trainer's python")
        lacking += [
            f"{self.tokenizers / name}: tokenizer missing; run: lorarecipe setup"
            for name, families in TOKENIZERS.items()
            if (family is None or family in families) and not (self.tokenizers / name / "vocab.json").is_file()
        ]
        return lacking

    def require(self, family: str) -> None:
        """Refuse to go on without what a training of a family needs.

        Raises
        ------
        MachineNotReady
            Naming all that is missing.
        """
        if lacks := self.lacks(family):
            raise MachineNotReady("\n".join(lacks))


def environment_id(wanted: Pin) -> str:
    """Give the name of the trainer's folder: what it is built from, on what."""
    built_from = {
        "lock": vendor("requirements.lock").read_text("utf-8"),
        "tokenizers": vendor("tokenizers.lock").read_text("utf-8"),
        "torch": list(wanted.torch),
        "commit": wanted.commit,
        "python": sys.version,
        "platform": [sys.platform, platform.machine()],
    }
    return digest_of(built_from)[:16]


def find_trainer(engine: str = "sd-scripts") -> Installation:
    """Say where a trainer is, or would be; the embedded one is here, in this environment.

    ``LORARECIPE_SD_SCRIPTS`` and ``LORARECIPE_PYTHON`` name an existing checkout and interpreter.

    Raises
    ------
    MachineNotReady
        When only one of the two is set.
    """
    if ENGINES[engine].LIBRARIES:
        here = Path(__file__).parent / engine
        return Installation(here, Path(sys.executable), here, managed=False, root=here, engine=engine)
    root = home() / "trainers" / environment_id(pin())
    checkout, python = os.environ.get("LORARECIPE_SD_SCRIPTS"), os.environ.get("LORARECIPE_PYTHON")
    if bool(checkout) != bool(python):
        raise MachineNotReady("found one of LORARECIPE_SD_SCRIPTS and LORARECIPE_PYTHON, expected both or neither")
    binary = root / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    return Installation(
        checkout=Path(checkout).absolute() if checkout else root / "sd-scripts",
        python=Path(python).absolute() if python else binary,
        tokenizers=(root.with_name("tokenizers") if checkout else root / "tokenizers"),
        managed=not checkout,
        root=root,
    )


def checked_out(checkout: Path) -> str | None:
    """Commit that a checkout is at, or None where that cannot be known."""
    words = ["git", "-C", str(checkout), "rev-parse", "HEAD"]
    try:
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def installed(trainer: Installation) -> dict[str, str]:
    """What the setup wrote down when it was done."""
    try:
        report: dict[str, str] = json.loads(trainer.marker.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return report
