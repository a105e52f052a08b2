"""Stands in for sd-scripts' merge: adds the LoRA to the checkpoint's weights, or with FAKE_TRAINER=wrong-merge does not."""

import argparse
import os
import shutil
from pathlib import Path

from safetensors.numpy import save_file

from lorarecipe.trainer.proof import delta
from lorarecipe.weights import Weights, lora_modules, module_of

parser = argparse.ArgumentParser()
for name in ("sd_model", "save_to", "models", "ratios", "precision", "save_precision"):
    parser.add_argument(f"--{name}", required=True)
args = parser.parse_args()

if os.environ.get("FAKE_TRAINER") == "wrong-merge":
    shutil.copy(args.sd_model, args.save_to)
else:
    before, lora = Weights(Path(args.sd_model)), Weights(Path(args.models))
    tensors = {name: before.read(name) for name in before.names}
    homes = {module: name for name in before.names for module in module_of(name, "sd15")}
    for module in lora_modules(lora.names):
        name = homes[module]
        tensors[name] = tensors[name] + float(args.ratios) * delta(lora, module).reshape(tensors[name].shape)
    save_file({name: value.astype("float16") for name, value in tensors.items()}, args.save_to)
