from __future__ import annotations

import os
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
    (folder / "aoi" / "png").touch()  # a name without a suffix
    (folder / "aoi" / "old.txt").touch()
    Image.new("RGB", (70, 80)).save(folder / "aoi" / "upper.Jpg", "JPEG")
    dataset = scan(load(folder / "recipe.toml"))
    assert [path.name for path in dataset.target[0].strays] == ["note.md", "old.txt", "png"]
    last = next(picture for picture in dataset.target[0].pictures if picture.path.suffix == ".Jpg")
    assert (last.path.name, last.width, last.height, last.caption) == ("upper.Jpg", 70, 80, None)


@pytest.mark.parametrize(("orientation", "size"), [(6, (80, 70)), (3, (70, 80)), (9, (70, 80))])
def test_a_photo_is_measured_upright(folder: Path, orientation: int, size: tuple[int, int]) -> None:
    """6 is a quarter turn, 3 a half, and 9 is none."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (70, 80)).save(folder / "aoi" / "a.jpg", exif=exif)
    dataset = scan(load(folder / "recipe.toml"))
    assert (dataset.target[0].pictures[0].width, dataset.target[0].pictures[0].height) == size


def test_an_unreadable_image_is_kept_with_its_problem(folder: Path) -> None:
    (folder / "aoi" / "full_front.png").write_text("<html>")
    dataset = scan(load(folder / "recipe.toml"))
    assert [picture.problem.kind for picture in dataset.target[0].pictures if picture.problem] == ["unreadable"]


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


def test_a_truncated_image_is_not_readable(folder: Path) -> None:
    path = folder / "aoi" / "full_front.jpg"
    Image.effect_noise((200, 200), 50).convert("RGB").save(path)
    path.write_bytes(path.read_bytes()[:-2000])
    dataset = scan(load(folder / "recipe.toml"))
    assert [(p.path.name, p.problem.kind) for p in dataset.target[0].pictures if p.problem] == [
        ("full_front.jpg", "truncated")
    ]


def test_an_enormous_image_is_not_decoded(folder: Path) -> None:
    Image.new("1", (9000, 9000)).save(folder / "aoi" / "bomb.png")
    dataset = scan(load(folder / "recipe.toml"))
    problem = dataset.target[0].pictures[0].problem
    assert problem is not None
    assert problem.kind == "bomb"
    assert problem.message.startswith("Image size (81000000 pixels)")


@pytest.mark.parametrize("key", ['path = "checkpoint.safetensors"', 'images = "aoi"'])
def test_a_pipe_is_not_opened(folder: Path, edit: Callable[[str, str], Path], key: str) -> None:
    os.mkfifo(folder / "pipe.safetensors")
    with pytest.raises(RecipeError, match=r"is no file|is not there"):
        scan(load(edit(key, f'{key.split(" = ")[0]} = "pipe.safetensors"')))


def test_a_vae_is_fenced_like_a_checkpoint(edit: Callable[[str, str], Path]) -> None:
    with pytest.raises(RecipeError, match=r"checkpoint.vae: found '.*recipe.toml', expected a \.safetensors file"):
        scan(load(edit('path = "checkpoint', 'vae = "recipe.toml"\npath = "checkpoint')))


def test_a_pickle_is_refused(edit: Callable[[str, str], Path], folder: Path) -> None:
    (folder / "checkpoint.ckpt").touch()
    with pytest.raises(RecipeError, match=r"expected a \.safetensors file"):
        scan(load(edit("checkpoint.safetensors", "checkpoint.ckpt")))
