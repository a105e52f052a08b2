"""Run a training of sd-scripts so that it can pause within an epoch, and go on just there.

Usage: python resumable.py SCRIPT ARGUMENTS

When the file that LORARECIPE_PAUSE names appears, the training ends after the step that it is at, and its state is in
a folder named after it, the epochs that are done, and the steps of the one that is not. Into every state goes one file
more: how many batches of the epoch were taken, and the random numbers as they were at its start and as they are.
sd-scripts keeps neither: it would take an epoch's images in another order, from their first on. A resumed training
ends with the epoch and the step of it that LORARECIPE_END names: sd-scripts counts its steps from nothing.
"""

import os
import random
import runpy
import sys

from accelerate import Accelerator
from accelerate.data_loader import DataLoaderShard

PLACE = "place.pt"


class Loop:
    """Where the training's loop over batches is."""

    def __init__(self, pause, end, epochs):
        self.pause, self.end, self.accelerator, self.loader = pause, end, None, None
        self.epochs, self.steps = epochs, 0
        self.taken, self.start, self.resumed = 0, None, None

    def saved(self, folder):
        """Write down the place beside a state."""
        import torch

        place = {"taken": self.taken, "steps": self.steps, "start": self.start, "now": dice()}
        torch.save(place, os.path.join(folder, PLACE))

    def loaded(self, folder):
        """Remember the place that a state was saved at."""
        import torch

        self.resumed = torch.load(os.path.join(folder, PLACE), weights_only=False)

    def batches(self, iterate, loader):
        """Give the batches of an epoch, from the place on that it is resumed at."""
        self.loader = self.loader or loader
        if loader is not self.loader:  # validation's
            yield from iterate(loader)
            return
        resumed, self.resumed = self.resumed, None
        if resumed:
            # its first batch is taken before the images are shuffled for the epoch
            loader.collate_fn.dataset.set_current_epoch(self.epochs)
            throw(resumed["start"] or resumed["now"])
        self.taken, self.steps, self.start = 0, 0, dice()
        for batch in iterate(loader):
            if resumed and self.taken < resumed["taken"]:
                self.taken += 1
                if self.taken == resumed["taken"]:
                    self.steps = resumed["steps"]
                    throw(resumed["now"])
                continue
            yield batch
            self.taken += 1
            self.steps += self.accelerator.sync_gradients
            if [self.epochs + 1, self.steps] == self.end:
                return
            if os.path.exists(self.pause) and self.accelerator.sync_gradients:
                self.accelerator.save_state("%s-%06d-%06d-state" % (self.pause, self.epochs, self.steps))
                sys.exit(0)
        self.taken, self.steps, self.start, self.epochs = 0, 0, None, self.epochs + 1


def dice():
    """Give the state of all random numbers."""
    import numpy
    import torch

    return {
        "python": random.getstate(),
        "numpy": numpy.random.get_state(),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else None,
    }


def throw(dice):
    """Set all random numbers to a state."""
    import numpy
    import torch

    random.setstate(dice["python"])
    numpy.random.set_state(dice["numpy"])
    torch.set_rng_state(dice["torch"])
    if dice["cuda"]:
        torch.cuda.set_rng_state_all(dice["cuda"])


def watch(loop):
    """Have accelerate tell the loop of its states and its batches."""
    prepare, save, load, iterate = (
        *(Accelerator.prepare, Accelerator.save_state, Accelerator.load_state),
        DataLoaderShard.__iter__,
    )

    def prepared(self, *args, **kwargs):
        loop.accelerator = self
        return prepare(self, *args, **kwargs)

    def saved(self, output_dir, *args, **kwargs):
        save(self, output_dir, *args, **kwargs)
        loop.saved(output_dir)

    def loaded(self, input_dir, *args, **kwargs):
        load(self, input_dir, *args, **kwargs)
        loop.loaded(input_dir)

    Accelerator.prepare, Accelerator.save_state, Accelerator.load_state = prepared, saved, loaded
    DataLoaderShard.__iter__ = lambda self: loop.batches(iterate, self)


if __name__ == "__main__":
    sys.argv = sys.argv[1:]
    sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))
    first = [int(word.partition("=")[2]) for word in sys.argv if word.startswith("--initial_epoch=")]
    end = [int(word) for word in os.environ["LORARECIPE_END"].split()]
    watch(Loop(os.environ["LORARECIPE_PAUSE"], end, first[0] - 1 if first else 0))
    runpy.run_path(sys.argv[0], run_name="__main__")
