"""What is written into the author's folders, and only when asked: captions. Originals are kept."""

from lorarecipe.mend.change import Change, diff, told, write
from lorarecipe.mend.fix import fixes
from lorarecipe.mend.names import captions_from_names

__all__ = ["Change", "captions_from_names", "diff", "fixes", "told", "write"]
