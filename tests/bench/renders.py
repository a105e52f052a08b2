"""What the rules that look at pixels make of real renders: right, false and missed findings, rule by rule.

Usage: python -m tests.bench.renders FOLDER

FOLDER holds `expected.tsv`, with the columns `path`, `expected` (the code that a picture must get; `-` for none,
`- or CODE` for either, `NEW` for IMG018) and `model`, and may hold `recipe.toml`, whose pictures are all correct. Each
picture of the list is checked together with the correct ones of its model, as a character's images are.
"""

from __future__ import annotations

import csv
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from lorarecipe.dataset import scan
from lorarecipe.recipe import load
from lorarecipe.rules import check

#: the name of the rule that the first lists had before it was written
_NEW = "IMG018"
_RECIPE = """
format = 1
name = "one"
method = "plain"
preset = "emanon-2023"
[checkpoint]
family = "sd15"
path = "checkpoint.safetensors"
[target]
images = "images"
"""


def found_in(folder: Path, path: str, others: list[str]) -> dict[str, str]:
    """Check a picture beside other pictures of its model; give the severity of each code that it gets."""
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary) / "images"
        place.mkdir()
        for name in {path, *others}:
            for end in (".png", ".txt"):
                shutil.copy((folder / name).with_suffix(end), place)
        (place.parent / "recipe.toml").write_text(_RECIPE, encoding="utf-8")
        findings = check(scan(load(place.parent / "recipe.toml"))).findings
        return {one.code: one.severity for one in findings if one.path.stem == Path(path).stem}


def main(name: str) -> int:
    """Print a line for each picture that got something else than it must, and the counts of each rule."""
    folder = Path(name)
    with (folder / "expected.tsv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    right, false, missed, errors = Counter[str](), Counter[str](), Counter[str](), 0
    pictures = len(rows)
    for row in rows:
        wanted = {code.replace("NEW", _NEW) for code in row["expected"].split(" or ")}
        others = [one["path"] for one in rows if one["model"] == row["model"] and one["expected"] == "-"]
        got = found_in(folder, row["path"], others)
        for code, severity in got.items():
            (right if code in wanted else false)[code] += 1
            errors += severity == "error" and code not in wanted
        missed.update(wanted - got.keys() if "-" not in wanted else ())
        if not (got.keys() <= wanted and (got or "-" in wanted)):
            print(f"{row['path']}: expected {row['expected']}, got {', '.join(sorted(got)) or '-'}")
    if (folder / "recipe.toml").exists():
        checked = check(scan(load(folder / "recipe.toml")))
        pictures += sum(len(group.pictures) for group in checked.dataset.groups)
        for finding in checked.findings:
            if finding.code.startswith(("IMG", "PAR")):
                print(f"recipe.toml: expected -, got {finding}")
                false[finding.code] += 1
                errors += finding.severity == "error"
    print("| rule | right | false | missed |\n| --- | --- | --- | --- |")
    for code in sorted(right.keys() | false.keys() | missed.keys()):
        print(f"| {code} | {right[code]} | {false[code]} | {missed[code]} |")
    print(
        f"{pictures} pictures: {right.total()} right, {false.total()} false ({errors} errors), {missed.total()} missed"
    )
    return int(errors > 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
