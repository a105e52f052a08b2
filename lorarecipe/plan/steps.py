"""Images to buckets, buckets to batches, batches to steps: sd-scripts' own arithmetic.

Checked against the pinned checkout (``library/train_util.py``: ``BucketManager``, ``make_buckets``;
``train_network.py``: the step counts) by a test that runs both.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from lorarecipe.recipe import Buckets, Training

Size = tuple[int, int]


@dataclass(frozen=True)
class Bucket:
    """Images of one size: ``images`` counts repeats."""

    width: int
    height: int
    images: int
    batches: int


@dataclass(frozen=True)
class Steps:
    """How long a training is."""

    buckets: tuple[Bucket, ...]
    batches: int
    """Batches of an epoch, over all buckets."""
    per_epoch: int
    """Optimizer steps of an epoch."""
    total: int
    """Optimizer steps of the training."""
    epochs: int


def count_steps(sizes: Iterable[tuple[Size, int]], training: Training, processes: int) -> Steps:
    """Count the steps of a training.

    Parameters
    ----------
    sizes
        Width and height in pixels of every image, and its repeats.
    training
        Its settings.
    processes
        Processes that share the batches.

    Returns
    -------
    Steps
        A last, smaller batch of a bucket counts as one; so does a last, smaller accumulation.
    """
    chooser = BucketChooser(training.resolution, training.buckets)
    counts: Counter[Size] = Counter()
    for size, repeats in sizes:
        counts[chooser.bucket(size)] += repeats
    buckets = tuple(
        Bucket(*size, images, math.ceil(images / training.batch_size)) for size, images in sorted(counts.items())
    )
    batches = sum(bucket.batches for bucket in buckets)
    per_epoch = math.ceil(math.ceil(batches / processes) / training.accumulation)
    if training.epochs is None:
        assert training.steps is not None
        return Steps(buckets, batches, per_epoch, training.steps, math.ceil(training.steps / max(per_epoch, 1)))
    total = training.epochs * math.ceil(batches / processes / training.accumulation)
    return Steps(buckets, batches, per_epoch, total, training.epochs)


class BucketChooser:
    """Gives the bucket of an image as sd-scripts would."""

    def __init__(self, resolution: Size, buckets: Buckets | None) -> None:
        self._area = resolution[0] * resolution[1]
        self._settings = buckets
        self._sizes = _candidates(resolution, self._settings) if self._settings else [resolution]

    def bucket(self, size: Size) -> Size:
        """Size of the bucket; a side of 0 when the image is too small for one."""
        return self.fit(size)[1]

    def fit(self, size: Size) -> tuple[Size, Size]:
        """Size that an image is resized to, and the bucket that its middle is cropped to."""
        if self._settings and self._settings.no_upscale:
            return self._without_upscale(size, self._settings.step)
        ratio = size[0] / size[1]
        nearest = min(self._sizes, key=lambda candidate: abs(candidate[0] / candidate[1] - ratio))
        width, height = size if size in self._sizes else nearest
        scale = height / size[1] if ratio > width / height else width / size[0]
        return (int(size[0] * scale + 0.5), int(size[1] * scale + 0.5)), (width, height)

    def _without_upscale(self, size: Size, step: int) -> tuple[Size, Size]:
        width, height = size
        ratio = width / height
        if width * height > self._area:
            wide = math.sqrt(self._area * ratio)
            by_width = _floor(wide, step)
            by_height = _floor(self._area / wide, step)
            height_of = _floor(by_width / ratio, step)
            if not by_height or not height_of:  # sd-scripts divides by them
                return size, (0, 0)
            of_width, of_height = by_width / height_of, _floor(by_height * ratio, step) / by_height
            if abs(of_width - ratio) < abs(of_height - ratio):
                width, height = by_width, int(by_width / ratio + 0.5)
            else:
                width, height = int(by_height * ratio + 0.5), by_height
        return (width, height), (width - width % step, height - height % step)


def _floor(value: float, step: int) -> int:
    rounded = int(value + 0.5)
    return rounded - rounded % step


def _candidates(resolution: Size, buckets: Buckets) -> list[Size]:
    area, step = resolution[0] * resolution[1], buckets.step
    side = int(math.sqrt(area) // step) * step
    sizes = {(side, side)}
    for width in range(buckets.min, buckets.max + 1, step):
        height = min(buckets.max, int((area // width) // step) * step)
        if height >= buckets.min:
            sizes |= {(width, height), (height, width)}
    return sorted(sizes)
