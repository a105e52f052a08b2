"""What the author wrote: the recipe file, read into frozen values with every fault reported at once."""

from lorarecipe.recipe.arguments import arguments_of, dataset_keys_of
from lorarecipe.recipe.captions import Captions
from lorarecipe.recipe.loading import load, load_all
from lorarecipe.recipe.model import (
    Base,
    Character,
    Checkpoint,
    Merge,
    RuleSetting,
    Trainer,
)
from lorarecipe.recipe.overrides import NONE, Overrides
from lorarecipe.recipe.proposal import Proposal, proposed_preset
from lorarecipe.recipe.refine import Refine
from lorarecipe.recipe.samples import Control, Deliver, Distill, Gate, Samples
from lorarecipe.recipe.settings import Setting, settings_of
from lorarecipe.recipe.target import Target
from lorarecipe.recipe.training import Buckets, Training
from lorarecipe.recipe.whole import Recipe

__all__ = [
    "NONE",
    "Base",
    "Buckets",
    "Captions",
    "Character",
    "Checkpoint",
    "Control",
    "Deliver",
    "Distill",
    "Gate",
    "Merge",
    "Overrides",
    "Proposal",
    "Recipe",
    "Refine",
    "RuleSetting",
    "Samples",
    "Setting",
    "Target",
    "Trainer",
    "Training",
    "arguments_of",
    "dataset_keys_of",
    "load",
    "load_all",
    "proposed_preset",
    "settings_of",
]
