"""Models that measuring asks, in folders that a recipe names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lorarecipe.plan.stage import Source

#: files of each model, by the key of ``[samples]`` that names its folder
MODEL_FILES: Mapping[str, tuple[str, ...]] = {
    "tagger": ("model.onnx", "selected_tags.csv"),
    "ccip": ("model_feat.onnx", "model_metrics.onnx"),
}


class AsksModels:
    """A stage that asks such models; ``models`` are their files, by the same keys."""

    models: Mapping[str, tuple[Source, ...]]

    @property
    def sources(self) -> tuple[Source, ...]:
        """Files of the models."""
        return tuple(source for files in self.models.values() for source in files)

    @property
    def folders(self) -> dict[str, Path]:
        """Folder of each model's files."""
        return {name: files[0].path.parent for name, files in self.models.items()}

    @property
    def model_digests(self) -> dict[str, list[str]]:
        """Digests of each model's files."""
        return {name: [source.sha256 for source in files] for name, files in self.models.items()}
