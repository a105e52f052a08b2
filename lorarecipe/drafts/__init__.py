"""From folders of pictures to recipes and captions: what can be found out is written, what cannot is said."""

from lorarecipe.drafts.characters import Character, find_characters, parted
from lorarecipe.drafts.recipes import Draft, base_draft, target_draft
from lorarecipe.drafts.surveys import Hints, Survey, survey

__all__ = [
    "Character",
    "Draft",
    "Hints",
    "Survey",
    "base_draft",
    "find_characters",
    "parted",
    "survey",
    "target_draft",
]
