"""``lorarecipe new``: from folders of pictures to recipes and captions."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from pydantic_core import PydanticCustomError

from lorarecipe.cli import main
from lorarecipe.dataset import read_group
from lorarecipe.drafts.characters import find_characters, parted
from lorarecipe.drafts.outlines import Shot, propose_shots
from lorarecipe.drafts.patterns import guess_pattern
from lorarecipe.drafts.shots import agreed
from lorarecipe.mend import Change
from lorarecipe.recipe import load
from lorarecipe.recipe.naming import a_file_name, narrowed
from tests.conftest import tiny_checkpoint
from tests.renders import character

PROGRAM = Path(sys.executable).with_name("lorarecipe")
_HAIR = {"red": "short hair", "blue": "twintails", "green": "long hair", "black": "ponytail", "white": "long hair"}


def _new(*words: object) -> Result:
    return CliRunner().invoke(main, ["new", *map(str, words)])


@pytest.fixture
def renders(tmp_path: Path) -> Path:
    """Five base characters and a target, without captions."""
    folder = tmp_path / "renders"
    for hair, style in _HAIR.items():
        character(folder / "base" / hair, f"{hair} hair", style, (), 4)
    character(folder / "target" / "akane", "blonde", "twintails", None, 4)
    for caption in folder.rglob("*.txt"):
        caption.unlink()
    return folder


def test_recipes_and_captions_that_pass_the_check(renders: Path, tmp_path: Path) -> None:
    done = _new(renders, "--out", tmp_path, "--traits", "red=short hair, slim", "--tag", "nude")
    assert done.exit_code == 0, done.output
    assert "images are named {zoom}_{view}" in done.output
    assert "check: 0 errors" in done.output
    base = tomllib.loads((tmp_path / "renders-base.toml").read_text("utf-8"))
    traits = {Path(one["images"]).name: one["traits"] for one in base["base"]["characters"]}
    assert traits == {
        hair: [f"{hair} hair", "short hair", "slim"] if hair == "red" else [f"{hair} hair"] for hair in _HAIR
    }
    assert (renders / "base" / "red" / "full_back.txt").read_text("utf-8") == (
        "red hair, short hair, slim, from behind, full body\n"
    )
    assert (renders / "target" / "akane" / "full_back.txt").read_text("utf-8") == (
        "white background, from behind, nude, arms at sides, full body\n"
    )
    recipe = load(tmp_path / "akane.toml")
    assert (recipe.name, recipe.target and recipe.target.repeats) == ("akane", 1)
    assert (tmp_path / "akane.toml").read_text("utf-8").startswith("#:schema ")


def test_a_second_target_on_the_base(renders: Path, tmp_path: Path) -> None:
    assert _new(renders, "--out", tmp_path).exit_code == 0
    before = (tmp_path / "renders-base.toml").read_bytes()
    character(tmp_path / "more" / "10_緑", "green hair", "long hair", None, 4)
    done = _new(tmp_path / "more", "--from", tmp_path / "renders-base.toml", "--out", tmp_path / "recipes")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "renders-base.toml").read_bytes() == before
    recipe = load(tmp_path / "recipes" / "緑.toml")
    assert recipe.target
    assert (recipe.name, recipe.target.repeats, len(recipe.base.characters)) == ("緑", 10, 5)


def test_one_odd_name_takes_nothing_from_the_others(renders: Path, tmp_path: Path) -> None:
    shutil.copy(renders / "base" / "red" / "full_front.png", renders / "base" / "red" / "full_frnt.png")
    (renders / "base" / "blue" / "zz.png").write_bytes(b"no image")
    done = _new(renders, "--out", tmp_path)
    assert "images are named {zoom}_{view}" in done.output
    assert "full_frnt.png: the name does not fit {zoom}_{view}" in done.output
    assert "zz.png: cannot be read" in done.output
    assert not (renders / "base" / "red" / "full_frnt.txt").exists()
    assert "from behind" in (renders / "base" / "red" / "full_back.txt").read_text("utf-8")


def test_two_images_of_one_stem_get_one_caption(renders: Path, tmp_path: Path) -> None:
    with Image.open(renders / "base" / "red" / "full_front.png") as image:
        image.convert("RGB").save(renders / "base" / "red" / "full_front.jpg")
    assert _new(renders, "--out", tmp_path).exit_code == 0
    assert (renders / "base" / "red" / "full_front.txt").exists()


def test_captions_come_before_recipes_so_that_what_fails_can_be_run_again(renders: Path, tmp_path: Path) -> None:
    def full(change: Change) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(change.path))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lorarecipe.mend.write", full)
        assert _new(renders, "--out", tmp_path).exit_code != 0
    assert not [*tmp_path.glob("*.toml")]
    assert _new(renders, "--out", tmp_path).exit_code == 0


def test_a_folder_whose_name_is_no_text(renders: Path, tmp_path: Path) -> None:
    try:
        shutil.copytree(renders / "base" / "red", os.fsdecode(os.fsencode(renders / "base") + b"/r\xe9d"))
    except OSError:
        pytest.skip("this file system takes no such name")
    done = _new(renders, "--out", tmp_path)
    assert done.exit_code == 2
    assert "cannot be written in a recipe; rename it" in " ".join(done.output.split())
    assert not [*tmp_path.glob("*.toml")]


def test_a_hair_colour_that_is_said_goes_before_the_measured_one(renders: Path, tmp_path: Path) -> None:
    assert _new(renders, "--out", tmp_path, "--traits", "red=yellow hair, short hair").exit_code == 0
    base = tomllib.loads((tmp_path / "renders-base.toml").read_text("utf-8"))
    assert ["blonde hair", "short hair"] in [one["traits"] for one in base["base"]["characters"]]


def test_names_that_would_be_one_file(renders: Path, tmp_path: Path) -> None:
    for name in ("A b", "a-B", "あか\u3000ね"):
        shutil.copytree(renders / "target" / "akane", renders / "target" / name)
    done = _new(renders, "--out", tmp_path)
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in tmp_path.glob("*.toml")) == [
        "A-b.toml",
        "a-B-2.toml",
        "akane.toml",
        "renders-base.toml",
        "あか-ね.toml",
    ]


def test_nothing_that_is_there_is_changed(renders: Path, tmp_path: Path) -> None:
    caption = renders / "target" / "akane" / "full_front.txt"
    caption.write_text("mine\n", encoding="utf-8")
    (tmp_path / "akane.toml").write_text("mine", encoding="utf-8")
    done = _new(renders, "--out", tmp_path)
    assert done.exit_code == 2
    assert "akane.toml is there already" in done.output
    assert not (tmp_path / "renders-base.toml").exists()
    assert [path.name for path in renders.rglob("*.txt")] == ["full_front.txt"]
    (tmp_path / "akane.toml").unlink()
    assert _new(renders, "--out", tmp_path).exit_code == 0
    assert caption.read_text("utf-8") == "mine\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--target", "akane", "--target", "akan"], "is named 'akan'; did you mean akane?"),
        (["--from", __file__, "--target", "akane"], "do not go with --from"),
        (["--zoom", "x"], "found 'x', expected NAME=VALUE"),
        (["--zoom", "*=knees"], "found 'knees', expected one of close-up"),
        (["--traits", "rad=short hair"], "no character of the base is named 'rad'; did you mean red?"),
    ],
)
def test_what_is_said_wrongly(renders: Path, tmp_path: Path, words: list[str], message: str) -> None:
    done = _new(renders, "--out", tmp_path, *words)
    assert done.exit_code == 2
    assert message in " ".join(done.output.split())
    assert not [*tmp_path.glob("*.toml"), *renders.rglob("*.txt")]


def test_one_character_needs_a_base(renders: Path, tmp_path: Path) -> None:
    done = _new(renders / "target", "--out", tmp_path)
    assert done.exit_code == 2
    assert "--from" in done.output
    (tmp_path / "empty").mkdir()
    assert "holds no folder with images" in _new(tmp_path / "empty").output


def test_without_a_terminal_nothing_is_asked(renders: Path, tmp_path: Path) -> None:
    shutil.move(renders / "base", tmp_path / "all")
    shutil.move(renders / "target" / "akane", tmp_path / "all" / "akane")
    words = [str(PROGRAM), "new", str(tmp_path / "all")]
    done = subprocess.run(
        words, stdin=subprocess.DEVNULL, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert "say with --target NAME which of them the LoRA is for" in done.stderr
    done = subprocess.run(
        [*words, "--target", "akane"],
        stdin=subprocess.DEVNULL,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.split()) == (0, ["all-base.toml", "akane.toml"])


def test_on_a_terminal_it_asks(tmp_path: Path) -> None:
    pty = pytest.importorskip("pty", reason="Windows has no pseudo-terminals of this kind")
    for name in ("akane", "red", "blue"):
        (tmp_path / "all" / name).mkdir(parents=True)
        for index, zoom in enumerate(("full body", "upper body")):
            _figure(tmp_path / "all" / name / f"Render-{index}.png", zoom, behind=False)
    ours, theirs = pty.openpty()
    os.write(ours, b"akane\ny\ntwintails, slim\n\n")
    done = subprocess.run(
        [str(PROGRAM), "new", "all"], stdin=theirs, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 0, done.stderr
    assert "Which of them is the LoRA for?" in done.stderr
    assert "Other traits of blue (blue hair): hairstyle, body:" in done.stderr
    base = tomllib.loads((tmp_path / "all-base.toml").read_text("utf-8"))
    assert [one["traits"] for one in base["base"]["characters"]] == [
        ["blue hair", "twintails", "slim"],
        ["blue hair"],
    ]
    assert (tmp_path / "all" / "akane" / "Render-1.txt").read_text("utf-8") == "white background, upper body\n"


def test_a_checkpoint_gives_family_and_preset(renders: Path, tmp_path: Path) -> None:
    checkpoint = tmp_path / "noobaiXL.safetensors"
    tiny_checkpoint(checkpoint, "conditioner.embedders.0.transformer.text_model.encoder.layers.0.")
    assert _new(renders, "--out", tmp_path, "--checkpoint", checkpoint).exit_code == 0
    base = tomllib.loads((tmp_path / "renders-base.toml").read_text("utf-8"))
    assert (base["checkpoint"], base["preset"]) == (
        {"family": "sdxl", "path": "noobaiXL.safetensors"},
        "noobai-eps",
    )


def _figure(path: Path, zoom: str, *, behind: bool) -> None:
    """Draw a figure on white: a head of hair with or without a face, a body, and as much of it as a zoom shows."""
    image = Image.new("RGB", (320, 640), "white")
    draw = ImageDraw.Draw(image)
    draw.ellipse((115, 20, 205, 120), fill=(40, 60, 170))
    if not behind:
        draw.ellipse((128, 52, 192, 116), fill=(236, 190, 165))
    draw.rectangle((150, 110, 170, 140), fill=(40, 60, 170))
    draw.polygon([(110, 140), (210, 140), (196, 330), (124, 330)], fill=(90, 30, 90))
    draw.rectangle((126, 330, 155, 610), fill=(60, 30, 60))
    draw.rectangle((165, 330, 194, 610), fill=(60, 30, 60))
    shown = {"full body": 640, "cowboy shot": 375, "upper body": 300, "portrait": 205}[zoom]
    image.crop((0, 0, 320, shown)).save(path)


def test_zoom_and_view_from_outlines(tmp_path: Path) -> None:
    expected = dict[Path, Shot]()
    for zoom in ("full body", "cowboy shot", "upper body", "portrait"):
        for behind in (False, True):
            path = tmp_path / f"Render-{len(expected):03}.png"
            _figure(path, zoom, behind=behind)
            expected[path] = Shot(zoom, behind)
    assert propose_shots(read_group("target", tmp_path)) == expected
    (tmp_path / "broken.png").write_bytes(b"no image")
    assert propose_shots(read_group("target", tmp_path))[tmp_path / "broken.png"] == Shot(None)


def test_names_that_say_nothing_are_confirmed(tmp_path: Path) -> None:
    for name in ("akane", "red", "blue", "green", "black", "white"):
        (tmp_path / "all" / name).mkdir(parents=True)
        for index, zoom in enumerate(("full body", "upper body")):
            _figure(tmp_path / "all" / name / f"CharaStudio-2023-05-0{index + 1}-Render.png", zoom, behind=False)
    words = [tmp_path / "all", "--target", "akane", "--out", tmp_path]
    done = _new(*words)
    assert done.exit_code == 2
    assert "Names do not tell the zoom" in done.output
    assert "nothing was written; take the proposed zooms and views with --yes" in " ".join(done.output.split())
    assert not [*tmp_path.rglob("*.toml"), *tmp_path.rglob("*.txt")]
    assert _new(*words, "--yes", "--zoom", "*-02-*=cowboy shot", "--behind", "*-02-*").exit_code == 0
    assert sorted(path.read_text("utf-8") for path in (tmp_path / "all" / "akane").glob("*.txt")) == [
        "white background, arms at sides, full body\n",
        "white background, from behind, cowboy shot\n",
    ]


def test_characters_of_one_list_of_cameras_agree() -> None:
    shots = [Shot("portrait", behind=True), Shot("upper body", behind=False)]
    odd = [Shot(None), Shot("upper body", behind=True)]
    reversed_ = [*reversed(shots)]
    proposals = [
        {Path(f"{name}/{k}"): shot for k, shot in enumerate(of)} for name, of in zip("abc", (shots, odd, shots))
    ]
    assert [[*one.values()] for one in agreed(proposals)] == [shots] * 3
    assert agreed(proposals[1:2]) == proposals[1:2]
    others = [dict(zip(one, shots)) for one in proposals[::2]]
    another = {Path(f"d/{k}"): shot for k, shot in enumerate(reversed_)}
    assert agreed([*others, another])[2] == another


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (["full_front", "upper_back"], "{zoom}_{view}"),
        (["akane-full-front-01", "akane-upper-back-02"], "{any}-{zoom}-{view}-{any}"),
        (["full body 000", "full body 180"], "{zoom} {azimuth}"),
        (["full_1", "full_2", "upper_1"], "{zoom}_{any}"),
        (["全身_正面", "上半身_後ろ"], "{zoom}_{view}"),
        (["upper_body_from_behind", "close_up_front"], "{zoom}_{view}"),
        (["full", "portrait"], "{zoom}"),
        (["CharaStudio-2023-05-01-13-02-34-Render"], None),
        ([], None),
    ],
)
def test_patterns(names: list[str], pattern: str | None) -> None:
    found = guess_pattern([Path("akane") / f"{name}.png" for name in names])
    assert (found.pattern if found else None) == pattern


def test_characters_are_found_and_parted(tmp_path: Path) -> None:
    for name in ("ベース/10_赤", "ベース/青", "main/akane", ".hidden/x", "out/y"):
        (tmp_path / name).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(tmp_path / name / "a.PNG")
    (tmp_path / "out" / "y" / "run.json").touch()
    found = find_characters(tmp_path)
    for name in ("one/red", "two/red", "three/one/red"):
        (tmp_path / "more" / name).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(tmp_path / "more" / name / "a.png")
    names = {one.name for one in find_characters(tmp_path / "more")}
    assert names == {"more-one-red", "two-red", "three-one-red"}
    assert {(one.name, one.repeats) for one in found} == {("赤", 10), ("青", 1), ("akane", 1)}
    both = parted(tmp_path, found)
    assert both
    assert {one.name for one in both[0]} == {"赤", "青"}
    assert parted(tmp_path / "ベース", find_characters(tmp_path / "ベース")) is None


@given(st.text())
def test_every_text_is_narrowed_to_a_name(text: str) -> None:
    name = narrowed(text)
    assert narrowed(name) == name
    assert not name or a_file_name(name) == name


@pytest.mark.parametrize("name", ["../a", "a b", "", ".", "nul.txt", "a/b", "x" * 65, "漢" * 65, "-a", "a\0"])
def test_names_that_are_no_files(name: str) -> None:
    with pytest.raises(PydanticCustomError, match="letters and digits of any script"):
        a_file_name(name)


def test_a_name_is_composed() -> None:
    assert a_file_name("cafe\u0301") == "caf\u00e9"
