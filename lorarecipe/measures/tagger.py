"""What a tagger of booru tags makes of a picture: an optional second opinion on the 3D look of real models.

Any of the WD taggers (v2 and v3), as its author publishes it: a folder with ``model.onnx`` and ``selected_tags.csv``.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image

from lorarecipe.errors import MachineNotReady

#: tags that are scored
_TAGS = ("3d", "realistic")


class Tagger:
    """An opened tagger.

    Raises
    ------
    MachineNotReady
        When onnxruntime or a file is missing, or the model does not fit its list of tags.
    """

    def __init__(self, folder: Path) -> None:
        try:
            import onnxruntime
        except ImportError as problem:
            raise MachineNotReady("samples.tagger needs onnxruntime\nRun: pip install onnxruntime") from problem
        try:
            with (folder / "selected_tags.csv").open(encoding="utf-8-sig", newline="") as table:
                names = [row["name"].replace("_", " ") for row in csv.DictReader(table)]
            self._model = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
            [self._input], [output] = self._model.get_inputs(), self._model.get_outputs()
            self._side = int(self._input.shape[1])
            if output.shape[-1] != len(names):
                raise ValueError(f"{output.shape[-1]} scores for {len(names)} tags")
            self._known: dict[Path, dict[str, float]] = {}
            self._columns = {tag: names.index(tag) for tag in _TAGS}
        except UnicodeDecodeError as problem:
            raise MachineNotReady(f"{folder / 'selected_tags.csv'}: not UTF-8; save the file as UTF-8") from problem
        except Exception as problem:  # onnxruntime's own errors have no common parent
            raise MachineNotReady(f"{folder}: no tagger of booru tags ({problem})") from problem

    def scores(self, path: Path) -> dict[str, float]:
        """Score a picture, put on a white square as these taggers were trained; from 0 to 1."""
        if path not in self._known:
            self._known[path] = self._scored(path)
        return self._known[path]

    def _scored(self, path: Path) -> dict[str, float]:
        with Image.open(path) as opened:
            picture = opened.convert("RGB")
        square = Image.new("RGB", (max(picture.size),) * 2, "white")
        square.paste(picture, ((square.width - picture.width) // 2, (square.height - picture.height) // 2))
        pixels = np.asarray(square.resize((self._side, self._side), Image.Resampling.BICUBIC), dtype=np.float32)
        blue_first = np.ascontiguousarray(pixels[None, ..., ::-1])
        [scores] = self._model.run(None, {self._input.name: blue_first})
        return {tag: round(float(scores[0, column]), 4) for tag, column in self._columns.items()}
