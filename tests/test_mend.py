from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorarecipe.dataset import Dataset, read_caption, scan
from lorarecipe.demo import NANO, render_all
from lorarecipe.errors import CheckFailed, RecipeError
from lorarecipe.mend import Change, captions_from_names, diff, fixes, write
from lorarecipe.recipe import load
from lorarecipe.rules import Finding, Fix, check

RECIPES = Path(__file__).parent.parent / "recipes"


def _fix(folder: Path) -> list[Change]:
    return fixes(check(scan(load(folder / "recipe.toml"))).findings)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("aoi/full_front", "1girl, White_Background, a0i, arms at sides, full body", "white background, arms at sides, full body"),
        ("aoi/full_front", "white background, naked, arms at side, fullbody", "white background, nude, arms at sides, full body"),
        ("aoi/full_front", "white background, white_background, arms at sides, full body, solo", "white background, arms at sides, full body"),
        ("red/full_front", "Red_Hair, short hair, full-body", "red hair, short hair, full body"),
        ("red/full_front", "\ufeffred hair, short hair, full body", "red hair, short hair, full body"),
    ],
)  # fmt: skip
def test_what_is_certain_is_written(folder: Path, name: str, before: str, after: str) -> None:
    path = folder / f"{name}.txt"
    path.write_text(before, encoding="utf-8")
    [change] = _fix(folder)
    assert (change.path, change.before, change.after) == (path, before.encode(), after + "\n")
    kept = write(change)
    assert kept is not None
    assert kept.read_bytes() == before.encode()
    assert check(scan(load(folder / "recipe.toml"))).findings == ()
    assert _fix(folder) == []  # nothing twice
    assert diff(change).splitlines()[-1] == f"+{after}"


@pytest.mark.parametrize(
    "text",
    [
        "white background, arms at sidez, full body",  # perhaps, but not surely
        "white background, full body",  # who knows where the arms are
        "1girl, solo",  # nothing would be left
        "1girl, white background, arms at sides, full body\nsecond line",
    ],
)
def test_what_is_not_certain_is_left(folder: Path, text: str) -> None:
    (folder / "aoi" / "full_front.txt").write_text(text, encoding="utf-8")
    assert check(scan(load(folder / "recipe.toml"))).findings
    assert _fix(folder) == []


def test_cp932_is_read_and_written_as_utf8(folder: Path) -> None:
    path = folder / "aoi" / "full_front.txt"
    path.write_bytes("白背景, white background, arms at sides, full body".encode("cp932"))
    found = check(scan(load(folder / "recipe.toml"))).findings
    assert {finding.code for finding in found} == {"SET002", "TGT001"}
    assert any("written in cp932 (Shift JIS)" in finding.message for finding in found)
    [change] = _fix(folder)
    assert change.after == "white background, arms at sides, full body\n"


def test_no_word_is_taken_out_to_hide_what_is_drawn(folder: Path) -> None:
    """NEV001 would be gone with the word."""
    for shot, more in (("full_front", ""), ("full_back", "from behind, ")):
        text = f"white background, nude, {more}loli, arms at sides, full body"
        (folder / "aoi" / f"{shot}.txt").write_text(text, encoding="utf-8")
    assert "NEV001" in {finding.code for finding in check(scan(load(folder / "recipe.toml"))).findings}
    assert _fix(folder) == []


def test_a_file_that_changed_meanwhile_is_not_written(folder: Path) -> None:
    path = folder / "aoi" / "full_front.txt"
    path.write_text("1girl, white background, arms at sides, full body")
    [change] = _fix(folder)
    path.write_text("somebody's work")
    with pytest.raises(CheckFailed, match="changed while it was being looked at"):
        write(change)
    assert path.read_text() == "somebody's work"


def test_no_original_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    texts = ["one", "two", "three", "one"]
    for before, after in pairwise(texts):
        path.write_text(before)
        write(Change(path, before.encode(), after))
    assert sorted(kept.read_text() for kept in (tmp_path / ".originals").iterdir()) == ["one", "three", "two"]


TAGS = st.lists(
    st.sampled_from(["1girl", "Nude", "naked", "nude", "white_background", "full body", "x", "arms at side"])
)


@given(TAGS)
def test_mending_twice_is_mending_once(tmp_path_factory: pytest.TempPathFactory, tags: list[str]) -> None:
    path = tmp_path_factory.mktemp("captions") / "a.txt"
    told = {
        "1girl": "",
        "Nude": "nude",
        "naked": "nude",
        "white_background": "white background",
        "x": "",
        "arms at side": "arms at sides",
    }

    def changes() -> list[Change]:
        return fixes(
            Finding(path, 1, 1, "", fix=Fix(tag, told[tag])) for tag in read_caption(path).words if tag in told
        )

    path.write_text(", ".join(tags))
    for change in changes():
        write(change)
    assert changes() == []
    left = [told.get(tag, tag) for tag in tags]
    if any(left):
        assert {*read_caption(path).words} == {*left} - {""}


