"""The trainer of a recipe: its commit, its environment, its tokenizers, its torch and the GPUs that this one sees."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.metadata import version

from lorarecipe.doctor.finding import Finding, absent, present
from lorarecipe.engines import ENGINES, pin
from lorarecipe.errors import MachineNotReady, count
from lorarecipe.recipe import Recipe
from lorarecipe.trainer import Installation, find_trainer
from lorarecipe.trainer.gpus import Torch, ask_torch
from lorarecipe.trainer.installed import TOKENIZERS, checked_out


def engines(recipe: Recipe | None) -> tuple[list[Finding], Torch | None]:
    """Look at the recipe's trainer, and without a recipe at all of them: some trainer every recipe needs.

    Gives the findings, and the torch of the trainer that is used.
    """
    names = [recipe.trainer.engine] if recipe else [*ENGINES]
    trainers = {name: _find(name) for name in names}
    family = recipe.checkpoint.family if recipe else None
    ready = [t for t in trainers.values() if isinstance(t, Installation) and not t.lacks(family)]
    needed = bool(recipe) or not ready
    findings = [
        finding
        for name, trainer in trainers.items()
        for finding in (
            _trainer(trainer, family, needed=needed)
            if isinstance(trainer, Installation)
            else [absent(ENGINES[name].TITLE, str(trainer), "set both variables, or neither", needed=needed)]
        )
    ]
    torch = None
    for trainer in ready:
        try:
            torch = ask_torch(trainer)
            build = f"built for CUDA {torch.cuda}" if torch.cuda else "built without CUDA"
            findings.append(present(f"torch of {trainer.engine}", f"{torch.version}, {build}, at {trainer.python}"))
        except MachineNotReady as problem:
            advice = "run: lorarecipe setup" if trainer.managed else f"install torch for {trainer.python}"
            findings.append(absent(f"torch of {trainer.engine}", str(problem), advice, needed=True))
    return [*findings, _gpus(recipe, torch)], torch


def _find(name: str) -> Installation | MachineNotReady:
    try:
        return find_trainer(name)
    except MachineNotReady as problem:
        return problem


def _trainer(trainer: Installation, family: str | None, *, needed: bool) -> Iterator[Finding]:
    if trainer.traits.LIBRARIES:
        missing = trainer.lacks()
        found = "not installed" if missing else f"diffusers {version('diffusers')}, peft {version('peft')}"
        advice = "run: pip install 'lorarecipe[embedded]'"
        title = "embedded trainer"
        yield absent(title, found, advice, needed=needed) if missing else present(title, found)
        return
    commit = checked_out(trainer.checkout) if trainer.checkout.is_dir() else None
    if commit == pin().commit:
        yield present("sd-scripts", f"commit {commit[:12]} in {trainer.checkout}")
    else:
        advice = "lorarecipe setup" if trainer.managed else f"git -C {trainer.checkout} checkout {pin().commit}"
        found = f"commit {commit}, expected {pin().commit}" if commit else "none"
        yield absent("sd-scripts", f"{found}, at {trainer.checkout}", f"run: {advice}", needed=needed)
    if not trainer.python.is_file() or (trainer.managed and not trainer.marker.is_file()):
        advice = "run: lorarecipe setup" if trainer.managed else "set LORARECIPE_PYTHON to the trainer's python"
        yield absent("environment", f"none at {trainer.python}", advice, needed=needed)
    else:
        yield present("environment", str(trainer.python.parent))
    for name, families in TOKENIZERS.items():
        if family is None or family in families:
            there, what = (trainer.tokenizers / name / "vocab.json").is_file(), f"tokenizer {'/'.join(families)}"
            advice = "run: lorarecipe setup"
            yield present(what, name) if there else absent(what, f"{name} is missing", advice, needed=needed)


def _gpus(recipe: Recipe | None, torch: Torch | None) -> Finding:
    """Compare the GPUs that torch sees with the recipe's device."""
    device, processes = (recipe.trainer.device, recipe.trainer.processes) if recipe else ("auto", 1)
    wanted = int(device.removeprefix("cuda:")) + 1 if device.startswith("cuda:") else processes
    needed = device.startswith("cuda") or (processes > 1 and device != "cpu")
    gpus = torch.gpus if torch else ()
    if len(gpus) >= wanted or (gpus and device == "cpu"):
        found = ", ".join(f"{gpu.name} ({gpu.memory / 1e9:.1f} GB)" for gpu in gpus)
        return present("GPU", f'{found}; the recipe trains on the CPU (device = "cpu")' if device == "cpu" else found)
    seen = f"torch sees {count(len(gpus), 'GPU')}" if torch else "unknown, as no torch works"
    if device == "cpu":
        return absent("GPU", f'{seen}; the recipe does not need one (device = "cpu")', "", needed=False)
    if torch and not torch.cuda and shutil.which("nvidia-smi"):
        advice = "this torch is built without CUDA; run: lorarecipe setup --torch cuda"
    else:
        advice = "add an NVIDIA GPU and its driver, or rent one"
    if needed:
        found = f'{seen}, expected {wanted} (device = "{device}", processes = {processes})'
        return absent("GPU", found, f'{advice}; or write device = "auto" and processes = 1', needed=True)
    return absent("GPU", f"{seen}; training on the CPU is for the demo and rehearsals", advice, needed=False)
