"""What the author wrote: the recipe file, read into frozen values with every fault reported at once."""

from lorarecipe.recipe.captions import Captions
from lorarecipe.recipe.load import load, load_all
from lorarecipe.recipe.model import (
    Base,
    Character,
    Checkpoint,
    Control,
    Engine,
    Merge,
    Recipe,
    RuleSetting,
    Samples,
    Target,
    Trainer,
)
from lorarecipe.recipe.options import EMBEDDED_OPTIONS
from lorarecipe.recipe.training import Buckets, Training

__all__ = [
    "EMBEDDED_OPTIONS",
    "Base",
    "Buckets",
    "Captions",
    "Character",
    "Checkpoint",
    "Control",
    "Engine",
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
