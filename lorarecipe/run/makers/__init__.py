"""One module for each kind of stage: how it is made, and how its result is proven. The table is by ``Stage.kind``."""

from typing import Any

from lorarecipe.run.makers import choice, data, fetch, gate, leak, merge, picks, sample, train
from lorarecipe.run.makers.maker import Attempt, Maker, StagePaused, Start

MAKERS: dict[str, Maker[Any]] = {
    "fetch": fetch,
    "data": data,
    "picks": picks,
    "choice": choice,
    "train": train,
    "merge": merge,
    "sample": sample,
    "gate": gate,
    "leak": leak,
}

__all__ = ["MAKERS", "Attempt", "Maker", "StagePaused", "Start"]
