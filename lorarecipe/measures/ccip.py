"""How unlike a character is to itself, as CCIP sees it: an optional opinion on the likeness of anime characters.

The two files of any of its models, as its author publishes them: ``model_feat.onnx`` and ``model_metrics.onnx``. What
goes in and comes out is as in dghs-imgutils (``imgutils.metrics.ccip``), which loads them from the net.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from lorarecipe.errors import MachineNotReady

_SIDE = 384
#: levels that the model was trained at: CLIP's, of red, green and blue
_MEAN, _SPREAD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


class Ccip:
    """An opened model that knows a character's renders.

    Raises
    ------
    MachineNotReady
        When onnxruntime or a file is missing, or is no such model.
    """

    def __init__(self, folder: Path, renders: Sequence[Path]) -> None:
        try:
            import onnxruntime
        except ImportError as problem:
            raise MachineNotReady("samples.ccip needs onnxruntime\nRun: pip install onnxruntime") from problem
        try:
            self._features, self._metrics = (
                onnxruntime.InferenceSession(str(folder / file), providers=["CPUExecutionProvider"])
                for file in ("model_feat.onnx", "model_metrics.onnx")
            )
            self._renders = [self._feature(render) for render in renders]
        except Exception as problem:  # onnxruntime's own errors have no common parent
            raise MachineNotReady(f"{folder}: no model of CCIP ({problem})") from problem

    def difference(self, path: Path) -> float:
        """Give a picture's mean difference from the renders: less is more alike, each model has its threshold."""
        features = np.stack([self._feature(path), *self._renders])
        [differences] = self._metrics.run(None, {self._metrics.get_inputs()[0].name: features})
        return round(float(differences[0, 1:].mean()), 4)

    def _feature(self, path: Path) -> npt.NDArray[np.float32]:
        with Image.open(path) as opened:
            small = opened.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
        levels = (np.asarray(small, dtype=np.float32) / 255 - _MEAN) / _SPREAD
        pixels = np.ascontiguousarray(levels.transpose(2, 0, 1)[None], dtype=np.float32)
        [features] = self._features.run(None, {self._features.get_inputs()[0].name: pixels})
        feature: npt.NDArray[np.float32] = features[0]
        return feature
