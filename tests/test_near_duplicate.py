"""Shots that are nearly the same: each comparison that is left out is of two that differ."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from hypothesis import given, settings
from hypothesis import strategies as st

from lorarecipe.dataset import Caption, Group, Look, Picture
from lorarecipe.dataset.captions import tags_of
from lorarecipe.rules import near_duplicate

_BITS = 1024
HASHES = st.integers(0, 2**_BITS - 1)


def _digits(value: int) -> str:
    return f"{value:0{_BITS // 4}x}"


@st.composite
def groups(draw: st.DrawFn) -> Group:
    """Images of which some are an earlier one with a few bits flipped, or its mirror image, or seen from behind."""
    pictures: list[Picture] = []
    for number in range(draw(st.integers(0, 6))):
        value, mirrored = draw(HASHES), draw(HASHES)
        if draw(st.booleans()) and pictures:
            earlier = draw(st.sampled_from(pictures)).look
            value, mirrored = int(earlier.print, 16), int(earlier.mirrored, 16)
            if draw(st.booleans()):
                value, mirrored = mirrored, value
        flips = draw(st.integers(0, 10))
        for bit in draw(st.lists(st.integers(0, _BITS - 1), unique=True, min_size=flips, max_size=flips)):
            value ^= 1 << bit
        words = draw(st.sampled_from(["full body", "from behind, full body"]))
        caption = Caption(Path(f"{number}.txt"), tuple(tags_of(words, 1)))
        look = Look(print=_digits(value), mirrored=_digits(mirrored))
        pictures.append(Picture(Path(f"{number}.png"), 64, 64, str(number), caption, look))
    strange = Picture(Path("edited.png"), 64, 64, "x", None, Look(print="abcd", mirrored="abcd"))
    return Group("target", Path(), 1, (), (*pictures, strange), ())


def _expected(group: Group) -> dict[str, int]:
    """Compare each image with all earlier ones that are no copies themselves."""
    kept, found = list[Picture](), dict[str, int]()
    for picture in group.pictures[:-1]:
        near = []
        for other in kept:
            its, behind = int(other.look.print, 16), ["from behind" in one.words for one in (other, picture)]
            same = (int(picture.look.print, 16) ^ its).bit_count()
            flipped = (int(picture.look.mirrored, 16) ^ its).bit_count()
            near += [same] if same <= (6 if behind[0] != behind[1] else 8) else []
            near += [flipped] if flipped <= 6 else []
        if near:
            found[picture.path.name] = min(near)
        else:
            kept.append(picture)
    return found


@settings(deadline=None, max_examples=300)
@given(groups())
def test_the_same_are_found_as_by_comparing_all(group: Group) -> None:
    findings = near_duplicate.check(SimpleNamespace(groups=(group,)))  # type: ignore[arg-type]
    found = {finding.path.name: int(finding.message.partition("(")[2].split()[0]) for finding in findings}
    assert found == _expected(group)
