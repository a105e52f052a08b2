"""What is in the folders that a recipe names: images, captions, digests."""

from lorarecipe.dataset.captions import Caption, Tag, plain, read_caption
from lorarecipe.dataset.look import Look, eight_bit, orientation_of
from lorarecipe.dataset.picture import EXTENSIONS, Picture, Problem
from lorarecipe.dataset.scanning import Dataset, Group, Known, OnImage, read_group, scan

__all__ = [
    "EXTENSIONS",
    "Caption",
    "Dataset",
    "Group",
    "Known",
    "Look",
    "OnImage",
    "Picture",
    "Problem",
    "Tag",
    "eight_bit",
    "orientation_of",
    "plain",
    "read_caption",
    "read_group",
    "scan",
]