def _named(folder: Path, pattern: str, more: str = "") -> Dataset:
    told = f'captions = {{ pattern = "{pattern}"{more} }}'
    path = folder / "recipe.toml"
    text = path.read_text("utf-8").replace('images = "aoi"', f'images = "aoi"\n{told}')
    path.write_text(text.replace("[base.training]", f"[base]\n{told}\n[base.training]"), encoding="utf-8")
    return scan(load(path))


def test_captions_from_names_are_those_that_were_there(folder: Path) -> None:
    dataset = _named(folder, "{zoom}_{view}")
    assert len(captions_from_names(dataset)) == 12
    assert all(change.is_none for change in captions_from_names(dataset))


@pytest.mark.parametrize("name", ["demo.toml", "demo-auburn.toml"])
def test_the_demos_captions_are_written_and_clean(tmp_path: Path, name: str) -> None:
    shutil.copytree(RECIPES, tmp_path / "recipes", ignore=shutil.ignore_patterns("renders", "*.safetensors"))
    (tmp_path / "lorarecipe" / "demo").mkdir(parents=True)
    (tmp_path / "lorarecipe" / "demo" / "nano").symlink_to(NANO)
    render_all(tmp_path / "recipes" / "renders" / "demo")
    told = 'captions = { pattern = "{zoom}_{view}" }\n'
    for path in (tmp_path / "recipes").glob("demo*.toml"):
        text = path.read_text("utf-8").replace("repeats = 2\n", f"repeats = 2\n{told}")
        path.write_text(text.replace("[base.training]", f"[base]\n{told}[base.training]"), encoding="utf-8")
    shipped = {path: path.read_text("utf-8") for path in tmp_path.rglob("*.txt")}
    for path in shipped:
        path.unlink()
    for change in captions_from_names(scan(load(tmp_path / "recipes" / name))):
        write(change)
    assert check(scan(load(tmp_path / "recipes" / name))).findings == ()
    assert all(path.read_text("utf-8") == text for path, text in shipped.items() if path.exists())


@pytest.mark.parametrize(
    ("pattern", "name", "words", "caption"),
    [
        ("{zoom}_{view}_{azimuth}", "full_front_0", "", "white background, arms at sides, full body"),
        ("{zoom}_{view}_{azimuth}", "upper_back_180", "", "white background, from behind, upper body"),
        ("{azimuth}-{zoom}", "180-cowboy", "", "white background, from behind, cowboy shot"),
        ("{azimuth}-{zoom}", "-170-close up", "", "white background, from behind, close-up"),
        ("{azimuth}-{zoom}", "090-portrait", "", "white background, portrait"),
        ("{zoom} {any} {view}", "bust x rear", "", "white background, from behind, upper body"),
        ("aoi/{zoom}-{any}", "Upper_Body-1", "", "white background, upper body"),
        ("{zoom}.{view}", "knie.hinten", ', words = { knie = "cowboy shot", hinten = "from behind" }', "white background, from behind, cowboy shot"),
        ("{zoom}_{view}", "full_body_front", "", "white background, arms at sides, full body"),
        ("{zoom}_{view}", "cowboy-shot_from_behind", "", "white background, from behind, cowboy shot"),
        ("{zoom}_{any}", "full_1", ', tags = ["nude"]', "white background, nude, arms at sides, full body"),
    ],
)  # fmt: skip
def test_patterns(folder: Path, pattern: str, name: str, words: str, caption: str) -> None:
    path = folder / "recipe.toml"
    for old in (folder / "aoi").iterdir():
        old.unlink()
    shutil.copy(folder / "red" / "full_front.png", folder / "aoi" / f"{name}.png")
    told = f'images = "aoi"\ncaptions = {{ pattern = "{pattern}"{words} }}'
    path.write_text(path.read_text("utf-8").replace('images = "aoi"', told), encoding="utf-8")
    [change] = captions_from_names(scan(load(path)))
    assert (change.before, change.after) == (None, f"{caption}\n")


def test_names_that_do_not_fit_are_told_at_once(folder: Path) -> None:
    for old, new in (("full_front", "wide_front"), ("full_back", "full_upside"), ("upper_front", "a")):
        (folder / "aoi" / f"{old}.png").rename(folder / "aoi" / f"{new}.png")
    with pytest.raises(CheckFailed) as caught:
        captions_from_names(_named(folder, "{zoom}_{view}"))
    *faults, last = str(caught.value).splitlines()
    assert [fault.partition(":1:1: ")[2].partition(",")[0] for fault in faults] == [
        "found the name 'a'",
        "found 'upside' for a view",
        "found 'wide' for a zoom",
    ]
    assert last == "nothing was written"


@pytest.mark.parametrize(
    "pattern", ["{zoom}{view}", "{view}", "{zoom}_{zoom}", "{shot}", "{zoom", "zoom}", "{}_{zoom}"]
)
def test_patterns_that_cannot_be(folder: Path, pattern: str) -> None:
    with pytest.raises(RecipeError, match=r"recipe.toml:\d+: base.captions.pattern: found .*, expected"):
        _named(folder, pattern)


def test_a_recipe_without_a_pattern(folder: Path) -> None:
    with pytest.raises(RecipeError, match="target: missing; expected captions"):
        captions_from_names(scan(load(folder / "recipe.toml")))
