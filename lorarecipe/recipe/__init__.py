"""What the author wrote: the recipe file, read into frozen values with every fault reported at once."""

from lorarecipe.recipe.captions import Captions
from lorarecipe.recipe.load import load, load_all
from lorarecipe.recipe.model import (
    Base,
    Character,
    Checkpoint,
    Engine,
    Merge,
    Recipe,
    RuleSetting,
    Target,
    Trainer,
)
from lorarecipe.recipe.options import EMBEDDED_OPTIONS
from lorarecipe.recipe.samples import Control, Distill, Gate, Samples
from lorarecipe.recipe.training import Buckets, Training

__all__ = [
    "EMBEDDED_OPTIONS",
    "Base",
    "Buckets",
    "Captions",
    "Character",
    "Checkpoint",
    "Control",
    "Distill",
    "Engine",
    "Gate",
    "Merge",
    "Recipe",
    "RuleSetting",
    "Samples",
    "Target",
    "Trainer",
    "Training",
    "load",
    "load_all",
]
