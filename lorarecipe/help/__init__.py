"""Pages of the documentation, one file a topic; the README links them, and `lorarecipe help TOPIC` prints them."""

from __future__ import annotations

import re
from pathlib import Path

_HERE = Path(__file__).parent
#: what marks the parts of a page that are made from the program
_MARKS = re.compile(r"^<!-- \[\[\[.*?-->\n", re.MULTILINE)


def topics() -> dict[str, str]:
    """Give the title of each topic's page, by the topic's name, in the order of the names."""
    return {path.stem: _title(path) for path in sorted(_HERE.glob("*.md"))}


def page(topic: str) -> str:
    """Give the Markdown text of a topic's page.

    Raises
    ------
    KeyError
        If there is no such topic.
    """
    if topic not in topics():
        raise KeyError(topic)
    return _MARKS.sub("", (_HERE / f"{topic}.md").read_text(encoding="utf-8"))


def _title(path: Path) -> str:
    with path.open(encoding="utf-8") as lines:
        return next(lines).removeprefix("#").strip()
