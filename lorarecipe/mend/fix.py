"""Apply what rules are certain of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from lorarecipe.dataset import read_caption
from lorarecipe.files import read_file
from lorarecipe.mend.change import Change
from lorarecipe.rules import UNALTERABLE, Finding, Fix


def fixes(
    findings: Iterable[Finding], whole: frozenset[str] = frozenset(), encoding: str | None = None
) -> list[Change]:
    """Give the captions that the findings' fixes change.

    Nothing is changed beside a finding that no setting alters: taking a word out of a caption does not make
    the pictures others.

    Parameters
    ----------
    findings
        What the check found.
    whole
        Tags of the recipes in their normal form, as ``read_caption`` takes them.
    encoding
        What captions are written in whose encoding cannot be distinguished from their bytes; without it, they are left.
    """
    by_file: defaultdict[Path, list[Fix]] = defaultdict(list)
    for finding in findings:
        if finding.code in UNALTERABLE:
            return []
        if finding.fix and (encoding or not finding.fix.undecided):
            by_file[finding.path].append(finding.fix)
    changes = (_mended(path, given, whole, encoding) for path, given in sorted(by_file.items()))
    return [change for change in changes if change and not change.is_none]


def _mended(path: Path, given: list[Fix], whole: frozenset[str], encoding: str | None) -> Change | None:
    """Write each tag once, in its order; a caption that would be left empty, or is not sure, is not written."""
    before = read_file(path)
    caption = read_caption(path, whole, encoding)
    if caption.problem and not caption.mendable:
        return None
    instead = {fix.tag: fix.instead for fix in given if fix.tag}
    edits = tuple((tag, instead[tag]) for tag in caption.words if tag in instead)
    text = ", ".join(dict.fromkeys(tag for tag in (instead.get(tag, tag) for tag in caption.words) if tag))
    return Change(path, before, text + "\n", edits) if text else None
