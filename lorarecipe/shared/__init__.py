"""The shared store: stages that other machines have finished, in a bucket, on a hub or in a folder."""

from lorarecipe.shared.address import VARIABLE, SharedAddress, shared_address
from lorarecipe.shared.store import DamagedStage, SharedStage, SharedStore, shared_store, stage_of

__all__ = [
    "VARIABLE",
    "DamagedStage",
    "SharedAddress",
    "SharedStage",
    "SharedStore",
    "shared_address",
    "shared_store",
    "stage_of",
]
