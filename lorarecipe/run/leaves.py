"""The leaves of a record, by name: to say in what two of them differ."""

from __future__ import annotations

import json


def flat(value: object, prefix: str = "") -> dict[str, str]:
    """Name every leaf of a record by its way from the top."""
    if isinstance(value, dict):
        return {k: v for name, inner in value.items() for k, v in flat(inner, f"{prefix}.{name}").items()}
    if isinstance(value, list):
        return {k: v for index, inner in enumerate(value) for k, v in flat(inner, f"{prefix}[{index}]").items()}
    return {prefix.removeprefix("."): json.dumps(value, ensure_ascii=False)}
