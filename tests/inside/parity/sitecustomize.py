"""Put two trainers on one footing: the nano's widths, the same first weights, the same noise, and their losses kept.

Python runs this file at its start where its folder is on ``PYTHONPATH``. ``PARITY_UNET`` is the nano's U-Net
configuration, ``PARITY_LOSSES`` the file for the loss of each step; without it, only the widths are set.
"""

import importlib.abc
import importlib.machinery
import json
import os
import sys
import zlib


def narrow(unet):
    """Give sd-scripts' U-Net the nano's blocks and widths."""
    with open(os.environ["PARITY_UNET"]) as stream:
        config = json.load(stream)
    # an upstream change of the widths must be noticed here
    assert (unet.BLOCK_OUT_CHANNELS, unet.TIME_EMBED_DIM, unet.LAYERS_PER_BLOCK) == ((320, 640, 1280, 1280), 1280, 2)
    widths = config["block_out_channels"]
    unet.BLOCK_OUT_CHANNELS, unet.TIMESTEP_INPUT_DIM, unet.TIME_EMBED_DIM = tuple(widths), widths[0], widths[0] * 4
    unet.IN_CHANNELS, unet.OUT_CHANNELS = config["in_channels"], config["out_channels"]
    unet.LAYERS_PER_BLOCK, unet.LAYERS_PER_BLOCK_UP = config["layers_per_block"], config["layers_per_block"] + 1
    unet.DOWN_BLOCK_TYPES, unet.UP_BLOCK_TYPES = config["down_block_types"], config["up_block_types"]


def same_noise(train_util):
    """Seed sd-scripts' noise by the number of the step."""
    import torch

    draw, step = train_util.get_noise_noisy_latents_and_timesteps, [0]

    def seeded(*args):
        torch.manual_seed(step[0])
        step[0] += 1
        return draw(*args)

    train_util.get_noise_noisy_latents_and_timesteps = seeded


def same_noise_here(data):
    """Seed the embedded trainer's noise by the number of the step."""
    import torch

    share, step = data.shared, [0]

    class Seeded(list[object]):
        def __getitem__(self, part):
            for batches in super().__getitem__(part):
                torch.manual_seed(step[0])
                step[0] += 1
                yield batches

    data.shared = lambda batches, processes: Seeded(share(batches, processes))


def same_start(init):
    """Start layers of one shape with the same weights, whichever comes first."""
    import torch

    fill = init.kaiming_uniform_

    def seeded(tensor, *args, **kwargs):
        state = torch.get_rng_state()
        torch.manual_seed(zlib.crc32(repr(tuple(tensor.shape)).encode()))
        fill(tensor, *args, **kwargs)
        torch.set_rng_state(state)
        return tensor

    init.kaiming_uniform_ = seeded


def as_on_gpus(parallel):
    """Have accelerate wrap no module that trains nothing for several processes on the CPU: on GPUs it wraps none."""
    wrapped = parallel.DistributedDataParallel

    def new(cls, module, **kwargs):
        return object.__new__(cls) if any(one.requires_grad for one in module.parameters()) else module

    parallel.DistributedDataParallel = type("WrappedWhereTrained", (wrapped,), {"__new__": new})


def write_losses(accelerator):
    """Append each step's loss to a file."""
    backward = accelerator.Accelerator.backward

    def written(self, loss, **kwargs):
        with open(os.environ["PARITY_LOSSES"], "a") as stream:
            stream.write(f"{loss.item()!r}\n")
        return backward(self, loss, **kwargs)

    accelerator.Accelerator.backward = written


PATCHES = {
    "library.original_unet": narrow,
    "library.train_util": same_noise,
    "lorarecipe.trainer.embedded.data": same_noise_here,
    "torch.nn.init": same_start,
    "torch.nn.parallel": as_on_gpus,
    "accelerate.accelerator": write_losses,
}
if "PARITY_LOSSES" not in os.environ:
    PATCHES = {"library.original_unet": narrow}


class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name not in PATCHES:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        load = spec.loader.exec_module

        def patched(module):
            load(module)
            PATCHES[name](module)

        spec.loader.exec_module = patched
        return spec


sys.meta_path.insert(0, Finder())
