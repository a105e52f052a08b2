"""Tags that the method knows (Danbooru's spelling: spaces, lower case), and what is written in their place."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from lorarecipe.dataset import plain

#: how much of the figure is in the frame, from near to far
ZOOMS = ("close-up", "portrait", "upper body", "cowboy shot", "feet out of frame", "full body")

#: all that a target caption may hold: Emanon's list of May 2023
CLOSED_LIST = frozenset({"white background", "from behind", "nude", "completely nude", "arms at sides", *ZOOMS})

_COLOURS = "red green blue white black blonde brown grey pink purple orange aqua"
HAIR_COLOURS = frozenset({f"{colour} hair" for colour in _COLOURS.split()} | {"multicolored hair"})
_LENGTHS = {f"{length} hair" for length in ("very short", "short", "medium", "long", "very long", "absurdly long")}
_STYLES = (
    "ponytail, side ponytail, high ponytail, low ponytail, twintails, low twintails, short twintails, bob cut, "
    "braid, single braid, twin braids, french braid, side braid, hair bun, single hair bun, double bun, hime cut, "
    "pixie cut, bald, drill hair, twin drills, half updo, one side up, two side up, wavy hair, curly hair, "
    "straight hair, messy hair, spiked hair, afro, dreadlocks, mohawk, undercut, ahoge, blunt bangs, hair over one eye"
)
HAIRSTYLES = frozenset(_LENGTHS | set(_STYLES.split(", ")))
_BODIES = (
    "muscular, muscular female, toned, plump, slim, skinny, tall, short, curvy, wide hips, narrow waist, thick thighs, "
    "abs, dark skin, dark-skinned female, tan, pale skin, mature female, mature male, gyaru, pointy ears"
)
BODIES = frozenset(
    {f"{size} breasts" for size in ("small", "medium", "large", "huge", "gigantic")}
    | {"flat chest", "pectorals", "large pectorals", *_BODIES.split(", ")}
)

#: written often, and no tag: what they should be (Danbooru's aliases, and common slips)
ALIASES = {
    "yellow hair": "blonde hair",
    "golden hair": "blonde hair",
    "blond hair": "blonde hair",
    "platinum blonde hair": "blonde hair",
    "silver hair": "grey hair",
    "gray hair": "grey hair",
    "light brown hair": "brown hair",
    "violet hair": "purple hair",
    "cyan hair": "aqua hair",
    "orange-hair": "orange hair",
    "twin tails": "twintails",
    "twintail": "twintails",
    "pigtails": "twintails",
    "pony tail": "ponytail",
    "bobcut": "bob cut",
    "shorthair": "short hair",
    "longhair": "long hair",
    "shoulder-length hair": "medium hair",
    "bun": "hair bun",
    "naked": "nude",
    "fully nude": "completely nude",
    "totally nude": "completely nude",
    "completely naked": "completely nude",
    "big breasts": "large breasts",
    "large chest": "large breasts",
    "small chest": "small breasts",
    "flat-chested": "flat chest",
    "fullbody": "full body",
    "full-body": "full body",
    "full shot": "full body",
    "upperbody": "upper body",
    "upper-body": "upper body",
    "cowboy-shot": "cowboy shot",
    "close up": "close-up",
    "closeup": "close-up",
    "back view": "from behind",
    "rear view": "from behind",
    "from the back": "from behind",
    "white_bg": "white background",
    "white bg": "white background",
    "arms at side": "arms at sides",
    "arms at her sides": "arms at sides",
    "arms by sides": "arms at sides",
}

#: sRGB of hair as it is commonly drawn
NOMINAL_HAIR = {
    "yellow": (235, 210, 80),
    "orange": (235, 140, 60),
    "pink": (245, 150, 190),
    "aqua": (90, 215, 225),
    "purple": (130, 65, 170),
    "brown": (125, 80, 45),
    "red": (200, 40, 40),
    "green": (50, 150, 60),
    "blue": (50, 80, 190),
    "white": (240, 240, 240),
    "black": (25, 25, 30),
}

_KINDS = {
    "a pose": "standing, sitting, kneeling, t-pose, a-pose, arms up, arm up, arm at side, straight-on, spread arms",
    "a view": "from side, from above, from below, profile, facing away, three quarter view, from front, front view",
    "a quality tag": "masterpiece, best quality, high quality, good quality, normal quality, low quality, "
    "worst quality, amazing quality, highres, absurdres, lowres, very aesthetic, score 9",
    "a style tag": "3d, realistic, photorealistic, anime, anime style, koikatsu, koikatsu (medium), mikumikudance, "
    "mikumikudance (medium), blender, blender (medium), honey select, vroid, render, cel shading",
    "a count of people": "1girl, 1boy, 2girls, 2boys, 1other, solo, multiple girls, girl, boy, woman, man",
    "an expression": "smile, expressionless, closed mouth, open mouth, looking at viewer, closed eyes, blush, nose, "
    "lips",
    "a background": "simple background, grey background, transparent background, gradient background, black background",
}
TRAIT_KINDS = {"hair colour": HAIR_COLOURS, "hairstyle": HAIRSTYLES, "body": BODIES}
#: letters of a text that is compared with tags: no tag is longer, and the time grows with the square
_LONGEST = 100
_WORD = r"[^\W_]+"
_KIND_OF = {tag: kind for kind, tags in _KINDS.items() for tag in tags.split(", ")}
_TRAITS = HAIR_COLOURS | HAIRSTYLES | BODIES
_KNOWN = sorted({*CLOSED_LIST, *_TRAITS, *_KIND_OF})


def kind_of(tag: str) -> str:
    """Say what a tag is that is not on the closed list."""
    if tag in _TRAITS or re.search(r" (hair|eyes|skin|breasts)$", tag):
        return "a trait of the character"
    return _KIND_OF.get(tag, "a name or a trigger word, or no tag at all")


def matched(text: str, tags: Iterable[str]) -> str | None:
    """Give the tag among ``tags`` that was surely meant, or None.

    It is the same tag in its normal form, the same but for spaces and hyphens (``white thigh highs``), or the tag that
    an alias stands for.
    """
    known = {**{_squeezed(tag): tag for tag in sorted(tags)}, **{plain(tag): tag for tag in sorted(tags)}}
    form = plain(text)
    alias = ALIASES.get(text) or ALIASES.get(form)
    return known.get(form) or known.get(_squeezed(text)) or (known.get(plain(alias)) if alias else None)


def contained(text: str, tags: Iterable[str]) -> str | None:
    """Give the longest of the ``tags`` that stands, word for word, within a longer text; None when there is none."""
    words = f" {' '.join(re.findall(_WORD, plain(text)))} "
    found = [tag for tag in tags if f" {' '.join(re.findall(_WORD, plain(tag)))} " in words]
    return max(found, key=lambda tag: (len(tag), tag), default=None)


def corrected(text: str) -> str | None:
    """Give the known tag that was surely meant, or None: another letter case, underscores, an alias."""
    tag = ALIASES.get(text) or ALIASES.get(plain(text)) or plain(text)
    return tag if tag != text and tag in _KNOWN else None


def nearest(text: str, tags: Iterable[str]) -> str | None:
    """Give the tag that was perhaps meant."""
    forms = {plain(tag): tag for tag in sorted(tags)}
    near = difflib.get_close_matches(plain(text)[:_LONGEST], forms, n=1, cutoff=0.8)
    return forms[near[0]] if near else None


def _squeezed(text: str) -> str:
    return re.sub(r"[\s\-]", "", plain(text))
