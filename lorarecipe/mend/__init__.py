"""What is written into the author's folders, and only when asked: captions. Originals are kept."""

from lorarecipe.mend.change import Change, described, diff, write
from lorarecipe.mend.fix import fixes
from lorarecipe.mend.names import caption_tags, captions_from_names, without_pattern

__all__ = ["Change", "caption_tags", "captions_from_names", "described", "diff", "fixes", "without_pattern", "write"]
