"""One page a result, that opens offline: what was made, from what, what it shows, and how to make it again."""

from lorarecipe.report.pages import page
from lorarecipe.report.write import refreshed, stories_of, write_report

__all__ = ["page", "refreshed", "stories_of", "write_report"]
