"""``lorarecipe schema``."""

from __future__ import annotations

import json

import click


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of recipes, for editors and linters.

    An editor that reads it completes and explains the keys of a recipe (VS Code: Even Better TOML or Tombi). Save it
    beside the recipe as lorarecipe.schema.json, and write `#:schema ./lorarecipe.schema.json` as the recipe's first
    line.
    """
    from lorarecipe.recipe.schema import recipe_schema

    click.echo(json.dumps(recipe_schema(), indent=2, ensure_ascii=False))
