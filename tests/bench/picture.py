"""Put the control arm beside the target, as the README shows them.

Usage: python -m tests.bench.picture, after `lorarecipe run demo-control.toml`; writes tests/bench/results/leaks.png
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

SAMPLES = Path("out/demo-control/samples")
RESULT = Path(__file__).parent / "results" / "leaks.png"
#: of each arm, its folder and the weight of its LoRA
ARMS = {"without a LoRA": (".", 0), "plain LoRA (control)": ("control", 1), "on a base (target)": (".", 1)}
#: a prompt's number and a seed
SHOWN = [(0, 1), (0, 2), (1, 1), (2, 1), (3, 3), (4, 1)]
_SIDE, _LABEL, _GAP = 128, 18, 4


def main() -> None:
    """Draw a row for each arm."""
    page = Image.new("RGB", (len(SHOWN) * (_SIDE + _GAP) - _GAP, len(ARMS) * (_SIDE + _LABEL)), "white")
    pen = ImageDraw.Draw(page)
    for row, (name, (folder, weight)) in enumerate(ARMS.items()):
        top = row * (_SIDE + _LABEL)
        pen.text((0, top + 3), f"{name}, weight {weight}" if weight else name, fill="black")
        for column, (number, seed) in enumerate(SHOWN):
            with Image.open(SAMPLES / folder / f"{number:02}_{weight}_{seed}.png") as picture:
                drawn = picture.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.NEAREST)
            page.paste(drawn, (column * (_SIDE + _GAP), top + _LABEL))
    RESULT.parent.mkdir(exist_ok=True)
    page.quantize(192).save(RESULT, optimize=True)
    print(RESULT)


if __name__ == "__main__":
    main()
