from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image as Pillow

from lorarecipe.errors import CheckFailed
from lorarecipe.files import file_digest
from lorarecipe.plan import DataStage
from lorarecipe.plan.data import Image
from lorarecipe.trainer import stage_images


def _image(path: Path) -> Image:
    with Pillow.open(path) as opened:
        return Image(path, file_digest(path), "red hair, full body", *opened.size)


def _stage(path: Path, folder: Path) -> Pillow.Image:
    stage_images(DataStage(((_image(path),),)), folder)
    (staged,) = (entry for entry in (folder / "00").iterdir() if entry.suffix != ".txt")
    with Pillow.open(staged) as opened:
        opened.load()
        return opened


def test_a_plain_image_is_copied_byte_by_byte(tmp_path: Path) -> None:
    path = tmp_path / "a.JPG"
    Pillow.new("RGB", (8, 9), "red").save(path)
    _stage(path, tmp_path / "out")
    assert (tmp_path / "out" / "00" / "00000.jpg").read_bytes() == path.read_bytes()
    assert (tmp_path / "out" / "00" / "00000.txt").read_text() == "red hair, full body\n"
    assert (tmp_path / "out" / "00" / "00000.jpg").stat().st_ino != path.stat().st_ino


def test_alpha_becomes_white_whatever_it_hides(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    image = Pillow.new("RGBA", (2, 1), (0, 0, 0, 0))
    image.putpixel((1, 0), (10, 20, 30, 255))
    image.save(path)
    staged = _stage(path, tmp_path / "out")
    assert staged.mode == "RGB"
    assert [staged.getpixel((x, 0)) for x in (0, 1)] == [(255, 255, 255), (10, 20, 30)]


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "I;16", "1", "LA"])
def test_other_modes_become_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    Pillow.new(mode, (4, 4)).save(path)
    assert _stage(path, tmp_path / "out").mode == "RGB"


def test_a_turned_photo_is_put_upright(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    exif = Pillow.Exif()
    exif[0x0112] = 6
    Pillow.new("RGB", (20, 10)).save(path, exif=exif)
    staged = _stage(path, tmp_path / "out")
    assert staged.size == (10, 20)
    assert not staged.getexif()


def test_a_truncated_image_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Pillow.effect_noise((200, 200), 50).convert("RGB").save(path)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(CheckFailed, match=r"a\.jpg: cannot be decoded"):
        _stage(path, tmp_path / "out")


def test_an_image_that_changed_since_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Pillow.new("RGB", (4, 4)).save(path)
    image = _image(path)
    Pillow.new("RGB", (4, 4), "red").save(path)
    with pytest.raises(CheckFailed, match="changed while it was being read"):
        stage_images(DataStage(((image,),)), tmp_path / "out")
