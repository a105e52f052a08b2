"""Nudity and a child or child-like figure stand in one recipe.

Why is this bad?
----------------
lorarecipe does not make such pictures, for anyone, whatever the figure is said to be. No setting and no option lets
it pass.

Example
-------
``recipe.toml``: ``name = "little-girl"``

``aoi/full_front.txt``: ``white background, nude, arms at sides, full body``

Use instead
-----------
``recipe.toml``: ``name = "aoi"``

``aoi/full_front.txt``: ``white background, nude, arms at sides, full body``
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity, at_key

SEVERITY: Severity = "error"

_NUDITY = re.compile(
    r"\b(nude|nudity|naked|topless|bottomless|undressed|nsfw|explicit|nipples?|pussy|penis|vagina|genitals?|sex|sexual"
    r"|porn\w*|hentai|ecchi|bare breasts|breasts out|no (panties|underwear|clothes)|uncensored|cum|masturbation"
    r"|spread legs|lingerie|underwear only)\b|全裸|裸|ヌード|エロ"
)
_CHILD = re.compile(
    r"\b(loli\w*|shota\w*|child|children|childlike|child like|kids?|kiddo|toddlers?|toddlercon|bab(y|ies)|infants?"
    r"|minors?|underage\w*|under age|pre ?teens?|tweens?|teen|teens|teenage\w*|adolescents?|jailbait|aged down"
    r"|(little|young|small|cute little) (girl|boy|sister|brother)s?|elementary school\w*|primary school\w*"
    r"|kindergarten\w*|preschool\w*|middle school\w*|junior high\w*|grade ?schoolers?|randoseru"
    r"|([1-9]|1[0-7]) ?(yo|y o|years? old|year olds?))\b"
    r"|ロリ|ショタ|幼女|幼児|女児|男児|子供|こども|小学生|中学生|園児|未成年"
)


def check(dataset: Dataset) -> Iterator[Finding]:
    """Look for both in everything that the recipe says: names, traits, prompts, captions, names of folders."""
    spoken = list(_words(dataset))
    if not any(_NUDITY.search(text) for _, text in spoken):
        return
    for path, text in spoken:
        if found := _CHILD.search(text):
            message = f"found {found[0]!r} together with nudity; lorarecipe does not train or draw this"
            yield Finding(path, 1, 1, message) if path else at_key(dataset.recipe, ("name",), message)


def nudity_in(text: str) -> str | None:
    """Give the first word of a text that speaks of nudity, if any."""
    found = _NUDITY.search(_spaced(text))
    return found[0] if found else None


def _words(dataset: Dataset) -> Iterator[tuple[Path | None, str]]:
    """Give each text, and the file that it stands in unless that is the recipe."""
    recipe = dataset.recipe
    texts = [recipe.name, recipe.base_name, *recipe.prompts, *recipe.tags]
    texts += [str(group.folder.name) for group in dataset.groups]
    yield from ((None, _spaced(text)) for text in texts)
    for group in dataset.groups:
        for picture in group.pictures:
            if picture.caption:
                yield from ((picture.caption.path, _spaced(word)) for word in picture.caption.words)


@cache
def _spaced(text: str) -> str:
    return re.sub(r"[_\-.\s]+", " ", text.lower())
