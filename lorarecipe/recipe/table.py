"""What all tables of a recipe share: frozen, strict, no unknown keys, paths relative to their file."""

from __future__ import annotations

import os
from pathlib import Path, PureWindowsPath
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, ValidationInfo
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from lorarecipe.recipe.escapes import stray_character
from lorarecipe.recipe.remote import fetched, on_hub, promised


class Table(BaseModel):
    """A table of a recipe."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


def fault(message: str) -> PydanticCustomError:
    """Give the error of a validator of ours; the message says what was found and what was expected."""
    return PydanticCustomError("recipe", "{message}", {"message": message})


def _resolve(value: object, info: ValidationInfo) -> Path:
    """Give the path that a text names: relative to the recipe, or where it is put that a hub has."""
    text, folder = _a_path(value), _folder(info)
    if address := on_hub(text, folder):
        return fetched(address)
    return _on_disk(text, folder)


def _resolve_later(value: object, info: ValidationInfo) -> Path:
    """Give the path that a text names; what a hub has is fetched when a run begins, as it takes gigabytes."""
    text, folder = _a_path(value), _folder(info)
    if address := on_hub(text, folder):
        remote, path = promised(address)
        _context(info)["remotes"][path] = remote
        return path
    return _on_disk(text, folder)


def _folder(info: ValidationInfo) -> Path:
    return Path(_context(info).get("folder", Path()))


def _context(info: ValidationInfo) -> dict[str, Any]:
    return info.context or {"remotes": {}}


def _a_path(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise fault(f"found {value!r}, expected a path")
    if stray := stray_character(value):
        raise fault(stray)
    if len(value) > 1024 or any(len(part.encode()) > 255 for part in value.split("/")):
        raise fault(f"found a path of {len(value)} letters, expected one that a disk can hold")
    return value


def _on_disk(value: str, folder: Path) -> Path:
    try:
        path = Path(folder, Path(value).expanduser())
    except RuntimeError as problem:
        raise fault(f"found {value!r}, whose user is not known here, expected a path that exists") from problem
    if os.name == "posix" and "\\" in value and not path.exists():  # written on Windows, most likely
        return Path(folder, PureWindowsPath(value).as_posix())
    return path


def _a_pattern(value: str) -> str:
    """Read a pattern of paths that was written on Windows as it was meant."""
    if stray := stray_character(value):
        raise fault(stray)
    return value.replace("\\", "/")


def _a_trait(tag: str) -> str:
    if not tag or tag != tag.strip() or "," in tag or not tag.isprintable():
        raise fault(f"found {tag!r}, expected one tag, without commas or spaces round it")
    return tag


def example(*values: object) -> FieldInfo:
    """Give values that a field may have, as TOML's reader gives them: the schema shows them to editors."""
    field: FieldInfo = Field(examples=[*values])
    return field


def shape(**keywords: JsonValue) -> FieldInfo:
    """Tell the schema, in its own keywords, what a validator of ours accepts."""
    field: FieldInfo = Field(json_schema_extra=keywords)
    return field


#: One tag, as captions have it
Trait = Annotated[str, AfterValidator(_a_trait), shape(pattern="^[^,]+$")]

#: A count of anything; the bound keeps arithmetic and argv in reason
Count = Annotated[int, Field(ge=1, le=1_000_000)]

#: A pattern of paths, with `/` between folders
PathPattern = Annotated[str, AfterValidator(_a_pattern)]

_ANY_PATH = Annotated[str, Field(min_length=1)]
#: A path, relative to the file that names it, or an address on a hub
RecipePath = Annotated[Path, BeforeValidator(_resolve, json_schema_input_type=_ANY_PATH), Field(strict=False)]

#: The same of a file that may be too large to fetch before it is needed
LargePath = Annotated[Path, BeforeValidator(_resolve_later, json_schema_input_type=_ANY_PATH), Field(strict=False)]
