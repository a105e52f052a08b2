"""Build the exact command of a stage: argv, environment and files. Pure; nothing is started or written."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from lorarecipe.engines import Engine
from lorarecipe.estimates import advice_of
from lorarecipe.plan import OUTPUT, Model, SampleStage, TrainStage
from lorarecipe.recipe import arguments_of
from lorarecipe.store import Store
from lorarecipe.trainer.environment import cores, environment_of, free_port, threads
from lorarecipe.trainer.installed import Installation
from lorarecipe.trainer.settings import accelerate_yaml, dataset_toml
from lorarecipe.trainer.states import LOGS, PAUSE, State

PROMPTS = "prompts.txt"
#: arguments that are numbers of steps of the learning rate's scheduler, which takes a step for each process
_COUNTED = ("lr_warmup_steps", "lr_decay_steps", "lr_scheduler_timescale")

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
    less_memory: str = ""
    """What to set for less memory."""


def train_command(stage: TrainStage, trainer: Installation, store: Store, state: State | None = None) -> Command:
    """Build the command of a training, which goes on from ``state`` where there is one."""
    folder = store.attempt(stage.short)
    script, goes_on, steps = stage.model.traits.TRAIN_SCRIPT, stage.can_go_on, stage.steps
    files = {"dataset.toml": dataset_toml(stage, store.path(stage.data.short))}
    cpus = str(threads(stage.model.main.path) or max(1, cores() // stage.processes))
    environment = {"OMP_NUM_THREADS": cpus} | environment_of(stage)
    if stage.device == "cpu":
        environment["ACCELERATE_USE_CPU"] = "true"
    launcher: list[str] = []
    if stage.processes > 1 or trainer.traits.NEEDS_LAUNCHER:
        files["accelerate.yaml"] = accelerate_yaml(stage)
        launcher = [str(GUARD), "-m", "accelerate.commands.launch", *_launcher_words(stage, folder, cpus)]
    argv = [
        *(str(trainer.python), *launcher, str(GUARD)),
        *([str(_RESUMABLE)] if goes_on and not trainer.traits.COUNTS_ON else []),
        str(trainer.script(script)),
        *_words_of(_train_arguments(stage, trainer, store, folder) | _state_arguments(stage, trainer.traits, state)),
    ]
    if goes_on:
        last = steps.total - (steps.epochs - 1) * steps.per_epoch
        environment |= {"LORARECIPE_PAUSE": str(folder / PAUSE), "LORARECIPE_END": f"{steps.epochs} {last}"}
    return Command(tuple(argv), folder, environment, files, advice_of(stage))


def _launcher_words(stage: TrainStage, folder: Path, cpus: str) -> list[str]:
    """Give accelerate's launcher its words.

    Several processes on the CPU are started as several on GPUs are: for ``--cpu``, accelerate would start one alone.
    """
    words = [
        *("--config_file", str(folder / "accelerate.yaml")),
        *("--num_processes", str(stage.processes), "--num_machines", "1"),
        *("--mixed_precision", stage.training.precision, "--dynamo_backend", "no"),
        *("--num_cpu_threads_per_process", cpus),
    ]
    if stage.processes > 1:
        return [*words, "--multi_gpu", "--main_process_port", str(free_port(folder))]
    return [*words, "--cpu"] if stage.device == "cpu" else words


def sample_command(
    stage: SampleStage, trainer: Installation, store: Store, drawn: frozenset[str] = frozenset()
) -> Command:
    """Build the command that draws samples: with a LoRA on the checkpoint that it is meant for, or a merged one alone.

    Pictures whose names are ``drawn`` are not drawn again. A line of the prompts' file is one picture, with its own
    seed, weight and file name.
    """
    folder, samples, model = store.attempt(stage.short), stage.samples, stage.model
    negative = f" --n {samples.negative}" if samples.negative else ""
    lines = [
        # a line that begins with an option would be read as a prompt of just that
        f"{prompt or ','}{negative} --d {seed} --am {weight:g} --f {name}"
        for name, (prompt, weight, seed) in stage.names.items()
        if name not in drawn
    ]
    arguments: dict[str, object] = {
        "ckpt": _checkpoint(stage, store),
        "outdir": folder,
        "from_file": folder / PROMPTS,
        **({} if stage.merged else _network_arguments(stage, store)),
        "W": stage.resolution[0],
        "H": stage.resolution[1],
        "steps": samples.steps,
        "scale": samples.scale,
        "sampler": "ddim",
        "clip_skip": model.clip_skip,
    }
    if not trainer.traits.READS_FOLDERS:  # of a folder, its own configuration says all this
        training = stage.lora.training
        arguments |= {
            **model.traits.SAMPLE_ARGUMENTS,
            **{name: bool(training and training.precision == name) for name in ("fp16", "bf16")},
            "v_parameterization": model.v_prediction,
            "zero_terminal_snr": stage.zero_terminal_snr,
            **_further_components(model),
            "tokenizer_cache_dir": trainer.tokenizers,
            "no_half_vae": bool(training and training.extra.get("no_half_vae")),
            "sdpa": True,
        }
    argv = (str(trainer.python), str(GUARD), str(trainer.script("gen_img.py")), *_words_of(arguments))
    return Command(argv, folder, environment_of(stage), {PROMPTS: "\n".join(lines) + "\n"})


def _network_arguments(stage: SampleStage, store: Store) -> dict[str, object]:
    lora = stage.lora.file(store.path, stage.epoch).absolute()
    module = stage.model.traits.NETWORK_MODULE
    return {"network_module": [module], "network_weights": [str(lora)], "network_mul": ["1"]}


def _checkpoint(stage: TrainStage | SampleStage, store: Store) -> Path:
    return stage.merged.file(store.path) if stage.merged else stage.model.main.path.absolute()


def _further_components(model: Model) -> dict[str, Path]:
    """Name the files of a checkpoint beside the main one, as the trainer's arguments of the same names."""
    return {name: source.path.absolute() for name, source in model.components.items() if source != model.main}


