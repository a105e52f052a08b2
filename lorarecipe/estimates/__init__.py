"""What a run will take: pure functions of a plan, and of numbers that are given."""

from lorarecipe.estimates.bound import shortest
from lorarecipe.estimates.memory import Memory, memory_of, unet_bytes
from lorarecipe.estimates.savings import Saving, advice_of, savings_of
from lorarecipe.estimates.time import Past, Timing, time_of

__all__ = [
    "Memory",
    "Past",
    "Saving",
    "Timing",
    "advice_of",
    "memory_of",
    "savings_of",
    "shortest",
    "time_of",
    "unet_bytes",
]
