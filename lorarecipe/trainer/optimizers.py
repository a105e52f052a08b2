"""Try the optimizer and the scheduler of trainings before anything is trained, by the trainer's own functions.

A wrong argument of an optimizer would otherwise end a target's training after its base was trained.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

from lorarecipe.errors import CheckFailed, MachineNotReady
from lorarecipe.files import digest_of, home, write_atomic
from lorarecipe.plan import TrainStage
from lorarecipe.store import Store
from lorarecipe.trainer.commands import train_command
from lorarecipe.trainer.installed import Installation
from lorarecipe.trainer.process import scrubbed_environment

_TRIAL = Path(__file__).parent / "inside" / "optimizer.py"
#: a trial takes ten seconds, of which nine are the trainer's imports
_SECONDS = 600
#: arguments that no optimizer depends on: they name files, which are not there yet
_PATHS = (
    *("--pretrained_model_name_or_path=", "--vae=", "--tokenizer_cache_dir=", "--dataset_config=", "--output_dir="),
    *("--logging_dir=", "--log_prefix=", "--training_comment=", "--output_name="),
)


def try_optimizers(stages: Mapping[str, TrainStage], trainer: Installation, store: Store) -> None:
    """Build each training's optimizer and scheduler with its exact arguments, and take a few steps.

    What was found good is remembered by the arguments' digest. AdamW without ``extra`` is not tried: a recipe's own
    options are all in bounds that it takes, and a trial costs ten seconds. The embedded trainer has one optimizer, and
    no arguments for it.

    Parameters
    ----------
    stages
        Trainings by their titles.
    trainer, store
        The trainer, and where the trainings will be.

    Raises
    ------
    CheckFailed
        With what the trainer says of each training whose arguments do not work.
    MachineNotReady
        When the trainer's environment cannot be asked.
    """
    if trainer.traits.OPTIMIZERS:
        return
    by_script: dict[Path, dict[str, list[str]]] = {}
    for title, stage in stages.items():
        if stage.training.optimizer == "AdamW" and not stage.training.extra:
            continue
        script, words = _arguments(stage, trainer, store)
        if not _remembered(words, trainer).exists():
            by_script.setdefault(script, {})[title] = words
    faults = []
    for script, trainings in by_script.items():
        for (title, words), answer in zip(
            trainings.items(), _asked(script, [*trainings.values()], trainer), strict=True
        ):
            if answer["error"]:
                faults.append(f"{title}: the trainer refuses its optimizer or scheduler: {answer['error']}")
            else:
                write_atomic(_remembered(words, trainer), json.dumps(answer))
    if faults:
        raise CheckFailed("\n".join([*faults, "Change optimizer, scheduler, rates or extra; nothing was trained"]))


def _arguments(stage: TrainStage, trainer: Installation, store: Store) -> tuple[Path, list[str]]:
    """Give the script of a training, and its arguments without those that name files."""
    argv = train_command(stage, trainer, store).argv
    at = max(index for index, word in enumerate(argv) if word.endswith("train_network.py"))
    words = [word for word in argv[at + 1 :] if not word.startswith(_PATHS)]
    return Path(argv[at]), [*words, f"--max_train_steps={stage.steps.total}"]


def _remembered(words: list[str], trainer: Installation) -> Path:
    return home() / "optimizers" / f"{digest_of([words, trainer.root.name])[:32]}.json"


def _asked(script: Path, argvs: list[list[str]], trainer: Installation) -> list[dict[str, str]]:
    try:
        done = subprocess.run(
            [str(trainer.python), str(_TRIAL), str(script)],
            input=json.dumps(argvs),
            env=scrubbed_environment({"CUDA_VISIBLE_DEVICES": "", "PYTHONUTF8": "1"}),
            capture_output=True,
            text=True,
            check=True,
            timeout=_SECONDS,
        )
        answers: list[dict[str, str]] = json.loads(done.stdout.splitlines()[-1])
    except (OSError, ValueError, IndexError, subprocess.SubprocessError) as problem:
        said = getattr(problem, "stderr", None) or str(problem)
        last = str(said).strip().rpartition("\n")[2]
        raise MachineNotReady(
            f"{trainer.python}: the trainer's environment does not work ({last}); run: lorarecipe doctor"
        ) from problem
    return answers
