"""From which size of a checkpoint a second thread makes a training step faster, as a ratio within one run.

Usage: python -m tests.bench.threads [STEPS]

The nano's U-Net is made wider and wider; each width takes steps (with gradients of its cross-attention alone, since a
LoRA trains few weights) with one thread and with two, in turns and in one process. The ratio is of the medians: above 1, two are faster.
"""

from __future__ import annotations

import sys
import time
from statistics import median

import torch
from diffusers import UNet2DConditionModel

from lorarecipe.demo import NANO

#: times the nano's channels
_WIDTHS = (1, 2, 4, 6, 8)


def step_seconds(model: UNet2DConditionModel, threads: int) -> float:
    """Take one step forward and back; give its seconds."""
    torch.set_num_threads(threads)
    latents, context = torch.randn(4, 16, 8, 8), torch.randn(4, 77, 128)
    start = time.perf_counter()
    model(latents, torch.tensor([500] * 4), context).sample.square().mean().backward()
    return time.perf_counter() - start


def main(steps: str = "9") -> None:
    """Print a line for each width."""
    config = UNet2DConditionModel.load_config(NANO / "unet")
    for width in _WIDTHS:
        channels = [width * of for of in config["block_out_channels"]]
        model = UNet2DConditionModel.from_config({**config, "block_out_channels": channels})
        model.requires_grad_(requires_grad=False)
        for name, weight in model.named_parameters():
            weight.requires_grad_("attn2" in name)
        megabytes = sum(weight.numel() for weight in model.parameters()) * 4 / 1e6
        seconds: dict[int, list[float]] = {1: [], 2: []}
        for turn in range(int(steps) + 1):
            for threads, taken in seconds.items():
                taken += [step_seconds(model, threads)][turn == 0 :]  # the first one warms up
        one, two = (median(taken) for taken in seconds.values())
        print(f"{megabytes:7.0f} MB: one thread {one:6.3f} s, two {two:6.3f} s, ratio {one / two:.2f}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
