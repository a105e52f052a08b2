"""Three bases before the gate: the demo's, one of a tenth of its steps, and one of a single character without traits.

Usage: python -m tests.bench.gate [FOLDER], after `lorarecipe demo`; results go to FOLDER (out/gate)

All are asked for the same pictures. The single character's captions hold its zoom and `from behind`, as sd-scripts
takes no empty ones.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from lorarecipe.dataset import scan
from lorarecipe.measures.gate import gate_table
from lorarecipe.plan.gate import gate_samples
from lorarecipe.recipe import load
from lorarecipe.records import Passport, read_record

DEMO = Path("demo.toml")


def bases(folder: Path) -> list[Path]:
    """Write a base recipe for each, with the images of the last."""
    demo = load(DEMO)
    against = len(demo.base.gate.against)
    asked = gate_samples(scan(demo)).prompts[:-against]
    whole = DEMO.read_text("utf-8").replace('"demo/', f'"{Path("demo").absolute()}/')
    before, _, rest = whole.partition("[target]\n")
    base = before.replace("[base.gate]\n", f"[base.gate]\nprompts = {json.dumps(asked)}\n")
    base += "[trainer]\n" + rest.partition("[trainer]\n")[2].partition("[samples]")[0]
    base += "[rules]\n" + rest.partition("[rules]\n")[2]
    head, first, training = (*base.split("[[base.characters]]")[:2], base.partition("[base.training]")[2])
    images = Path("demo").absolute() / "red"
    shutil.copytree(images, folder / "red", dirs_exist_ok=True)
    for caption in (folder / "red").glob("*.txt"):
        tags = [tag.strip() for tag in caption.read_text("utf-8").split(",")]
        caption.write_text(", ".join(tag for tag in tags if tag in {"from behind", "full body", "upper body"}) + "\n")
    alone = f"{head}[[base.characters]]{first.replace(str(images), 'red')}[base.training]{training}"
    excuses = "".join(
        f'{code} = {{ severity = "ignore", reason = "on purpose" }}\n' for code in ("BAS001", "SET005", "SET011")
    )
    recipes = {"demo": base, "tenth": base.replace("steps = 1000", "steps = 100"), "alone": alone + excuses}
    for name, text in recipes.items():
        (folder / f"{name}.toml").write_text(text.replace('"demo-honey"', f'"{name}"'), encoding="utf-8")
    return [folder / f"{name}.toml" for name in recipes]


def main(folder: Path) -> None:
    """Train them and print their gates."""
    folder.mkdir(parents=True, exist_ok=True)
    recipes = bases(folder)
    words = [sys.executable, "-m", "lorarecipe", "run", *map(str, recipes), "--out", str(folder)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    for recipe in recipes:
        [gate] = read_record(folder / recipe.stem / "passport.json", Passport).gate
        print(f"\n{recipe.stem}: {gate.verdict}\n\n{gate_table(gate.checks)}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/gate"))
