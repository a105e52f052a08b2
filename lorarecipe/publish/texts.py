"""Fill in the templates of this room, which are Markdown."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import jinja2


def filled(template: str, **values: object) -> str:
    """Fill a template in; what stands between the backquotes of ``code`` is no Markdown."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=False,  # noqa: S701 - it is no HTML
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["code"] = code
    return environment


def code(text: str) -> str:
    """Mark a text as code, whatever it holds."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence, space = "`" * (longest + 1), " " if longest else ""
    return f"{fence}{space}{text}{space}{fence}"
