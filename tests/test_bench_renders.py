"""``tests.bench.renders`` on a folder of drawn figures: it counts what is found, and errors on correct pictures fail it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from tests.bench.renders import main
from tests.renders import shoot


@pytest.fixture
def renders(tmp_path: Path) -> Path:
    """Three pictures of a figure: a correct one, one on grey, and one with a frame round it."""
    right = shoot("red hair", "short hair", "full_front", (512, 768)).convert("RGB")
    grey = Image.eval(right, lambda level: min(level, 200))
    framed = right.copy()
    ImageDraw.Draw(framed).rectangle((0, 0, 511, 767), outline="black")
    for name, picture in (("right", right), ("grey", grey), ("framed", framed)):
        picture.save(tmp_path / f"{name}.png")
        (tmp_path / f"{name}.txt").write_text("full body\n")
    return tmp_path


def _expect(folder: Path, **codes: str) -> None:
    rows = ["path\texpected\tmodel", *(f"{name}.png\t{code}\tred" for name, code in codes.items())]
    (folder / "expected.tsv").write_text("\n".join(rows) + "\n")


def test_what_is_found_is_counted(renders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _expect(renders, right="-", grey="IMG009", framed="IMG009")
    assert main(str(renders)) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "| IMG009 | 2 | 0 | 0 |",
        "3 pictures: 2 right, 0 false (0 errors), 0 missed",
    ]


def test_a_false_error_fails(renders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _expect(renders, right="IMG013", grey="-")
    assert main(str(renders)) == 1
    out = capsys.readouterr().out
    assert "grey.png: expected -, got IMG009" in out
    assert out.endswith("2 pictures: 0 right, 1 false (1 errors), 1 missed\n")
