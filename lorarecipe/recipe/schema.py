"""The JSON Schema of a recipe file, for editors and linters of TOML.

It describes the file as it is written: with no null, and with nothing required that a preset or another table may
fill. What goes beyond one value (``epochs`` or ``steps``, files that exist) is checked when the recipe is loaded.
``lorarecipe.schema.json`` beside this file holds the schema for linters, and for the recipes of a clone.
"""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from lorarecipe.recipe.model import RecipeFile
from lorarecipe.recipe.options import allowed_options

#: keys that the loader fills: from a preset, from the target's training, from a list of characters, or by the method
_FILLED = {
    "RecipeFile": {"base", "name"},
    "Target": {"training"},
    "Refine": {"training"},
    "Training": {"rank", "alpha", "unet_lr", "resolution"},
}
_KINDS = {"flag": "boolean", "int": "integer", "float": "number", "str": "string"}


class _OfToml(GenerateJsonSchema):
    """Writes what a TOML file can hold."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 - pydantic's signature
        """Leave titles to tables: a key's would repeat the key."""
        return False

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """Leave null out, as TOML has none."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Leave out defaults that a file cannot hold, and tables', whose keys have their own."""
        written = super().default_schema(schema)
        if written.get("default") is None or isinstance(written["default"], dict):
            written.pop("default", None)
        return written


def recipe_schema() -> dict[str, Any]:
    """Give the schema, by draft 2020-12 of JSON Schema; read by draft 7, it says the same."""
    schema = RecipeFile.model_json_schema(schema_generator=_OfToml)
    tables = schema["$defs"]
    for name, keys in _FILLED.items():
        table = schema if name == "RecipeFile" else tables[name]
        if required := [key for key in table["required"] if key not in keys]:
            table["required"] = required
        else:
            del table["required"]
    tables["Listed"] |= {"properties": _of_a_character(schema, tables), "additionalProperties": False}
    extra = tables["Training"]["properties"]["extra"]
    extra |= {"properties": _options(), "additionalProperties": False}
    for table in (schema, *tables.values()):
        for key in table["properties"].values():
            if "description" in key:
                key["description"] = " ".join(key["description"].split())
    return {
        "$schema": _OfToml.schema_dialect,
        **schema,
        "title": "lorarecipe",
        "description": "A recipe of lorarecipe: a character LoRA from 3D renders, trained in two phases.",
    }


def _of_a_character(schema: JsonSchemaValue, tables: dict[str, JsonSchemaValue]) -> dict[str, JsonSchemaValue]:
    """Describe what a character of a list may hold: its own keys, and parts of the recipe's tables."""
    keys: dict[str, JsonSchemaValue] = dict(tables["Listed"]["properties"])
    for name, key in schema["properties"].items():
        if name not in {"format", "characters", *keys}:
            table = tables.get(key.get("$ref", "").rpartition("/")[2], {})
            # what a table of the recipe has to hold, the rest of the file may hold already
            keys[name] = {word: of for word, of in table.items() if word != "required"} if "required" in table else key
    return keys


def _options() -> dict[str, JsonSchemaValue]:
    """Describe the options of sd-scripts that ``extra`` may hold."""
    described = {}
    for name, option in sorted(allowed_options().items()):
        value: JsonSchemaValue = {"type": _KINDS[option["kind"]]}
        if option["choices"]:
            value["enum"] = option["choices"]
        if option["many"]:  # what sd-scripts reads several of is a list of "key=value"
            value = {"type": "array", "items": value | {"pattern": "^[^=]+="}}
        described[name] = value
    return described
