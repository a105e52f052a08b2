"""Resolution and buckets into the keys of ``[target.training]``."""

from __future__ import annotations

import re

from lorarecipe.imports.draft import Draft
from lorarecipe.imports.found import Setting
from lorarecipe.imports.values import number
from lorarecipe.recipe.training import Buckets

_RESOLUTION, _BUCKETS = "target.training.resolution", "target.training.buckets"
#: sides of a latent pixel, and of what the U-Net makes of it
_SIDE, _STEP = 8, 64


def write_sizes(draft: Draft) -> None:
    """Carry over the resolution, and the buckets as far as recipes have such; what is changed is named."""
    setting = draft.take("resolution")
    sides = sides_of(setting.means) if setting else ()
    if setting and not sides:
        draft.leave(setting, "expected pixels: one number, or width and height")
    if setting and sides:
        rounded = tuple(side - side % _SIDE for side in sides)
        if rounded != sides:
            draft.leave(setting, f"the sides of a recipe are multiples of {_SIDE}: written as {_written(rounded)}")
        draft.put(_RESOLUTION, rounded[0] if len({*rounded}) == 1 else [*rounded], setting)
        sides = rounded
    _buckets(draft, sides)


def sides_of(value: object) -> tuple[int, ...]:
    """Read a resolution in any of its forms: ``512``, ``"512,768"``, ``[512, 768]``, ``"(512, 768)"``."""
    texts = value if isinstance(value, list) else re.findall(r"\d+(?:\.0+)?", str(value))
    sides = [side for text in texts if isinstance(side := number(text), int) and side > 0]
    return (sides[0], sides[-1]) if 1 <= len(sides) <= 2 else ()


def _written(sides: tuple[int, ...]) -> str:
    return "x".join(map(str, sides))


def _buckets(draft: Draft, sides: tuple[int, ...]) -> None:
    enabled = draft.take("enable_bucket")
    options = {"step": "bucket_reso_steps", "min": "min_bucket_reso", "max": "max_bucket_reso"}
    given = {name: draft.take(option) for name, option in options.items()}
    no_upscale = draft.take("bucket_no_upscale")
    if enabled and enabled.means is False:
        draft.put(_BUCKETS, False, enabled)
        for setting in (*given.values(), no_upscale):
            draft.same(setting)
        return
    if enabled:
        draft.same(enabled)
    wanted = {name: number(setting.means) if setting else None for name, setting in given.items()}
    default = Buckets()
    step = _STEP
    if (asked := wanted["step"]) and isinstance(asked, int):
        step = max(_STEP, asked - asked % _STEP)
    least, most = wanted["min"] or default.min, wanted["max"] or default.max
    if sides:
        least, most = min(least, *sides), max(most, *sides)
    least, most = max(step, int(least) - int(least) % step), -(-int(most) // step) * step
    _bucket(draft, "step", step, default.step, given["step"], f"bucket steps of a recipe are multiples of {_STEP}")
    around = "buckets are multiples of their step, and have the resolution between them"
    _bucket(draft, "min", least, default.min, given["min"], around)
    _bucket(draft, "max", most, default.max, given["max"], around)
    if no_upscale and no_upscale.means is True:
        draft.put(f"{_BUCKETS}.no_upscale", True, no_upscale)
    elif no_upscale:
        draft.same(no_upscale)


def _bucket(draft: Draft, name: str, value: int, default: int, setting: Setting | None, why: str) -> None:
    if setting and setting.key and number(setting.means) != value:
        draft.leave(setting, f"{why}: written as {value}")
        setting = None
    if value != default:
        draft.put(f"{_BUCKETS}.{name}", value, setting)
    else:
        draft.same(setting)
