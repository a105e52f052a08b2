"""States that a training leaves at epoch ends and when it pauses, and how it goes on from one.

sd-scripts writes a state file by file, straight into its folder, and says nowhere when it is whole. So each is
sealed by us once the training is past it: digests of its files, in a file beside it. Only a sealed state is
resumed from, and only while the digests hold (a state holds pickles: it is ours, or it is not read). The LoRAs that
were saved until then are sealed with it.
"""

from __future__ import annotations

import json
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lorarecipe.files import canonical_json, file_digest, write_atomic
from lorarecipe.plan import OUTPUT, TrainStage

#: folder of a training's TensorBoard logs, within the stage's: ``tensorboard --logdir`` takes it, or the whole store
LOGS = "logs"
#: a file that asks the training to pause; its state is named after it
PAUSE = "pause"
_STATE = re.compile(rf"(?:{OUTPUT}-(\d{{6}})|{PAUSE}-(\d{{6}})-(\d{{6}}))-state")


@dataclass(frozen=True)
class State:
    """A sealed state: ``epochs`` are done, and ``steps`` of the next one; ``files`` are relative to the attempt."""

    folder: Path
    epochs: int
    steps: int
    files: tuple[str, ...]

    def __str__(self) -> str:
        return f"epoch {self.epochs} and {self.steps} steps" if self.steps else f"epoch {self.epochs}"

    @property
    def kept(self) -> frozenset[str]:
        """Names in the attempt's folder that the training needs to go on."""
        names = {file.partition("/")[0] for file in self.files}
        return frozenset(names | {self.folder.name, _seal(self.folder).name, LOGS})


def seal_states(attempt: Path, epoch: int) -> None:
    """Seal the states of an attempt that are of an epoch before the one that the training is at.

    A pause's state that one of them is past goes.
    """
    states = _states(attempt)
    for folder, (of, steps) in states:
        if of < epoch and not steps and not _seal(folder).exists():
            with suppress(FileNotFoundError):  # the trainer has removed it meanwhile: it keeps the newest two
                _write_seal(attempt, folder, of)
                _remove([one for one, at in states if at < (of, 0) and one.name.startswith(PAUSE)])


def seal_pause(attempt: Path) -> State | None:
    """Seal the state of a training that has ended because it was asked to; None when it left none."""
    (attempt / PAUSE).unlink(missing_ok=True)
    paused = [state for state in _states(attempt) if state[0].name.startswith(PAUSE)]
    if not paused:
        return None
    folder, (epochs, _) = max(paused, key=lambda state: state[1])
    if not _seal(folder).exists():
        _write_seal(attempt, folder, epochs)
    _remove([one for one, _ in paused if one != folder])
    return last_state(attempt)


def unseal(state: State) -> None:
    """Have a state not resumed from again."""
    _seal(state.folder).unlink(missing_ok=True)


def last_state(attempt: Path) -> State | None:
    """Find the newest state that is whole."""
    for folder, (epochs, steps) in sorted(_states(attempt), key=lambda state: state[1], reverse=True):
        try:
            digests: dict[str, str] = json.loads(_seal(folder).read_text("utf-8"))
            if digests and all(file_digest(attempt / file) == digest for file, digest in digests.items()):
                return State(folder, epochs, steps, tuple(digests))
        except (OSError, ValueError, AttributeError):
            continue
    return None


def clear_states(attempt: Path, stage: TrainStage) -> None:
    """Remove what only a resumed training needs: states, and LoRAs of epochs that the recipe does not ask for."""
    for path in (*attempt.glob(f"{OUTPUT}*-state*"), *attempt.glob(f"{PAUSE}*")):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    asked = stage.training.save_every_epochs
    for path in attempt.glob(f"{OUTPUT}-*.safetensors"):
        if not asked or _epoch_of(path) % asked:
            path.unlink()


def _write_seal(attempt: Path, folder: Path, epochs: int) -> None:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    files += [path for path in sorted(attempt.glob(f"{OUTPUT}-*.safetensors")) if _epoch_of(path) <= epochs]
    digests = {path.relative_to(attempt).as_posix(): file_digest(path) for path in files}
    write_atomic(_seal(folder), canonical_json(digests))


def _remove(folders: list[Path]) -> None:
    for folder in folders:
        _seal(folder).unlink(missing_ok=True)
        shutil.rmtree(folder)


def _states(attempt: Path) -> list[tuple[Path, tuple[int, int]]]:
    """Give the states of an attempt, each with the epochs that it has done and the steps of the next."""
    found = ((path, _STATE.fullmatch(path.name)) for path in attempt.glob("*-state"))
    return [(path, (int(name[1] or name[2]), int(name[3] or 0))) for path, name in found if name and path.is_dir()]


def _epoch_of(lora: Path) -> int:
    return int(lora.stem.rpartition("-")[2])


def _seal(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.json")
