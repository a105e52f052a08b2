"""What a run will take: pure functions of a plan, and of numbers that are given."""

from lorarecipe.estimates.bound import shortest
from lorarecipe.estimates.memory import Memory, memory_of, unet_bytes
from lorarecipe.estimates.savings import Saving, advice_of, savings_of
from lorarecipe.estimates.time import TIMED, Past, Timing, times_of

__all__ = [
    "TIMED",
    "Memory",
    "Past",
    "Saving",
    "Timing",
    "advice_of",
    "memory_of",
    "savings_of",
    "shortest",
    "times_of",
    "unet_bytes",
]
