from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageDraw

from lorarecipe.colour import lab
from lorarecipe.dataset.look import look_at
from lorarecipe.dataset.picture import Measured, read_image
from lorarecipe.demo import HAIR, Figure, draw
from lorarecipe.plan.data import Image as StagedImage
from lorarecipe.trainer.staging import plain


def _page(*boxes: tuple[int, int, int, int], size: tuple[int, int] = (96, 96), colour: str = "#c83c3c") -> Image.Image:
    page = Image.new("RGB", size, "white")
    for box in boxes:
        ImageDraw.Draw(page).rectangle(box, fill=colour)
    return page


@given(st.integers(2, 30), st.integers(2, 30), st.integers(60, 93), st.integers(60, 93))
def test_the_box_is_the_figures(left: int, top: int, right: int, bottom: int) -> None:
    look = look_at(_page((left, top, right, bottom)))
    assert look.box == pytest.approx((left / 96, top / 96, (right + 1) / 96, (bottom + 1) / 96), abs=1e-4)
    assert look.touches == (0, 0, 0, 0)
    assert look.figures == 1
    assert look.off_white == 0


def test_the_edges_that_a_figure_touches() -> None:
    look = look_at(_page((24, 0, 71, 95)))
    assert look.touches == (0, 0.5, 0, 0.5)
    assert look.corners == (0, 0, 0, 0)


@pytest.mark.parametrize("size", [64, 96, 500, 1024, 2000])
def test_a_size_changes_little(size: int) -> None:
    figure = Figure("blue hair", "twintails")
    small, look = look_at(draw(figure, "3d", 256)), look_at(draw(figure, "3d", size))
    assert look.box == pytest.approx(small.box, abs=0.04)
    assert look.span == pytest.approx(small.span, abs=0.08)
    assert look.off_white < 0.01
    assert small.hair is not None
    assert look.hair == pytest.approx(small.hair, abs=6)


@pytest.mark.parametrize("hair", HAIR)
@pytest.mark.parametrize("zoom", ["full body", "upper body"])
@pytest.mark.parametrize("view", ["front", "from behind"])
def test_the_crown_has_the_hairs_colour(hair: str, zoom: str, view: str) -> None:
    """Nearer to its own nominal colour than to any other: light makes it lighter or darker."""
    look = look_at(draw(Figure(hair, "long hair", zoom=zoom, view=view), "3d", 256))
    nominal = lab(list(HAIR.values()))
    apart = np.linalg.norm(nominal - np.array(look.hair), axis=1)
    assert list(HAIR)[int(apart.argmin())] == hair


def test_skin_is_no_hair() -> None:
    looks = [look_at(draw(Figure(hair, "short hair"), "3d", 256)) for hair in HAIR]
    shares = [look.skin[0] for look in looks if look.skin]
    lights = [look.skin[1] for look in looks if look.skin]
    assert len(shares) == len(HAIR)
    assert max(shares) < 0.3
    assert max(lights) - min(lights) < 3


def test_two_that_stand_side_by_side() -> None:
    assert look_at(_page((10, 10, 30, 80), (60, 10, 80, 80))).figures == 2
    assert look_at(_page((10, 10, 30, 80), (10, 85, 30, 90))).figures == 1  # a shoe of its own
    assert look_at(_page((10, 10, 80, 40), (12, 50, 78, 90))).figures == 1  # a white shirt between
    assert look_at(_page()).figures == 0


def test_white_clothes_belong_to_the_figure() -> None:
    page = _page((20, 20, 70, 70))
    ImageDraw.Draw(page).rectangle((30, 30, 60, 60), fill="white")
    assert look_at(page).light == pytest.approx((0.634 * 44.6 + 0.366 * 100, 26), abs=3)
    assert look_at(page).box == look_at(_page((20, 20, 70, 70))).box


@pytest.mark.parametrize(("colour", "share"), [((247, 247, 247), 0), ((246, 246, 246), 1), ((255, 250, 240), 1)])
def test_white_is_exact(colour: tuple[int, int, int], share: float) -> None:
    page = Image.new("RGB", (96, 96), colour)
    ImageDraw.Draw(page).rectangle((30, 30, 60, 60), fill="#333333")
    assert look_at(page).off_white == share


