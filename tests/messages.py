"""The messages of the source: texts for people, with gaps where values are filled in."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

#: whose texts nobody reads in a terminal or on a page: of another process, of files, or no text but words
_SILENT = re.compile(
    r"(trainer/(embedded|inside)|demo|help|locale)/|(cli/completion|recipe/(presets|schema)|run/(pictures|notes|usage)|publish/(card|civitai|snippet)|batch/(sbatch|sky))\.py"
)
#: what makes a text one for people: two words side by side, or a piece of such a text, as ", epoch {epoch}"
_PROSE = re.compile(r"[A-Za-z'][,;:]? +[A-Za-z({0-9]|\} [a-z]|^[;,(] ?[a-z]|[a-z] $")
#: what has the form of a text and is none: expressions, lists of options, paths of options, tags, colours
_NO_TEXT = re.compile(r"\\[a-zA-Z.(*]|^\(\w+\||^\s*\n|%\(|^<|^::|^\w+\\|[^|]\|\w|^import |^(bold|dim) ")
#: tags and names of two words
_NAMES = {
    "SD 1.5",
    "SD 2.1",
    "SDXL 1.0",
    "absolute path",
    "lorarecipe rerun {name}",
    " and ",
    " and the ",
    " of ",
    " or ",
    "--only {name}",
    "--set {text}",
    "--sweep {text}",
    ", or ",
    "1girl, forest",
    "1girl, forest, sitting",
    "1girl, sitting",
    "1girl, {place}, {pose}, {next}",
    "A1111 LoRA hash",
    "Input should be ",
    "Kohya LoCon",
    "No data found",
    "No space left on device",
    "arms at sides",
    "arms up",
    "beach, jumping, dress",
    "blob {st_size}\x00",
    "city street",
    "completely nude",
    "cowboy shot",
    "feet out of frame",
    "forest, night, sitting",
    "from behind",
    "from behind, full body",
    "from front",
    "from side, cowboy shot",
    "full body",
    "git -C {checkout} checkout {commit}",
    "git blob",
    "hood up",
    "indoors, looking back, arms up",
    "lorarecipe setup",
    "lorarecipe: {partition}",
    "lorarecipe {key}",
    "night sky",
    "sd-scripts {commit}",
    "simple background",
    "three quarter",
    "upper body",
    "version https://git-lfs",
    "white background",
    "{name} hair",
    "{style}, from behind",
    "{value} --d {seed} --am {weight} --f {name}",
}
#: what joins a list, or fills in a value that is text of a person
_CALLS = {"compile", "example", "option"}


def messages(package: Path) -> Iterator[tuple[str, str]]:
    """Give each message, and the file that says it.

    Values of a message are written ``{name}``, by what they are called in the source.
    """
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        if not _SILENT.match(name):
            found = _Texts(words_only=name == "rules/vocabulary.py")
            found.visit(ast.parse(path.read_text("utf-8")))
            yield from ((text, f"lorarecipe/{name}") for text in found.texts)


class _Texts(ast.NodeVisitor):
    """Collects the texts of a module."""

    def __init__(self, *, words_only: bool) -> None:
        self.texts: list[str] = []
        self._words_only = words_only

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # a docstring
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = _name(node.func)
        if name == "count" and any(isinstance(one, ast.Constant) for one in node.args[1:]):
            nouns = [str(argument.value) for argument in node.args[1:] if isinstance(argument, ast.Constant)]
            self.texts += [f"{{number}} {noun}" for noun in (*nouns, f"{nouns[0]}s")[:2]]
        if name not in _CALLS:
            self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self._add(node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        self._add(_template(node))
        for value in node.values:
            if isinstance(value, ast.FormattedValue):
                self.visit(value.value)

    def _add(self, text: str) -> None:
        for line in text.split("\n"):
            bare = line.strip() if line.startswith("  ") else line
            literal = re.sub(r"\{\w*\}", "", bare)
            is_text = (
                re.search("[A-Za-z]{2}", literal)
                and _PROSE.search(bare)
                and not (_NO_TEXT.search(text) or text in _NAMES)
            )
            if is_text and (not self._words_only or re.match("an? ", bare)):
                self.texts.append(bare)


def _template(node: ast.JoinedStr) -> str:
    parts: list[str] = []
    for value in node.values:
        if isinstance(value, ast.Constant):
            parts.append(str(value.value).replace("{", "{{").replace("}", "}}"))
        elif not (parts and re.search(r"(?<!\{)\{\w+\}$", parts[-1])):  # two values side by side cannot be parted
            assert isinstance(value, ast.FormattedValue)
            name = _name(value.value).rpartition(".")[2]
            taken = sum(bool(re.fullmatch(rf"\{{{name}\d?\}}", part)) for part in parts)
            parts.append(f"{{{name}{taken + 1 if taken else ''}}}")
    return "".join(parts)


def _name(node: ast.expr) -> str:
    """Call a value by what it is in the source."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.strip("_")
        case ast.Call(func=ast.Name(id="count"), args=[_, ast.Constant(value=str(noun)), *_]):
            return noun.split()[-1]
        case ast.Call(func=ast.Attribute(attr="join"), args=[inner]) | ast.Starred(value=inner):
            return _name(inner)
        case ast.Call(func=ast.Name(id="map" | "sorted" | "str" | "len" | "repr" | "clock"), args=[*_, inner]):
            return _name(inner)
        case ast.Call(func=inner) | ast.Subscript(value=inner):
            return _name(inner)
        case ast.GeneratorExp(elt=inner) | ast.ListComp(elt=inner) | ast.BinOp(left=inner):
            return _name(inner)
        case _:
            return "value"
