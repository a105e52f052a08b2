"""The files that a training reads its settings from. Pure; nothing is written."""

from __future__ import annotations

from pathlib import Path

import toml
import tomli_w

from lorarecipe.errors import MachineNotReady
from lorarecipe.plan import TrainStage
from lorarecipe.recipe import dataset_keys_of


def dataset_toml(stage: TrainStage, staged: Path) -> str:
    """Write the dataset TOML, and read it back with the library that sd-scripts reads it with.

    Raises
    ------
    MachineNotReady
        When that library would read something else (it misreads some valid TOML).
    """
    training, buckets = stage.training, stage.training.buckets
    dataset = dataset_keys_of(training) | {"enable_bucket": buckets is not None}
    if buckets:
        dataset |= dataset_keys_of(buckets)
    dataset["subsets"] = [
        {"image_dir": (staged / f"{index:02}").as_posix(), "num_repeats": repeats, "caption_extension": ".txt"}
        for index, repeats in enumerate(stage.repeats)
    ]
    document = {"datasets": [dataset]}
    text = tomli_w.dumps(document).replace("'", "\\u0027")  # an apostrophe ends a table for that library
    try:
        read_back: object = toml.loads(text)
    except (toml.TomlDecodeError, IndexError, ValueError) as problem:
        read_back = problem
    if read_back != document:
        raise MachineNotReady(
            f"{staged}: the trainer's TOML reader would misread this path; set LORARECIPE_HOME to a plainer one"
        )
    return text


def accelerate_yaml(stage: TrainStage) -> str:
    """Give accelerate a configuration of our own, or it would read the user's default one."""
    lines = {
        "compute_environment": "LOCAL_MACHINE",
        "distributed_type": "MULTI_GPU" if stage.processes > 1 else "'NO'",
        "num_machines": 1,
        "num_processes": stage.processes,
        "mixed_precision": f"'{stage.training.precision}'",
        "use_cpu": str(stage.device == "cpu").lower(),
    }
    return "".join(f"{name}: {value}\n" for name, value in lines.items())
