"""The demo as a folder that can be run: its recipes, its characters' renders and its checkpoint, in any folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lorarecipe.demo import renders
from lorarecipe.files import write_atomic

_HERE = Path(__file__).parent
#: folder of the renders and the checkpoint, as the recipes name it
_PARTS = "demo"
#: file of the JSON Schema of recipes, for editors; each recipe that is written names it in its first line
_SCHEMA = _HERE.parent / "recipe" / "lorarecipe.schema.json"


def write_kit(folder: Path) -> list[Path]:
    """Write the demo's recipes and their schema into a folder, and what they name into ``demo/`` beside them.

    What is there already is written again, the same.

    Returns
    -------
    list of Path
        The recipes.
    """
    for path, content in _copies(folder):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, content)
    renders.render_all(folder / _PARTS)
    return [folder / recipe.name for recipe in _recipes()]


def foreign_files(folder: Path) -> list[Path]:
    """Find files that stand where the demo's would be written, and are not what this version writes."""
    return [
        *(path for path, content in _copies(folder) if path.exists() and path.read_bytes() != content),
        *renders.foreign_files(folder / _PARTS),
    ]


def _recipes() -> list[Path]:
    return sorted((_HERE / "recipes").glob("*.toml"), key=lambda path: path.stem)


def _copies(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Give each file that is copied from the package: its destination and its content."""
    for recipe in _recipes():
        yield folder / recipe.name, f"#:schema ./{_SCHEMA.name}\n".encode() + recipe.read_bytes()
    yield folder / _SCHEMA.name, _SCHEMA.read_bytes()
    for part in sorted(path for path in (_HERE / "nano").rglob("*") if path.is_file()):
        yield folder / _PARTS / part.relative_to(_HERE), part.read_bytes()
