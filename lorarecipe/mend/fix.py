"""Apply what rules are certain of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from lorarecipe.dataset import read_caption
from lorarecipe.mend.change import Change
from lorarecipe.rules import UNALTERABLE, Finding, Fix


def fixes(findings: Iterable[Finding]) -> list[Change]:
    """Give the captions that the findings' fixes change.

    Nothing is changed beside a finding that no setting alters: taking a word out of a caption does not make
    the pictures others.
    """
    by_file: defaultdict[Path, list[Fix]] = defaultdict(list)
    for finding in findings:
        if finding.code in UNALTERABLE:
            return []
        if finding.fix:
            by_file[finding.path].append(finding.fix)
    changes = (_mended(path, told) for path, told in sorted(by_file.items()))
    return [change for change in changes if change and not change.is_none]


def _mended(path: Path, told: list[Fix]) -> Change | None:
    """Write each tag once, in its place; no caption that would be left empty, and none with lines that are not read."""
    caption = read_caption(path)
    if caption.problem and not caption.mendable:
        return None
    instead = {fix.tag: fix.instead for fix in told if fix.tag}
    tags = (instead.get(tag, tag) for tag in caption.words)
    text = ", ".join(dict.fromkeys(tag for tag in tags if tag))
    return Change(path, path.read_bytes(), text + "\n") if text else None
