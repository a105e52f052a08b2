from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorarecipe.dataset import Dataset, plain, read_caption, scan
from lorarecipe.errors import CheckFailed, RecipeError
from lorarecipe.mend import Change, captions_from_names, diff, fixes, write
from lorarecipe.recipe import load
from lorarecipe.rules import Finding, Fix, check
from lorarecipe.rules.vocabulary import CLOSED_LIST, matched
from tests.renders import demo_kit

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
        "A girl stands on a white background with arms at her sides. She is nude.",  # who knows what is cut there
    ],
)
def test_what_is_not_certain_is_left(folder: Path, text: str) -> None:
    (folder / "aoi" / "full_front.txt").write_text(text, encoding="utf-8")
    assert check(scan(load(folder / "recipe.toml"))).findings
    assert _fix(folder) == []


ALLOW = 'images = "aoi"\nallow = { "*" = ["holding sword", "staff (weapon)", "white thighhighs", "dr. slump"] }'


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("holding_sword", "holding sword"),
        ("Holding  Sword", "holding sword"),
        ("ｈｏｌｄｉｎｇ ｓｗｏｒｄ", "holding sword"),
        ("holding-sword", "holding sword"),
        (r"staff \(weapon\)", "staff (weapon)"),
        (r"Staff_\(Weapon\)", "staff (weapon)"),
        ("staff（weapon）", "staff (weapon)"),
        ("white thigh highs", "white thighhighs"),
        ("dr. slump", "dr. slump"),
        ("Dr._Slump", "dr. slump"),
        ("looking at viewer; holding_sword", "holding sword"),
        ("1girl. holding sword. standing", "holding sword"),
        ("solo | Holding sword", "holding sword"),
        ("1girl、holding sword，solo", "holding sword"),
        ("solo\nholding sword", "holding sword"),
        ("solo ||| holding sword", "holding sword"),
    ],
)
def test_an_allowed_tag_is_never_taken_out(
    folder: Path, edit: Callable[[str, str], Path], written: str, right: str
) -> None:
    edit('images = "aoi"', ALLOW)
    rest = "white background, arms at sides, full body"
    path = folder / "aoi" / "full_front.txt"
    path.write_text(f"{written}, {rest}", encoding="utf-8")
    _mend(folder)
    assert path.read_text("utf-8") == (f"{right}, {rest}\n" if written != right else f"{written}, {rest}")
    assert check(scan(load(folder / "recipe.toml"))).findings == ()


@pytest.mark.parametrize(
    "held", ["nude girl", "(nude:1.2)", "a girl who is completely nude", "holding swords", "nude.a"]
)
def test_what_holds_an_allowed_tag_is_left_to_the_author(
    folder: Path, edit: Callable[[str, str], Path], held: str
) -> None:
    edit('images = "aoi"', ALLOW)
    path = folder / "aoi" / "full_front.txt"
    path.write_text(f"White Background, {held}, arms at sides, full body")
    _mend(folder)
    assert path.read_text("utf-8") == f"white background, {held}, arms at sides, full body\n"


@given(st.lists(st.sampled_from(sorted(CLOSED_LIST)), min_size=1, unique=True), st.data())
def test_no_writing_of_an_allowed_tag_is_lost(
    tmp_path_factory: pytest.TempPathFactory, tags: list[str], data: st.DataObject
) -> None:
    def strange(tag: str) -> str:
        tag = "".join(data.draw(st.sampled_from([c, c.upper()])) for c in tag)
        return tag.replace(" ", data.draw(st.sampled_from([" ", "_", "  ", "　"])))

    marks = [", ", ",", "，", "、", "; ", " ;  ", "|", " ||| ", "\n", "\r\n", ". "]
    text = strange(tags[0]) + "".join(data.draw(st.sampled_from(marks)) + strange(tag) for tag in tags[1:])
    path = tmp_path_factory.mktemp("captions") / "a.txt"
    path.write_bytes(text.encode())
    assert [matched(word, CLOSED_LIST) for word in read_caption(path).words] == tags


def _mend(folder: Path, encoding: str | None = None) -> None:
    """Mend until nothing is left that is certain."""
    recipe = load(folder / "recipe.toml")
    for _ in range(2):
        whole = frozenset(map(plain, recipe.tags))
        for change in fixes(check(scan(recipe)).findings, whole, encoding):
            write(change)


