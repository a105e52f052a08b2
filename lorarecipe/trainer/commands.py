"""Build the exact command of a stage: argv, environment and files. Pure; nothing is started or written."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lorarecipe.plan import BaseFile, MergeStage, SampleStage, Stage, TrainStage
from lorarecipe.recipe import Engine
from lorarecipe.store import Store
from lorarecipe.trainer.place import Place
from lorarecipe.trainer.settings import accelerate_yaml, dataset_toml
from lorarecipe.trainer.states import LOGS, OUTPUT, PAUSE, State, can_go_on, epochs_between_states

LORA = f"{OUTPUT}.safetensors"
PROMPTS = "prompts.txt"


def merged_of(stage: MergeStage, folder: Path) -> Path:
    """Where a merge puts its checkpoint: in the form of the one it is made from."""
    return folder / ("merged" if stage.engine == "embedded" else "merged.safetensors")


#: bytes of a checkpoint below which a second thread gains a third of the time at the most
_SMALL = 100_000_000
_INSIDE = Path(__file__).parent / "inside"
GUARD = _INSIDE / "guard.py"
_RESUMABLE = _INSIDE / "resumable.py"


@dataclass(frozen=True)
class Command:
    """A process to start: ``files`` are put into ``folder`` first, ``env`` is set over a scrubbed environment."""

    argv: tuple[str, ...]
    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)


def command_of(
    stage: Stage, place: Place, store: Store, state: State | None = None, drawn: frozenset[str] = frozenset()
) -> Command | None:
    """Build the command of a stage, or None where no process is needed.

    A training goes on from ``state``; pictures whose names are ``drawn`` are not drawn again.
    """
    if isinstance(stage, TrainStage):
        return train_command(stage, place, store, state)
    if isinstance(stage, SampleStage):
        return sample_command(stage, place, store, drawn) if stage.names.keys() - drawn else None
    return None


def lora_of(base: TrainStage | BaseFile, store: Store) -> Path:
    """File of a base."""
    return base.path if isinstance(base, BaseFile) else store.path(base.short) / LORA


def train_command(stage: TrainStage, place: Place, store: Store, state: State | None = None) -> Command:
    """Build the command of a training."""
    folder = store.attempt(stage.short)
    script = "sdxl_train_network.py" if stage.model.family == "sdxl" else "train_network.py"
    goes_on, steps = can_go_on(stage), stage.steps
    files = {
        "dataset.toml": dataset_toml(stage, store.path(stage.data.short)),
        "accelerate.yaml": accelerate_yaml(stage),
    }
    argv = [
        *(str(place.python), str(GUARD), "-m", "accelerate.commands.launch"),
        *("--config_file", str(folder / "accelerate.yaml")),
        *("--num_processes", str(stage.processes), "--num_machines", "1"),
        *("--mixed_precision", stage.training.precision, "--dynamo_backend", "no"),
        *("--num_cpu_threads_per_process", str(_threads(stage.model.path) or max(1, _cores() // stage.processes))),
        *(["--cpu"] if stage.device == "cpu" else []),
        *(["--multi_gpu"] if stage.processes > 1 else []),
        str(GUARD),
        *([str(_RESUMABLE)] if goes_on and place.engine == "sd-scripts" else []),
        str(place.script(script)),
        *_words_of(_train_arguments(stage, place, store, folder) | _state_arguments(stage, place.engine, state)),
    ]
    environment = _environment(stage)
    if goes_on:
        last = steps.total - (steps.epochs - 1) * steps.per_epoch
        environment |= {"LORARECIPE_PAUSE": str(folder / PAUSE), "LORARECIPE_END": f"{steps.epochs} {last}"}
    return Command(tuple(argv), folder, environment, files)


def sample_command(stage: SampleStage, place: Place, store: Store, drawn: frozenset[str]) -> Command:
    """Build the command that draws samples: with a LoRA on the checkpoint that it is meant for, or a merged one alone.

    A line of the prompts' file is one picture, with its own seed, weight and file name.
    """
    folder, samples, model = store.attempt(stage.short), stage.samples, stage.model
    negative = f" --n {samples.negative}" if samples.negative else ""
    lines = [
        # a line that begins with an option would be read as a prompt of just that
        f"{prompt or ','}{negative} --d {seed} --am {weight:g} --f {name}"
        for name, (prompt, weight, seed) in stage.names.items()
        if name not in drawn
    ]
    arguments: dict[str, Any] = {
        "ckpt": _checkpoint(stage, store),
        "outdir": folder,
        "from_file": folder / PROMPTS,
        **({} if stage.merged else _network_arguments(stage, store)),
        "W": stage.size[0],
        "H": stage.size[1],
        "steps": samples.steps,
        "scale": samples.scale,
        "sampler": "ddim",
        "clip_skip": model.clip_skip,
    }
    if place.engine == "sd-scripts":
        precision, extra = "no", dict[str, Any]()
        if isinstance(stage.lora, TrainStage):
            precision, extra = stage.lora.training.precision, stage.lora.training.extra
        arguments |= {
            **{name: model.family == family for name, family in (("v1", "sd15"), ("v2", "sd2"), ("sdxl", "sdxl"))},
            **{name: precision == name for name in ("fp16", "bf16")},
            "v_parameterization": model.v_prediction,
            "vae": model.vae and model.vae.absolute(),
            "tokenizer_cache_dir": place.tokenizers,
            "no_half_vae": bool(extra.get("no_half_vae")),
            "sdpa": True,
        }
    argv = (str(place.python), str(GUARD), str(place.script("gen_img.py")), *_words_of(arguments))
    return Command(argv, folder, _environment(stage), {PROMPTS: "\n".join(lines) + "\n"})


def _network_arguments(stage: SampleStage, store: Store) -> dict[str, Any]:
    lora = lora_of(stage.lora, store)
    if stage.epoch:
        lora = lora.with_name(f"{OUTPUT}-{stage.epoch:06d}.safetensors")
    return {"network_module": ["networks.lora"], "network_weights": [str(lora.absolute())], "network_mul": ["1"]}


def _checkpoint(stage: TrainStage | SampleStage, store: Store) -> Path:
    if stage.merged:
        return merged_of(stage.merged, store.path(stage.merged.short))
    return stage.model.path.absolute()


def _train_arguments(stage: TrainStage, place: Place, store: Store, folder: Path) -> dict[str, Any]:
    training, model = stage.training, stage.model
    arguments: dict[str, Any] = {
        "pretrained_model_name_or_path": _checkpoint(stage, store),
        "v2": model.family == "sd2",
        "v_parameterization": model.v_prediction,
        "clip_skip": model.clip_skip,
        "vae": model.vae and model.vae.absolute(),
        "tokenizer_cache_dir": place.tokenizers,
        "dataset_config": folder / "dataset.toml",
        # also in the dataset TOML; sd-scripts fills the file's modelspec.resolution from this one only
        "resolution": f"{training.resolution[0]},{training.resolution[1]}",
        "cache_latents": True,
        # with more, sets of tens of images are seen unevenly within an epoch
        "max_data_loader_n_workers": 0,
        "network_module": "networks.lora",
        "network_dim": training.rank,
        "network_alpha": training.alpha,
        "learning_rate": training.unet_lr,
        "unet_lr": training.unet_lr,
        "text_encoder_lr": training.text_encoder_lr,
        "network_train_unet_only": training.text_encoder_lr is None,
        "optimizer_type": training.optimizer,
        "lr_scheduler": training.scheduler,
        "lr_warmup_steps": training.warmup_steps or None,
        "max_train_epochs": training.epochs,
        "max_train_steps": training.steps,
        "mixed_precision": training.precision,
        "gradient_checkpointing": training.gradient_checkpointing,
        "sdpa": True,
        "seed": training.seed,
        "output_dir": folder,
        "output_name": OUTPUT,
        "save_model_as": "safetensors",
        "console_log_simple": True,
        "logging_dir": folder / LOGS,
        "log_with": "tensorboard",
        "training_comment": f"lorarecipe {stage.key[:16]}",
    }
    if stage.loaded:
        arguments |= {
            "base_weights": [str(lora_of(stage.loaded, store).absolute())],
            "base_weights_multiplier": [stage.strength],
            # without it the merge happens on the CPU while the text encoder is on the GPU already
            "lowram": not training.extra.get("cache_text_encoder_outputs", False),
        }
    return arguments | training.extra


def _state_arguments(stage: TrainStage, engine: Engine, state: State | None) -> dict[str, Any]:
    """What a training needs that it may go on, and to go on: none of it changes the weights.

    sd-scripts is told the epoch, which it counts wrongly from a state's steps.
    """
    done = state.epochs * stage.steps.per_epoch + state.steps if state and engine == "sd-scripts" else 0
    arguments: dict[str, Any] = {
        "save_every_n_epochs": stage.training.save_every_epochs,
        "log_prefix": f"{done:06d}-",  # it counts from nothing in a resumed training's log too
    }
    if every := epochs_between_states(stage):
        arguments |= {"save_every_n_epochs": every, "save_state": True, "save_last_n_epochs_state": 2}
    if not state:
        return arguments
    return arguments | {"resume": state.folder, "initial_epoch": state.epochs + 1 if engine == "sd-scripts" else None}


def _words_of(arguments: dict[str, Any]) -> list[str]:
    return [word for name, value in arguments.items() for word in _words(name, value)]


def _words(name: str, value: object) -> list[str]:
    if value is None or value is False:
        return []
    if value is True:
        return [f"--{name}"]
    # `--name=value`, so that a value that begins with a dash stays a value; a list has to stand apart
    return [f"--{name}", *map(str, value)] if isinstance(value, list) else [f"--{name}={value}"]


def _cores() -> int:
    """Count the cores that we may use: of a container's or a scheduler's machine they are a part."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _threads(checkpoint: Path) -> int | None:
    """Give the threads that a small checkpoint is computed with: one, so that a result is the same on any machine.

    On two idle cores a second thread makes a step 1.07 times as fast at the demo's size (15 MB), 1.28 times at 59 MB,
    1.58 times at 234 MB (``python -m tests.bench.threads``); beside other work it makes it much slower, as the threads
    wait for each other. A larger checkpoint is left to the machine: None.
    """
    files = checkpoint.rglob("*") if checkpoint.is_dir() else [checkpoint]
    size = sum(file.stat().st_size for file in files if file.is_file())
    return 1 if 0 < size < _SMALL else None


def _environment(stage: TrainStage | SampleStage) -> dict[str, str]:
    device = stage.device
    env = {
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "PYTHONUTF8": "1",
        "PYTHONUNBUFFERED": "1",
        "COLUMNS": "400",
    }
    if threads := _threads(stage.model.path):
        env |= dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))
    if device == "cpu":
        env["CUDA_VISIBLE_DEVICES"] = ""
    elif device.startswith("cuda:"):
        env["CUDA_VISIBLE_DEVICES"] = device.removeprefix("cuda:")
    return env
