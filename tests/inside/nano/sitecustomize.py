"""Make a U-Net a tenth as wide when sd-scripts imports it: its own code, names and files, on a laptop.

Python runs this file at its start where its folder is on ``PYTHONPATH``.
"""

import importlib.abc
import importlib.machinery
import sys


def narrow_sd1(module):
    assert (module.BLOCK_OUT_CHANNELS, module.TIMESTEP_INPUT_DIM) == ((320, 640, 1280, 1280), 320)
    module.BLOCK_OUT_CHANNELS, module.TIMESTEP_INPUT_DIM, module.TIME_EMBED_DIM = (32, 64, 128, 128), 32, 128


def narrow_sdxl(module):
    assert (module.MODEL_CHANNELS, module.TIME_EMBED_DIM) == (320, 1280)
    module.MODEL_CHANNELS, module.TIME_EMBED_DIM = 32, 128


# an upstream change of the widths must be noticed here
NARROW = {"library.original_unet": narrow_sd1, "library.sdxl_original_unet": narrow_sdxl}


class Narrow(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name not in NARROW:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        load = spec.loader.exec_module

        def narrow(module):
            load(module)
            NARROW[name](module)

        spec.loader.exec_module = narrow
        return spec


sys.meta_path.insert(0, Narrow())