CAPTION = "white background, arms at sides, full body"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le-sig", "utf-16-be-sig", "utf-32", "utf-8-sig"])
def test_a_byte_order_mark_is_certain(folder: Path, encoding: str) -> None:
    path = folder / "aoi" / "full_front.txt"
    mark = "\ufeff" if encoding.count("-sig") and encoding != "utf-8-sig" else ""
    path.write_bytes((mark + CAPTION).encode(encoding.replace("e-sig", "e")))
    _mend(folder)
    assert path.read_text("utf-8") == CAPTION + "\n"


@pytest.mark.parametrize(
    ("encoding", "tag"),
    [
        ("cp1252", "sailor’s collar"),
        ("cp932", "白背景"),
        ("big5", "白色背景"),
        ("cp949", "흰 배경"),
        ("cp1251", "белый фон"),
        ("utf-16-le", "sailor"),
        ("utf-16-be", "白背景"),
    ],
)
def test_an_encoding_that_is_not_certain_is_the_authors_to_name(folder: Path, encoding: str, tag: str) -> None:
    path = folder / "aoi" / "full_front.txt"
    content = f"{CAPTION}, {tag}".encode(encoding)
    path.write_bytes(content)
    found = [finding for finding in check(scan(load(folder / "recipe.toml"))).findings if finding.path == path]
    assert [finding.code for finding in found] == ["SET002"]
    assert "--encoding NAME" in found[0].message
    assert f"{encoding.replace('-', '_')} reads 'white background" in found[0].message
    assert _fix(folder) == []
    assert path.read_bytes() == content
    [change] = fixes(found, encoding=encoding)
    assert change.after == f"{CAPTION}, {tag}\n"


def test_an_encoding_that_does_not_fit_writes_nothing(folder: Path) -> None:
    path = folder / "aoi" / "full_front.txt"
    path.write_bytes(b"white background, \xff\xff")
    assert fixes(check(scan(load(folder / "recipe.toml"))).findings, encoding="euc_jp") == []


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


def test_what_has_the_name_of_an_original_is_left(tmp_path: Path) -> None:
    path, kept = tmp_path / "a.txt", tmp_path / ".originals"
    path.write_text("one")
    kept.mkdir()
    digest = hashlib.sha256(b"one").hexdigest()
    (kept / f"a.{digest[:8]}.txt").write_text("planted")
    (kept / f"a.{digest[:16]}.txt").symlink_to(tmp_path / "elsewhere")
    place = write(Change(path, b"one", "two"))
    assert place is not None
    assert place.read_text() == "one"
    assert (kept / f"a.{digest[:8]}.txt").read_text() == "planted"
    assert not (tmp_path / "elsewhere").exists()


def test_originals_that_are_a_link_are_not_written_to(tmp_path: Path) -> None:
    path, outside = tmp_path / "in" / "a.txt", tmp_path / "outside"
    path.parent.mkdir()
    outside.mkdir()
    path.write_text("one")
    (path.parent / ".originals").symlink_to(outside)
    with pytest.raises(CheckFailed, match="expected a folder for originals"):
        write(Change(path, b"one", "two"))
    assert (path.read_text(), list(outside.iterdir())) == ("one", [])


@pytest.mark.parametrize("stem", ["x" * 240, "あ" * 80, "é" * 100, "a.b" * 60])
def test_a_long_name_is_mended(tmp_path: Path, stem: str) -> None:
    path = tmp_path / f"{stem}.txt"
    path.write_text("one")
    kept = write(Change(path, b"one", "two"))
    assert kept is not None
    assert (kept.read_text(), path.read_text()) == ("one", "two")


def test_a_mended_caption_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("one")
    path.chmod(0o600)
    write(Change(path, b"one", "two"))
    assert path.stat().st_mode & 0o777 == 0o600


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
    demo_kit(tmp_path)
    told = 'captions = { pattern = "{zoom}_{view}" }\n'
    for path in tmp_path.glob("demo*.toml"):
        text = path.read_text("utf-8").replace("repeats = 2\n", f"repeats = 2\n{told}")
        path.write_text(text.replace("[base.training]", f"[base]\n{told}[base.training]"), encoding="utf-8")
    shipped = {path: path.read_text("utf-8") for path in tmp_path.rglob("*.txt")}
    for path in shipped:
        path.unlink()
    for change in captions_from_names(scan(load(tmp_path / name))):
        write(change)
    assert check(scan(load(tmp_path / name))).findings == ()
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
        ("{any}_{zoom}_{view}", "aoi_v2_full_body_front", "", "white background, arms at sides, full body"),
        ("{any}_{zoom}_{any}_{view}", "full_upper_back_front", "", "white background, upper body"),
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


