"""The demo's own dataset, broken in every way that can be done to one image or caption: each is found by its code."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from lorarecipe.dataset import Dataset, scan
from lorarecipe.demo.renders import BASE
from lorarecipe.recipe import load
from lorarecipe.rules import check
from tests.breaks import IMAGES
from tests.renders import demo_kit

SHOTS = ("full-body_front", "full-body_from-behind", "upper-body_front", "upper-body_from-behind")
CHARACTERS = [*BASE, "honey"]

#: what is done to an image -> code, and the shots that it is a fault of
PICTURES = {
    "web page": ("IMG001", SHOTS),
    "its first half, cut off": ("IMG004", SHOTS),
    "9000x9000 pixels": ("IMG005", SHOTS),
    "two frames": ("IMG006", SHOTS),
    "turned by EXIF": ("IMG007", SHOTS),
    "clear background over black": ("IMG008", SHOTS),
    "on grey": ("IMG009", SHOTS),
    "on a tint": ("IMG009", SHOTS),
    "on a grey floor": ("IMG009", SHOTS[:2]),
    "moved up until its head is cut": ("IMG010", SHOTS),
    "the upper half only": ("IMG011", SHOTS[:2]),
    "as a whole": ("IMG011", SHOTS[2:]),
    "two figures": ("IMG013", SHOTS),
    "no figure": ("IMG013", SHOTS),
    "with the profile of another colour space": ("IMG016", SHOTS),
    "30x40 pixels": ("IMG017", SHOTS),
}
Change = tuple[Callable[[str], str], str]
#: a caption's text -> what it becomes, and the code; for the base, and for the target
_BASE_CAPTIONS: list[Change] = [
    (lambda text: text.partition(", ")[2], "BAS001"),
    (lambda text: f"mychar, {text}", "BAS002"),
    (lambda text: f"1girl, {text}", "BAS002"),
    (lambda text: text.replace(" hair", "_hair", 1), "BAS002"),
]
_TARGET_CAPTIONS: list[Change] = [
    *(
        (lambda text, tag=tag: f"{text}, {tag}", "TGT001")
        for tag in ("1girl", "solo", "honey", "standing", "from side")
    ),
    *(
        (lambda text, tag=tag: f"{text}, {tag}", "TGT001")
        for tag in ("masterpiece", "3d", "blonde hair", "hatsune miku")
    ),
    (lambda text: text.replace("white background", "white_background"), "TGT001"),
    (lambda text: text.replace("white background", "White background"), "TGT001"),
    (lambda text: text.replace("white background, ", ""), "TGT002"),
    (lambda text: text.replace("arms at sides, ", "") if "arms" in text else f"arms at sides, {text}", "TGT003"),
]
_ANY_CAPTIONS: list[Change] = [
    (lambda text: text.rpartition(", ")[0], "PAR001"),
    (lambda text: f"{text}, cowboy shot", "PAR001"),
    (lambda text: text.replace("from behind, ", "") if "behind" in text else f"{text}, from behind", "PAR002"),
    (lambda text: text.replace("full body", "portrait").replace("upper body", "close-up"), "PAR003"),
    (lambda text: "", "SET002"),
    (lambda text: f"\ufeff{text}", "SET002"),
    (lambda text: f"{text}\n{text}", "SET002"),
    (lambda text: f"{text}, nude, loli", "NEV001"),
]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the demo's recipe beside its renders and checkpoint; each test mends what it breaks."""
    folder = tmp_path_factory.mktemp("kit")
    demo_kit(folder)
    return folder


def _scan(demo: Path) -> Dataset:
    return scan(load(demo / "demo.toml"))


@contextmanager
def _mended(path: Path) -> Iterator[None]:
    """Put a file back as it was."""
    before = path.read_bytes()
    try:
        yield
    finally:
        path.write_bytes(before)


def _codes(demo: Path, place: Path) -> set[str]:
    """What is found of an image, its caption, and the recipe."""
    found = check(_scan(demo)).findings
    return {
        one.code for one in found if one.path.suffix == ".toml" or one.path.with_suffix("") == place.with_suffix("")
    }


def test_the_demo_is_clean(demo: Path) -> None:
    assert check(_scan(demo)).findings == ()


@pytest.mark.parametrize("character", CHARACTERS)
@pytest.mark.parametrize("what", PICTURES)
def test_an_image(demo: Path, what: str, character: str) -> None:
    code, shots = PICTURES[what]
    for shot in shots:
        path = demo / "demo" / character / f"{shot}.png"
        with _mended(path):
            IMAGES[what](path)
            assert code in _codes(demo, path), shot


def test_spread_arms(demo: Path) -> None:
    """Only a target's caption says where the arms are."""
    for shot in SHOTS[:2]:
        path = demo / "demo" / "honey" / f"{shot}.png"
        with _mended(path):
            IMAGES["with spread arms"](path)
            assert "IMG012" in _codes(demo, path), shot


@pytest.mark.parametrize("character", CHARACTERS)
@pytest.mark.parametrize(("name", "code"), [("{0}.jpg", "IMG002"), ("{0}.Png", "IMG014"), ("again.png", "IMG015")])
def test_another_file(demo: Path, character: str, name: str, code: str) -> None:
    for shot in SHOTS:
        folder = demo / "demo" / character
        path = folder / name.format(shot)
        shutil.copy(folder / f"{shot}.png", path)
        if not path.with_suffix(".txt").exists():
            shutil.copy(folder / f"{shot}.txt", path.with_suffix(".txt"))
        assert code in {finding.code for finding in check(_scan(demo)).findings}
        path.unlink()
        (folder / "again.txt").unlink(missing_ok=True)


@pytest.mark.parametrize("character", CHARACTERS)
def test_a_caption(demo: Path, character: str) -> None:
    own = _TARGET_CAPTIONS if character == "honey" else _BASE_CAPTIONS
    for shot in SHOTS:
        path = demo / "demo" / character / f"{shot}.txt"
        before = path.read_text("utf-8")
        with _mended(path):
            for change, code in (*own, *_ANY_CAPTIONS):
                path.write_text(change(before.strip()), encoding="utf-8")
                assert code in _codes(demo, path), f"{shot}: {path.read_text('utf-8')!r}"
            path.unlink()
            assert "SET002" in _codes(demo, path)


def test_the_light_of_a_whole_character(demo: Path) -> None:
    folder = demo / "demo" / "honey"
    with ExitStack() as stack:
        for path in sorted(folder.glob("*.png")):
            stack.enter_context(_mended(path))
            IMAGES["in half the light"](path)
        assert {finding.code for finding in check(_scan(demo)).findings} == {"PAR004"}
