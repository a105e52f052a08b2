"""What is in the folders that a recipe names: images, captions, digests."""

from lorarecipe.dataset.captions import Caption, Tag, read_caption
from lorarecipe.dataset.scan import Dataset, Group, Picture, scan

__all__ = ["Caption", "Dataset", "Group", "Picture", "Tag", "read_caption", "scan"]
