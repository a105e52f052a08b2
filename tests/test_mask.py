"""Masks: where the figure is, how it is staged, and what the embedded trainer makes of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tomli_w
import torch
from PIL import Image
from safetensors.torch import load_file

from lorarecipe.dataset import scan
from lorarecipe.dataset.mask import figure_mask
from lorarecipe.demo import NANO, Figure, draw
from lorarecipe.errors import CheckFailed, RecipeError
from lorarecipe.files import file_digest
from lorarecipe.plan import DataStage, TrainStage, compile_plan
from lorarecipe.plan.data import Image as Staged
from lorarecipe.recipe import load
from lorarecipe.rules import check
from lorarecipe.trainer import stage_images
from lorarecipe.trainer.embedded.arguments import parse
from lorarecipe.trainer.embedded.training import Training
from tests.renders import demo_renders

Edit = Callable[[str, str], Path]


def test_the_figure_of_an_image_without_alpha() -> None:
    mask = np.asarray(figure_mask(draw(Figure("red hair", "short hair", "blue dress"), "3d", 256)))
    assert {*np.unique(mask)} == {0, 255}
    assert mask[:4].max() == mask[:, :20].max() == 0
    assert mask[60:200, 120:136].min() == 255


def test_alpha_is_the_figure_and_four_pixels_more() -> None:
    image = Image.new("RGBA", (256, 256), (255, 0, 0, 0))
    image.paste((0, 0, 0, 255), (100, 50, 120, 200))
    image.putpixel((10, 10), (0, 0, 0, 100))
    mask = np.asarray(figure_mask(image))
    assert mask[46:204, 96:124].min() == 255
    assert mask[45].max() == mask[204].max() == mask[:, 95].max() == 0
    assert mask[6:15, 6:15].min() == mask[6:15, 6:15].max() == 100  # as opaque as it is
    assert np.asarray(figure_mask(Image.new("RGB", (8, 8), "white"))).max() == 0


def test_an_opaque_alpha_says_nothing() -> None:
    """Most programs save an alpha, whatever is in it."""
    drawn = draw(Figure("red hair", "short hair", "blue dress"), "3d", 256)
    assert figure_mask(drawn.convert("RGBA")).tobytes() == figure_mask(drawn).tobytes()
    assert figure_mask(drawn.convert("L").convert("LA")).getextrema() == (0, 255)


def test_a_masked_copy_is_on_white_with_its_figure_as_alpha(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    image = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    image.paste((200, 10, 10, 255), (20, 20, 40, 40))
    image.save(path)
    stage = DataStage(((Staged(path, file_digest(path), "upper body", 64, 64),),), masked=True)
    assert stage.key != DataStage(stage.groups).key
    stage_images(stage, tmp_path / "out")
    with Image.open(tmp_path / "out" / "00" / "00000.png") as staged:
        assert staged.mode == "RGBA"
        assert staged.getpixel((0, 0)) == (255, 255, 255, 0)
        assert staged.getpixel((19, 30)) == (255, 255, 255, 255)  # a pixel more than the figure
        assert staged.getpixel((30, 30)) == (200, 10, 10, 255)


def test_a_recipe_with_a_mask(folder: Path, edit: Edit) -> None:
    def stages() -> list[TrainStage]:
        plan = compile_plan([check(scan(load(folder / "recipe.toml")))])
        return [stage for stage in plan.stages if isinstance(stage, TrainStage)]

    for path in (folder / "aoi").glob("*.png"):
        with Image.open(path) as image:
            image.resize((image.width * 8, image.height * 8)).save(path)
    before = stages()
    edit("[target.training]\n", '[target.training]\nmask = "figure"\n')
    base, target = stages()
    assert base.key == before[0].key
    assert target.key != before[1].key
    assert (base.data.masked, target.data.masked) == (False, True)


def test_what_sd_scripts_does_not_have(folder: Path, edit: Edit) -> None:
    edit("[target.training]\n", '[target.training]\nmask = "prior"\n')
    with pytest.raises(RecipeError, match=r"target\.training\.mask: found 'prior', expected 'figure' with sd-scripts"):
        load(folder / "recipe.toml")


def test_an_image_that_is_enlarged(folder: Path, edit: Edit) -> None:
    """Pillow, which sd-scripts enlarges with, makes what is transparent black."""
    edit("[target.training]\n", '[target.training]\nmask = "figure"\n')
    with pytest.raises(CheckFailed, match="which the training enlarges; with a mask, the trainer would blacken"):
        compile_plan([check(scan(load(folder / "recipe.toml")))])


@pytest.fixture
def train(tmp_path: Path) -> Callable[..., dict[str, torch.Tensor]]:
    """Train four steps on the images of a character, each with an alpha of a level, or none."""
    demo_renders(tmp_path / "renders")

    def run(level: int | None, *words: str) -> dict[str, torch.Tensor]:
        images, out = tmp_path / "images", tmp_path / "out"
        shutil.rmtree(images, ignore_errors=True)
        shutil.copytree(tmp_path / "renders" / "red", images)
        for path in images.glob("*.png") if level is not None else ():
            with Image.open(path) as opened:
                opened.load()
            alpha = Image.new("L", opened.size, level)
            alpha.paste(255 if level else 0, (0, 0, opened.width, opened.height // 2))
            opened.putalpha(alpha)
            opened.save(path)
        subset = {"image_dir": str(images), "num_repeats": 1, "caption_extension": ".txt"}
        dataset = {"resolution": [64, 64], "batch_size": 2, "enable_bucket": False, "subsets": [subset]}
        (tmp_path / "dataset.toml").write_text(tomli_w.dumps({"datasets": [dataset]}))
        out.mkdir(exist_ok=True)
        given = {
            "pretrained_model_name_or_path": NANO,
            "dataset_config": tmp_path / "dataset.toml",
            "output_dir": out,
            "output_name": "lora",
            "network_module": "networks.lora",
            "network_dim": 2,
            "network_alpha": 2,
            "learning_rate": 1e-3,
            "unet_lr": 1e-3,
            "text_encoder_lr": 1e-4,
            "optimizer_type": "AdamW",
            "seed": 1,
            "lr_scheduler": "constant",
            "max_data_loader_n_workers": 0,
            "save_model_as": "safetensors",
            "max_train_steps": 4,
        }
        argv = [*(f"--{name}={value}" for name, value in given.items()), "--cache_latents", *words]
        Training(parse(argv)).run()
        return load_file(out / "lora.safetensors")

    return run


def _same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.allclose(one[name], other[name], rtol=0, atol=1e-6) for name in one)


def test_what_is_whole_is_trained_as_without_a_mask(train: Callable[..., dict[str, torch.Tensor]]) -> None:
    plain = train(None)
    assert _same(plain, train(255, "--alpha_mask"))
    assert _same(plain, train(255, "--alpha_mask", "--mask_mode=figure-by-area"))
    assert _same(plain, train(255, "--alpha_mask", "--mask_mode=prior"))
    assert _same(plain, train(None, "--alpha_mask"))  # drawn pictures have no alpha


@pytest.mark.parametrize("mode", ["", "--mask_mode=figure-by-area", "--mask_mode=prior"])
def test_of_an_empty_mask_nothing_is_learned(train: Callable[..., dict[str, torch.Tensor]], mode: str) -> None:
    lora = train(0, "--alpha_mask", *([mode] if mode else []))
    assert not any(part.any() for name, part in lora.items() if "lora_up" in name)


def test_each_way_learns_something_else(train: Callable[..., dict[str, torch.Tensor]]) -> None:
    plain, *others = (
        train(1, *words)
        for words in (
            (),
            ("--alpha_mask",),
            ("--alpha_mask", "--mask_mode=figure-by-area"),
            ("--alpha_mask", "--mask_mode=prior"),
        )
    )
    assert not any(_same(plain, other) for other in others)
    assert not _same(others[0], others[2])
