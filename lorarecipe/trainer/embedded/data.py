"""Images to cached latents, latents to batches: in the buckets, and as often, as sd-scripts would."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from lorarecipe.plan.steps import BucketChooser, Size
from lorarecipe.recipe import Buckets

#: sd-scripts multiplies every SD1 latent by it, whatever the checkpoint's configuration says
SCALE = 0.18215


@dataclass(frozen=True)
class Sample:
    """One image: its latent (channels x height/8 x width/8, scaled), its caption, its bucket in pixels."""

    latent: Tensor
    caption: str
    bucket: Size


class Batches:
    """Batches of an epoch; each holds images of one bucket."""

    def __init__(self, dataset: dict[str, Any], buckets: Buckets | None, vae: Any) -> None:
        self.dataset = dataset
        size = dataset["resolution"]
        chooser = BucketChooser((size[0], size[1]), buckets)
        self.samples: list[Sample] = []
        self.repeats: list[int] = []
        for subset in dataset["subsets"]:
            for path in sorted(Path(subset["image_dir"]).glob("*.png")):
                self.samples.append(_sample(path, chooser, vae, subset["caption_extension"]))
                self.repeats.append(subset["num_repeats"])
        if not self.samples:
            raise SystemExit("No data found. Please verify arguments")

    def epoch(self, seed: int) -> Iterator[list[Sample]]:
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
        return iter(batches)


def _sample(path: Path, chooser: BucketChooser, vae: Any, extension: str) -> Sample:
    caption = path.with_suffix(extension).read_text("utf-8").strip()
    with Image.open(path) as image:
        resized, bucket = chooser.fit(image.size)
        pixels = np.asarray(_resized(image.convert("RGB"), resized, bucket), dtype=np.float32) / 127.5 - 1
    with torch.no_grad():
        latent = vae.encode(torch.from_numpy(pixels).permute(2, 0, 1)[None].to(vae.device)).latent_dist.sample()
    return Sample(latent[0] * SCALE, caption, bucket)


def _resized(image: Image.Image, size: Size, bucket: Size) -> Image.Image:
    """Resize by area means when that shrinks, by Lanczos when it does not, and crop the middle: as sd-scripts does."""
    if image.size != size:
        shrinks = image.width >= size[0] and image.height >= size[1]
        image = image.resize(size, Image.Resampling.BOX if shrinks else Image.Resampling.LANCZOS)
    left, top = (size[0] - bucket[0]) // 2, (size[1] - bucket[1]) // 2
    return image.crop((left, top, left + bucket[0], top + bucket[1]))
