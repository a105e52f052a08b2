"""Stands in for sd-scripts' training: prints what it prints, and writes a LoRA of random numbers.

The environment variable FAKE_TRAINER makes it misbehave.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np
from accelerate import Accelerator
from accelerate.data_loader import DataLoaderShard
from safetensors.numpy import save_file

from lorarecipe.families import FAMILIES, trained_modules
from lorarecipe.weights import Weights

parser = argparse.ArgumentParser()
for name in (
    "output_dir",
    "output_name",
    "pretrained_model_name_or_path",
    "network_dim",
    "save_every_n_epochs",
    "resume",
    "max_train_steps",
):
    parser.add_argument(f"--{name}")
parser.add_argument("--network_train_unet_only", action="store_true")
args, _ = parser.parse_known_args()
print(f"CUDA_VISIBLE_DEVICES={os.environ.get('CUDA_VISIBLE_DEVICES', '')}", flush=True)
mode, total = os.environ.get("FAKE_TRAINER", ""), int(args.max_train_steps or 2)


def bar(step: int) -> None:
    loss = "nan" if mode == "diverge" and step > 1 else f"0.{9 - step}"
    sys.stderr.write(
        f"\rsteps:  {step * 100 // total}%|##| {step}/{total} [00:0{step}<00:01,  1.00s/it, avr_loss={loss}]"
    )
    sys.stderr.flush()


accelerator = Accelerator()
accelerator.prepare()
if args.resume:
    accelerator.load_state(args.resume)
print("epoch 1/1", flush=True)
bar(0)
for step, _ in enumerate(DataLoaderShard(total)):
    if mode == "diverge" and step == 5:
        time.sleep(600)
    while mode == "slow" and step == total - 2 and not Path(os.environ["LORARECIPE_PAUSE"]).exists():
        time.sleep(0.02)
    bar(step + 1)
if mode == "fail":
    raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
if mode == "hang":
    Path(args.output_dir, "hanging").touch()
    time.sleep(600)
if mode == "nothing":
    print("No data found. Please verify arguments")
    sys.exit(0)

checkpoint = Weights(Path(args.pretrained_model_name_or_path))
homes = {module: name for name in checkpoint.names for module in FAMILIES["sd15"].modules_of(name)}
random = np.random.default_rng(0)
tensors = {}
for module in sorted(
    trained_modules(checkpoint.shapes, FAMILIES["sd15"], text_encoder=not args.network_train_unet_only)
):
    rows, columns, *ends = checkpoint.shapes[homes[module]]
    rank = int(args.network_dim)
    tensors[f"{module}.lora_down.weight"] = random.normal(size=(rank, columns, *ends)).astype("float32")
    tensors[f"{module}.lora_up.weight"] = random.normal(size=(rows, rank, *ends)).astype("float32")
    tensors[f"{module}.alpha"] = np.asarray(float(rank), dtype="float32")
if mode == "nan":
    tensors[min(tensors)] = np.full_like(tensors[min(tensors)], np.nan)
metadata = {"ss_output_name": args.output_name, "ss_base_model_version": "sd_v1"}
if args.save_every_n_epochs:
    save_file(tensors, Path(args.output_dir, f"{args.output_name}-000001.safetensors"), metadata)
save_file(tensors, Path(args.output_dir, f"{args.output_name}.safetensors"), metadata)