def test_alpha_and_what_it_hides() -> None:
    layered = Image.new("RGBA", (96, 96), (10, 20, 30, 0))
    ImageDraw.Draw(layered).rectangle((24, 24, 71, 71), fill=(200, 60, 60, 255))
    look = look_at(layered)
    assert (look.clear, look.hidden, look.off_white) == (0.75, "#0a141e", 0)
    assert look.box == (0.25, 0.25, 0.75, 0.75)
    assert look_at(Image.new("RGBA", (8, 8), (255, 255, 255, 0))).hidden == ""


@pytest.mark.parametrize("orientation", range(1, 9))
def test_what_exif_turns_is_measured_upright(orientation: int) -> None:
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}.get(orientation)  # Pillow's Transpose of each
    upright = _page((10, 10, 20, 80), (10, 10, 60, 20))
    stored = upright if undo is None else upright.transpose(Image.Transpose(undo))
    exif = Image.Exif()
    exif[274] = orientation
    buffer = io.BytesIO()
    stored.save(buffer, "PNG", exif=exif)
    look = look_at(Image.open(buffer))
    assert (look.orientation, look.box) == (orientation, look_at(upright).box)


def test_a_profile_is_named_unless_it_is_srgb() -> None:
    page = _page((10, 10, 80, 80))
    for space, told in (("sRGB", ""), ("LAB", "Lab identity built-in")):
        buffer = io.BytesIO()
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile(space))  # type: ignore[arg-type]
        page.save(buffer, "PNG", icc_profile=profile.tobytes())
        assert look_at(Image.open(buffer)).profile == told
    page.info["icc_profile"] = b"nonsense"
    assert look_at(page).profile == "a profile that cannot be read"


def test_frames(tmp_path: Path) -> None:
    page = _page((10, 10, 80, 80))
    page.save(tmp_path / "a.png", save_all=True, append_images=[page.rotate(90)])
    with Image.open(tmp_path / "a.png") as image:
        assert look_at(image).frames == 2


def test_sixteen_bits_of_grey_are_not_white(tmp_path: Path) -> None:
    """Pillow cuts every level above 255 when it converts."""
    levels = np.full((96, 96), 65535, dtype=np.uint16)
    levels[20:80, 30:60] = 36000
    Image.fromarray(levels).save(tmp_path / "a.png")
    measured = read_image(tmp_path / "a.png")
    assert isinstance(measured, Measured)
    assert measured.look.light == pytest.approx((58.2, 0), abs=0.5)
    staged = plain(StagedImage(tmp_path / "a.png", measured.digest, "x", 96, 96))
    with Image.open(io.BytesIO(staged[1])) as image:
        assert (image.mode, image.getpixel((40, 40))) == ("RGB", (140, 140, 140))


@pytest.mark.parametrize("size", [(1, 3000), (2, 5000), (8000, 20), (1, 1), (3, 9000)])
def test_odd_sizes_are_measured(tmp_path: Path, size: tuple[int, int]) -> None:
    Image.new("RGB", size, "#808080").save(tmp_path / "a.png")
    assert isinstance(read_image(tmp_path / "a.png"), Measured)


def test_broken_exif_is_none(tmp_path: Path) -> None:
    _page((10, 10, 80, 80)).save(tmp_path / "a.jpg", exif=b"Exif\0\0nonsense")
    measured = read_image(tmp_path / "a.jpg")
    assert isinstance(measured, Measured)
    assert measured.look.orientation == 1
    assert plain(StagedImage(tmp_path / "a.jpg", measured.digest, "x", 96, 96))[0] == ".jpg"


@pytest.mark.parametrize("outlined", [True, False])
def test_white_hair_that_the_lower_edge_cuts_is_no_background(outlined: bool) -> None:
    page = Image.new("RGB", (512, 512), "white")
    pen = ImageDraw.Draw(page)
    for side in (150, 320):
        pen.rectangle((side, 60, side + 40, 520), fill=(240, 240, 240), outline="#222" if outlined else None, width=3)
    pen.ellipse((150, 40, 360, 240), fill=(240, 240, 240), outline="#222" if outlined else None, width=3)
    pen.ellipse((190, 90, 320, 240), fill=(250, 218, 195))
    pen.rectangle((190, 240, 320, 520), fill="#4466aa")
    look = look_at(page)
    assert (look.off_white, look.figures) == (0, 1)
    assert look.hair == pytest.approx((94.6, 0, 0), abs=3)