def _train_arguments(stage: TrainStage, trainer: Installation, store: Store, folder: Path) -> dict[str, object]:
    training, model = stage.training, stage.model
    arguments: dict[str, object] = {
        "pretrained_model_name_or_path": _checkpoint(stage, store),
        **model.traits.TRAIN_ARGUMENTS,
        "v_parameterization": model.v_prediction,
        "clip_skip": model.clip_skip,
        **_further_components(model),
        "tokenizer_cache_dir": trainer.tokenizers,
        "dataset_config": folder / "dataset.toml",
        "cache_latents": True,
        # with more, sets of tens of images are seen unevenly within an epoch
        "max_data_loader_n_workers": 0,
        "network_module": model.traits.NETWORK_MODULE,
        **arguments_of(training),
        "sdpa": True,
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
            "base_weights": [str(stage.loaded.file(store.path).absolute())],
            "base_weights_multiplier": [stage.strength],
            # without it the merge happens on the CPU while the text encoder is on the GPU already
            "lowram": not training.extra.get("cache_text_encoder_outputs", False),
        }
    arguments |= training.extra
    # with several processes, sd-scripts counts these once for each process, and the whole training too
    counted = {name: steps for name in _COUNTED if isinstance(steps := arguments.get(name), int)}
    return arguments | {name: steps * stage.processes for name, steps in counted.items()}


def _state_arguments(stage: TrainStage, engine: Engine, state: State | None) -> dict[str, object]:
    """What a training needs that it may go on, and to go on: none of it changes the weights.

    sd-scripts is given the epoch, which it counts wrongly from a state's steps.
    """
    done = state.epochs * stage.steps.per_epoch + state.steps if state and not engine.COUNTS_ON else 0
    arguments: dict[str, object] = {
        "log_prefix": f"{done:06d}-",  # it counts from nothing in a resumed training's log too
    }
    if every := stage.epochs_between_states:
        arguments |= {"save_every_n_epochs": every, "save_state": True, "save_last_n_epochs_state": 2}
    if not state:
        return arguments
    return arguments | {"resume": state.folder, "initial_epoch": None if engine.COUNTS_ON else state.epochs + 1}


def _words_of(arguments: dict[str, object]) -> list[str]:
    return [word for name, value in arguments.items() for word in _words(name, value)]


def _words(name: str, value: object) -> list[str]:
    if value is None or value is False:
        return []
    if value is True:
        return [f"--{name}"]
    # `--name=value`, so that a value that begins with a dash stays a value; a list has to stand apart
    return [f"--{name}", *map(str, value)] if isinstance(value, list) else [f"--{name}={value}"]
