"""Images to cached latents, latents to batches: in the buckets, and as often, as sd-scripts would."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from lorarecipe.dataset import EXTENSIONS
from lorarecipe.plan.steps import BucketChooser, Size
from lorarecipe.recipe import Buckets
from lorarecipe.weights.sd1 import LATENT_SCALE


@dataclass(frozen=True)
class Sample:
    """One image: its latent (channels x height/8 x width/8, scaled), its caption, its bucket in pixels."""

    latent: Tensor
    caption: str
    bucket: Size
    mask: Tensor | None
    """Where the loss counts, 1 x height/8 x width/8, from 0 to 1; None where the image has no alpha."""


class Batches:
    """Batches of an epoch; each holds images of one bucket."""

    def __init__(self, dataset: dict[str, Any], buckets: Buckets | None, vae: Any) -> None:
        self.dataset = dataset
        size = dataset["resolution"]
        chooser = BucketChooser((size[0], size[1]), buckets)
        self.samples: list[Sample] = []
        self.repeats: list[int] = []
        for subset in dataset["subsets"]:
            for path in images_of(subset):
                self.samples.append(_sample(path, chooser, vae, subset["caption_extension"]))
                self.repeats.append(subset["num_repeats"])
        if not self.samples:
            raise ValueError(f"No data found in {dataset['subsets']}")

    def epoch(self, seed: int) -> list[list[Sample]]:
        """Give the batches of an epoch in the order of a seed."""
        dice = random.Random(seed)  # noqa: S311 - an order, not a secret
        by_bucket: dict[Size, list[Sample]] = defaultdict(list)
        for sample, repeats in zip(self.samples, self.repeats, strict=True):
            by_bucket[sample.bucket] += [sample] * repeats
        batches = []
        for samples in by_bucket.values():
            dice.shuffle(samples)
            size = self.dataset["batch_size"]
            batches += [samples[start : start + size] for start in range(0, len(samples), size)]
        dice.shuffle(batches)
        return batches


def shared(batches: list[list[Sample]], processes: int) -> list[list[list[Sample]]]:
    """Give the batches of each step, one for each process; the last step is filled with the first, as by accelerate."""
    return [
        [batches[at % len(batches)] for at in range(first, first + processes)]
        for first in range(0, len(batches), processes)
    ]


def images_of(subset: dict[str, str]) -> list[Path]:
    """Images of a subset, in the order of their names."""
    return sorted(path for path in Path(subset["image_dir"]).iterdir() if path.suffix in EXTENSIONS)


def _sample(path: Path, chooser: BucketChooser, vae: Any, extension: str) -> Sample:
    caption = path.with_suffix(extension).read_text("utf-8").strip()
    with Image.open(path) as image:
        resized, bucket = chooser.fit(image.size)
        layers = _resized(image if image.mode == "RGBA" else image.convert("RGB"), resized, bucket).astype(np.float32)
    pixels, alpha = torch.from_numpy(layers[..., :3] / 127.5 - 1), torch.from_numpy(layers[..., 3:] / 255)
    with torch.no_grad():
        latent = vae.encode(pixels.permute(2, 0, 1)[None].to(vae.device)).latent_dist.sample()
    mask = interpolate(alpha.permute(2, 0, 1)[None], latent.shape[2:], mode="area")[0] if image.mode == "RGBA" else None
    return Sample(latent[0] * LATENT_SCALE, caption, bucket, mask)


def _resized(image: Image.Image, size: Size, bucket: Size) -> NDArray[np.uint8]:
    """Resize by area means when that shrinks, by Lanczos when it does not, and crop the middle: as sd-scripts does."""
    if image.width >= size[0] and image.height >= size[1]:
        across, down = _areas(image.width, size[0]), _areas(image.height, size[1])
        means = np.einsum("yh,hwc,xw->yxc", down, np.asarray(image, dtype=np.float32), across, optimize=True)
        pixels = np.rint(means).astype(np.uint8)
    else:
        pixels = np.asarray(image.resize(size, Image.Resampling.LANCZOS))
    left, top = (size[0] - bucket[0]) // 2, (size[1] - bucket[1]) // 2
    return pixels[top : top + bucket[1], left : left + bucket[0]]


def _areas(before: int, after: int) -> NDArray[np.float32]:
    """Share that each old pixel has in each new one, (after, before); Pillow's BOX takes whole pixels only."""
    edges, old = np.linspace(0, before, after + 1), np.arange(before)
    overlap = np.minimum(edges[1:, None], old + 1) - np.maximum(edges[:-1, None], old)
    return (overlap.clip(0) * after / before).astype(np.float32)