def test_several_patterns(folder: Path) -> None:
    (folder / "aoi" / "full_front.png").rename(folder / "aoi" / "front-full.png")
    text = (folder / "recipe.toml").read_text("utf-8")
    table = 'images = "aoi"\ncaptions = { pattern = ["{zoom}_{view}", "{view}-{zoom}"] }'
    (folder / "recipe.toml").write_text(text.replace('images = "aoi"', table), encoding="utf-8")
    changes = {change.path.name: change.after for change in captions_from_names(scan(load(folder / "recipe.toml")))}
    assert changes["front-full.txt"] == "white background, arms at sides, full body\n"
    assert changes["full_back.txt"] == "white background, from behind, arms at sides, full body\n"
    (folder / "aoi" / "front-full.png").rename(folder / "aoi" / "x.png")
    with pytest.raises(CheckFailed, match=r"found the name 'x', expected '\{zoom\}_\{view\}' or '\{view\}-\{zoom\}'"):
        captions_from_names(scan(load(folder / "recipe.toml")))


def test_a_recipe_without_a_pattern(folder: Path) -> None:
    with pytest.raises(RecipeError, match="target: missing; expected captions"):
        captions_from_names(scan(load(folder / "recipe.toml")))


def test_a_name_takes_no_time(folder: Path) -> None:
    """Eight fields of anything, and a name of 250 letters that never fits."""
    pattern = "{zoom}_" + "_a".join(["{any}"] * 8) + "_{view}"
    (folder / "aoi" / "full_front.png").rename(folder / "aoi" / ("full_" + "_a" * 120 + ".png"))
    with pytest.raises(CheckFailed, match="expected"):
        captions_from_names(_named(folder, pattern))


def test_what_a_caption_links_to_is_not_shown(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("hunter2")
    (folder / "aoi" / "full_front.txt").unlink()
    (folder / "aoi" / "full_front.txt").symlink_to(secret)
    checked = check(scan(load(folder / "recipe.toml")))
    assert [finding.code for finding in checked.findings] == ["SET012"]
    assert "hunter2" not in repr(checked)
    with pytest.raises(CheckFailed, match="found a link out of its folder") as caught:
        captions_from_names(_named(folder, "{zoom}_{view}"))
    assert "hunter2" not in str(caught.value)
    assert secret.read_text() == "hunter2"


@pytest.mark.parametrize("pattern", ["{zoom}_{azimuth}", "{zoom}_{view}"])
def test_the_check_asks_for_what_caption_writes(folder: Path, pattern: str) -> None:
    """A name in the recipe's own words: `hinten` is a view from behind, and so are 180 degrees."""
    view = "180" if "azimuth" in pattern else "hinten"
    for suffix in ("png", "txt"):
        for shot, name in (("full_back", f"full-body_{view}"), ("full_front", "full_0"), ("upper_front", "upper_0")):
            name = name if "azimuth" in pattern else name.replace("_0", "_vorne")
            (folder / "aoi" / f"{shot}.{suffix}").rename(folder / "aoi" / f"{name}.{suffix}")
    for left in (folder / "aoi").glob("upper_back*"):
        left.unlink()
    recipe = folder / "recipe.toml"
    words = 'words = { hinten = "from behind", vorne = "front" }'
    table = f'images = "aoi"\ncaptions = {{ pattern = "{pattern}", {words} }}'
    recipe.write_text(recipe.read_text("utf-8").replace('images = "aoi"', table), encoding="utf-8")
    path = folder / "aoi" / f"full-body_{view}.txt"
    assert "from behind" in path.read_text()
    assert not [f for f in check(scan(load(recipe))).findings if f.code == "PAR002"]
    path.write_text(path.read_text().replace("from behind, ", ""))
    assert [f.path for f in check(scan(load(recipe))).findings if f.code == "PAR002"] == [path]
