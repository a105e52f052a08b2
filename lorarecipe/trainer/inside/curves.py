"""Read the curves of trainings from their TensorBoard logs, in the trainer's environment, which has its reader.

Usage: python curves.py < FOLDERS > CURVES, both JSON: a folder of logs by any name; its points by tag, by that name

A training that was resumed has a log for each process, in a folder that begins with the steps that were done before:
sd-scripts counts from nothing each time. What is by epochs (``loss/epoch_average``) is left out.
"""

import json
import os
import sys

from tensorboard.backend.event_processing.event_accumulator import SCALARS, EventAccumulator


def curves_in(folder):
    """Give steps and values by tag; a later process tells of a step again."""
    curves: dict[str, dict[int, float]] = {}
    for name in sorted(os.listdir(folder)):
        done = int(name.partition("-")[0])
        for place, _, files in os.walk(os.path.join(folder, name)):
            if not any(".tfevents." in file for file in files):
                continue
            log = EventAccumulator(place, size_guidance={SCALARS: 0})
            log.Reload()
            for tag in log.Tags()[SCALARS]:
                if not tag.startswith("loss/epoch"):
                    curves.setdefault(tag, {}).update({one.step + done: one.value for one in log.Scalars(tag)})
    return {tag: sorted(points.items()) for tag, points in curves.items()}


if __name__ == "__main__":
    print(json.dumps({name: curves_in(folder) for name, folder in json.load(sys.stdin).items()}))
