"""Tags that the method knows (Danbooru's spelling: spaces, lower case)."""

from __future__ import annotations

#: how much of the figure is in the frame, from near to far
ZOOMS = ("close-up", "portrait", "upper body", "cowboy shot", "feet out of frame", "full body")

#: all that a target caption may hold: Emanon's list of May 2023
CLOSED_LIST = frozenset({"white background", "from behind", "nude", "completely nude", "arms at sides", *ZOOMS})
