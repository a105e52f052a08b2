"""Show a run while it goes on: a display on a terminal, lines elsewhere, JSON lines when asked; and its last lines."""

from lorarecipe.live.course import Course, course_of
from lorarecipe.live.ending import Outcome, last_lines, rehearsed
from lorarecipe.live.showing import draws_tables, show
from lorarecipe.live.summary import Summary, summaries, summary_table

__all__ = [
    "Course",
    "Outcome",
    "Summary",
    "course_of",
    "draws_tables",
    "last_lines",
    "rehearsed",
    "show",
    "summaries",
    "summary_table",
]
