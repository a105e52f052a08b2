"""Make SDXL's U-Net a tenth as wide when sd-scripts imports it: its own code, names and files, on a laptop.

Python runs this file at its start where its folder is on ``PYTHONPATH``.
"""

import importlib.abc
import importlib.machinery
import sys


class Narrow(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != "library.sdxl_original_unet":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        load = spec.loader.exec_module

        def narrow(module):
            load(module)
            # an upstream change of the widths must be noticed here
            assert (module.MODEL_CHANNELS, module.TIME_EMBED_DIM) == (320, 1280)
            module.MODEL_CHANNELS, module.TIME_EMBED_DIM = 32, 128

        spec.loader.exec_module = narrow
        return spec


sys.meta_path.insert(0, Narrow())
