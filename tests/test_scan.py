from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from syrupy.assertion import SnapshotAssertion

from lorarecipe.dataset import scan
from lorarecipe.errors import RecipeError
from lorarecipe.recipe import load


def test_images_captions_and_strays(folder: Path) -> None:
    (folder / "aoi" / "note.md").touch()
    (folder / "aoi" / ".hidden.png").touch()
    (folder / "aoi" / "old.txt").touch()
    Image.new("RGB", (70, 80)).save(folder / "aoi" / "upper.Jpg", "JPEG")
    dataset = scan(load(folder / "recipe.toml"))
    assert dataset.target is not None
    assert [path.name for path in dataset.target.strays] == ["note.md", "old.txt"]
    last = next(picture for picture in dataset.target.pictures if picture.path.suffix == ".Jpg")
    assert (last.path.name, last.width, last.height, last.caption) == ("upper.Jpg", 70, 80, None)


def test_a_turned_photo_is_measured_upright(folder: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (70, 80)).save(folder / "aoi" / "a.jpg", exif=exif)
    dataset = scan(load(folder / "recipe.toml"))
    assert dataset.target is not None
    assert (dataset.target.pictures[0].width, dataset.target.pictures[0].height) == (80, 70)


def test_an_unreadable_image_is_kept_with_its_problem(folder: Path) -> None:
    (folder / "aoi" / "full_front.png").write_text("<html>")
    dataset = scan(load(folder / "recipe.toml"))
    assert dataset.target is not None
    assert any("not readable" in (picture.problem or "") for picture in dataset.target.pictures)


def test_what_is_not_there_is_named_at_once(
    folder: Path, edit: Callable[[str, str], Path], snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit('images = "blue"', 'images = "bleu"')
    edit('images = "aoi"', 'images = "aio"')
    (folder / "checkpoint.safetensors").write_bytes(b"torn")
    monkeypatch.chdir(folder)
    with pytest.raises(RecipeError) as caught:
        scan(load(Path("recipe.toml")))
    assert str(caught.value) == snapshot


def test_a_pickle_is_refused(edit: Callable[[str, str], Path], folder: Path) -> None:
    (folder / "checkpoint.ckpt").touch()
    with pytest.raises(RecipeError, match=r"expected a \.safetensors file"):
        scan(load(edit("checkpoint.safetensors", "checkpoint.ckpt")))
