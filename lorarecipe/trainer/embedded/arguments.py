"""The arguments that are understood: those of sd-scripts that lorarecipe emits. Any other ends the process."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import toml

from lorarecipe.recipe import Buckets


def parse(argv: list[str] | None = None) -> argparse.Namespace:  # long: a line for each argument
    """Parse a command line of ``train_network.py``."""
    parser = argparse.ArgumentParser(prog="train_network.py", allow_abbrev=False)
    add = parser.add_argument
    add("--pretrained_model_name_or_path", type=Path, required=True, help="Diffusers folder of an SD1 checkpoint")
    add("--dataset_config", type=Path, required=True)
    add("--output_dir", type=Path, required=True)
    add("--output_name", required=True)
    add("--network_module", choices=["networks.lora"], required=True)
    add("--network_dim", type=int, required=True)
    add("--network_alpha", type=float, required=True)
    add("--network_train_unet_only", action="store_true")
    add("--learning_rate", type=float, required=True)
    add("--unet_lr", type=float, required=True)
    add("--text_encoder_lr", type=float)
    add("--optimizer_type", choices=["AdamW"], required=True)
    add("--lr_scheduler", required=True)
    add("--lr_warmup_steps", type=int, default=0)
    add("--max_train_epochs", type=int)
    add("--max_train_steps", type=int, default=1600)
    add("--mixed_precision", choices=["no", "fp16", "bf16"], default="no")
    add("--gradient_checkpointing", action="store_true")
    add("--clip_skip", type=int)
    add("--min_snr_gamma", type=float)
    add("--min_timestep", type=int, default=0)
    add("--max_timestep", type=int, default=1000)
    add("--alpha_mask", action="store_true", help="the loss counts where images are opaque")
    add("--mask_mode", choices=["figure-by-area", "prior"], help="divide by the mask's area, or keep the rest as it is")
    add("--seed", type=int, required=True)
    add("--save_every_n_epochs", type=int)
    add("--save_state", action="store_true", help="keep a state wherever a LoRA is saved, and at the end")
    add("--save_last_n_epochs_state", type=int, help="remove older states than the last so many saves")
    add("--resume", type=Path, help="folder of such a state")
    add("--training_comment")
    add("--resolution", help="given again in the dataset TOML, which counts")
    add("--tokenizer_cache_dir", help="not needed: the checkpoint's folder has its tokenizer")
    add("--logging_dir", type=Path, help="folder of TensorBoard's logs")
    add("--log_prefix", default="", help="beginning of the name of this training's folder there")
    # ways of working that are the only one here
    add("--cache_latents", action="store_true", required=True)
    add("--max_data_loader_n_workers", type=int, choices=[0], required=True)
    add("--log_with", choices=["tensorboard"])
    add("--save_model_as", choices=["safetensors"], required=True)
    add("--sdpa", action="store_true")
    add("--console_log_simple", action="store_true")
    return parser.parse_args(argv)


def read_dataset(path: Path) -> tuple[dict[str, Any], Buckets | None]:
    """Read a dataset TOML: its one dataset, and its buckets.

    Raises
    ------
    ValueError
        On a key that this trainer does not know.
    """
    document = toml.loads(path.read_text("utf-8"))
    known = {
        *("resolution", "batch_size", "enable_bucket", "subsets"),
        *("min_bucket_reso", "max_bucket_reso", "bucket_reso_steps", "bucket_no_upscale"),
    }
    [dataset] = document["datasets"]
    unknown = {*document} - {"datasets"} | {*dataset} - known
    for subset in dataset["subsets"]:
        unknown |= {*subset} - {"image_dir", "num_repeats", "caption_extension"}
    if unknown:
        raise ValueError(f"{path}: found {', '.join(sorted(unknown))}, which the embedded trainer does not know")
    if not dataset["enable_bucket"]:
        return dataset, None
    return dataset, Buckets.model_construct(  # a rehearsal's are smaller than a recipe's may be
        min=dataset["min_bucket_reso"],
        max=dataset["max_bucket_reso"],
        step=dataset["bucket_reso_steps"],
        no_upscale=dataset["bucket_no_upscale"],
    )
