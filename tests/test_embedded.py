from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tomli_w
import torch
from PIL import Image
from safetensors.torch import load_file

from lorarecipe.demo import NANO
from lorarecipe.inspection import inspect
from lorarecipe.records import Sitting
from lorarecipe.run import find_run
from lorarecipe.trainer.embedded.arguments import parse, read_dataset
from lorarecipe.trainer.embedded.data import _resized
from lorarecipe.trainer.embedded.drawing import Sampler
from lorarecipe.trainer.embedded.training import Training
from lorarecipe.weights import Folder, Weights
from tests.renders import demo_renders
from tests.test_merging import small_lora

ROOT = Path(__file__).parent.parent


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Two characters of four images, the first seen twice as often: a dataset TOML."""
    demo_renders(tmp_path / "renders")
    subsets = [
        {"image_dir": str(tmp_path / "renders" / name), "num_repeats": repeats, "caption_extension": ".txt"}
        for name, repeats in (("red", 2), ("green", 1))
    ]
    document = {"datasets": [{"resolution": [64, 64], "batch_size": 4, "enable_bucket": False, "subsets": subsets}]}
    (tmp_path / "dataset.toml").write_text(tomli_w.dumps(document))
    return tmp_path / "dataset.toml"


def _argv(dataset: Path, out: Path, **more: object) -> list[str]:
    out.mkdir(exist_ok=True)
    given: dict[str, object] = {
        "pretrained_model_name_or_path": NANO,
        "dataset_config": dataset,
        "output_dir": out,
        "output_name": "lora",
        "network_module": "networks.lora",
        "network_dim": 4,
        "network_alpha": 2,
        "learning_rate": 1e-3,
        "unet_lr": 1e-3,
        "optimizer_type": "AdamW",
        "lr_scheduler": "cosine",
        "seed": 1,
        "max_data_loader_n_workers": 0,
        "save_model_as": "safetensors",
        "max_train_epochs": 3,
        **more,
    }
    switches = ["--cache_latents", *(["--network_train_unet_only"] if "text_encoder_lr" not in more else [])]
    return [*(f"--{name}={value}" for name, value in given.items()), *switches]


def _train(argv: list[str]) -> None:
    Training(parse(argv)).run()


def _same(one: Path, other: Path) -> bool:
    a, b = load_file(one), load_file(other)
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_a_training_leaves_kohyas_names_and_metadata(dataset: Path, tmp_path: Path) -> None:
    _train(_argv(dataset, tmp_path / "out", text_encoder_lr=1e-4, min_snr_gamma=5, save_every_n_epochs=2))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["lora-000002.safetensors", "lora.safetensors"]
    lora = Weights(tmp_path / "out" / "lora.safetensors")
    stem = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
    width = Folder(NANO).shapes["unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.weight"][0]
    assert lora.shapes[f"{stem}.lora_down.weight"] == (4, width)
    assert lora.shapes[f"{stem}.lora_up.weight"] == (width, 4)
    assert float(lora.read(f"{stem}.alpha")) == 2
    assert "lora_te_text_model_encoder_layers_0_mlp_fc1.lora_up.weight" in lora.names
    assert all(lora.read(name).any() for name in lora.names if "lora_up" in name)
    told = lora.metadata
    assert (told["ss_steps"], told["ss_epoch"], told["ss_num_batches_per_epoch"]) == ("9", "3", "3")
    assert json.loads(told["ss_dataset_dirs"])["red"] == {"n_repeats": 2, "img_count": 4}
    assert json.loads(told["ss_tag_frequency"])["green"]["green hair"] == 4
    found = inspect(lora.path)
    assert (found.flavour.title, found.family.by_tensors, found.family.by_metadata) == ("LoRA (kohya)", "sd15", "sd15")
    assert {part.name: (*part.ranks, *part.alphas) for part in found.parts} == {
        "U-Net": ("4", "2"),
        "text encoder": ("4", "2"),
    }
    assert all(block.norm for block in found.blocks)
    assert found.training.settings["extra.min_snr_gamma"] == 5
    assert [(images.folder, images.repeats, images.images) for images in found.training.folders] == [
        ("red", 2, 4),
        ("green", 1, 4),
    ]


def test_a_resumed_training_ends_with_the_same_weights(dataset: Path, tmp_path: Path) -> None:
    whole, rest = tmp_path / "whole", tmp_path / "rest"
    _train([*_argv(dataset, whole, text_encoder_lr=1e-4, save_every_n_epochs=1), "--save_state"])
    _train(_argv(dataset, rest, text_encoder_lr=1e-4, resume=whole / "lora-000002-state"))
    assert _same(whole / "lora.safetensors", rest / "lora.safetensors")
    assert not _same(whole / "lora.safetensors", whole / "lora-000002.safetensors")


def test_the_loss_falls_on_what_is_seen_often(dataset: Path, tmp_path: Path) -> None:
    """The same batches with the same noise, again and again."""
    training = Training(parse(_argv(dataset, tmp_path / "out", max_train_epochs=20)))
    losses = []
    for _ in range(20):
        torch.manual_seed(0)
        losses.append(np.mean([training._one([batch]) for batch in training.batches.epoch(1)]))
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("--noise_offset=0.1", "unrecognized arguments: --noise_offset=0.1"),
        ("--optimizer_type=Lion", "invalid choice: 'Lion'"),
        ("--network_dim=many", "invalid int value: 'many'"),
    ],
)
def test_what_it_does_not_know_is_an_error(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], word: str, told: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse([*_argv(dataset, tmp_path / "out"), word])
    assert told in capsys.readouterr().err


def test_a_dataset_key_that_it_does_not_know_is_an_error(dataset: Path) -> None:
    dataset.write_text(dataset.read_text().replace("num_repeats = 2", "num_repeats = 2\nflip_aug = true"))
    with pytest.raises(ValueError, match="found flip_aug, which the embedded trainer does not know"):
        read_dataset(dataset)


def test_images_of_every_kind_are_trained_on(dataset: Path, tmp_path: Path) -> None:
    for path in (tmp_path / "renders" / "red").glob("*.png"):
        with Image.open(path) as image:
            image.save(path.with_suffix(".jpg"), quality=95)
        path.unlink()
    training = Training(parse(_argv(dataset, tmp_path / "out")))
    assert training.per_epoch == 3


def test_clip_skip_is_heeded_by_training_and_sampling(dataset: Path, tmp_path: Path) -> None:
    losses, pictures = [], []
    for skip in (1, 2):
        training = Training(parse(_argv(dataset, tmp_path / "out", clip_skip=skip)))
        losses.append(training._one([training.batches.epoch(1)[0]]))
        pictures.append(Sampler(NANO, clip_skip=skip).draw(["1girl"], [1], (64, 64), 2, 3.0)[0].tobytes())
    assert losses[0] != losses[1]
    assert pictures[0] != pictures[1]


def test_an_image_is_reduced_by_areas() -> None:
    """Three pixels to two: each new one has one and a half old ones."""
    image = Image.new("RGB", (3, 1))
    for x, value in enumerate((0, 90, 240)):
        image.putpixel((x, 0), (value, value, value))
    assert _resized(image, (2, 1), (2, 1))[0, :, 0].tolist() == [30, 190]


def test_a_sample_is_its_seed_and_its_lora(tmp_path: Path) -> None:
    lora = small_lora(tmp_path / "lora.safetensors")
    plain, changed = Sampler(NANO), Sampler(NANO, lora)

    def draw(sampler: Sampler, seed: int) -> bytes:
        [picture] = sampler.draw(["1girl"], [seed], (64, 64), 2, 3.0)
        return bytes(picture.tobytes())

    assert draw(plain, 1) == draw(Sampler(NANO, lora, 0.0), 1)
    assert len({draw(plain, 1), draw(plain, 2), draw(changed, 1)}) == 3


RECIPE = f"""\
format = 1
name = "killed"

[checkpoint]
family = "sd15"
path = "{NANO}"

[[base.characters]]
images = "renders/red"
traits = ["red hair", "long hair", "blue dress"]

[[base.characters]]
images = "renders/green"
traits = ["green hair", "short hair", "yellow dress"]

[base.training]
rank = 4
alpha = 4
unet_lr = 1e-3
text_encoder_lr = 1e-4
steps = 20
batch_size = 2
resolution = 64
buckets = false

[base.gate]
mode = "off"

[trainer]
engine = "embedded"
device = "cpu"
"""


def test_a_run_that_is_paused_and_killed_and_run_again_ends_with_the_same_weights(tmp_path: Path) -> None:
    demo_renders(tmp_path / "renders")
    (tmp_path / "killed.toml").write_text(RECIPE)
    words = [sys.executable, "-m", "lorarecipe", "run", "killed.toml", "--json", "--out"]
    results = []
    for name in ("killed", "whole"):
        env = os.environ | {"LORARECIPE_HOME": str(tmp_path / name), "PYTHONPATH": str(ROOT)}
        for signum, step in ((signal.SIGINT, 5), (signal.SIGKILL, 13)) if name == "killed" else ():
            with subprocess.Popen(
                [*words, name], cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            ) as run:
                assert run.stdout
                assert run.stderr
                for line in run.stdout:
                    if json.loads(line).get("step", 0) >= step:
                        run.send_signal(signum)
                        break
                told = (run.stderr.read(), run.wait())
            assert not list(tmp_path.glob("killed/**/killed.safetensors"))
            if signum == signal.SIGINT:
                command = "lorarecipe run killed.toml --out killed"
                assert told == (f"stopped; what was finished is kept: to go on, run\n{command}\n", 130)
                assert find_run(tmp_path / "killed" / "runs", "last").state == "paused"
        done = subprocess.run(
            [*words, f"out-{name}"], cwd=tmp_path, env=env, check=True, capture_output=True, text=True
        )
        assert ("goes on after epoch" in done.stdout) == (name == "killed")
        results.append(tmp_path / f"out-{name}" / "killed" / "killed.safetensors")
        sittings = _sittings(tmp_path / name)
        if name == "killed":
            went_on = [bool(sitting.after) for sitting in sittings]
            known = [sitting.seconds is not None for sitting in sittings]
            assert (went_on, known) == ([False, True, True], [True, False, True])  # paused, killed, finished
            subprocess.run([*words, f"out-{name}"], cwd=tmp_path, env=env, check=True, capture_output=True)
            assert _sittings(tmp_path / name) == sittings  # a run that reuses it says the same
            page = (tmp_path / f"out-{name}" / "killed" / "report.html").read_text("utf-8")
            assert page.count("how long it took is not known, as the process was killed") == 1
            assert page.count(" UTC: went on after epoch ") == 2
        else:
            assert [sitting.after for sitting in sittings] == [""]
    assert _same(*results)


def _sittings(home: Path) -> list[Sitting]:
    [training] = [stage for stage in find_run(home / "runs", "last").record.stages if stage.kind == "train"]
    return training.sittings


def test_the_demo_in_a_few_steps(tmp_path: Path) -> None:
    """Both recipes as they stand, but for their steps."""
    words = [sys.executable, "-m", "lorarecipe"]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([*words, "demo"], cwd=tmp_path, env=env, check=True, capture_output=True)
    recipes = ["demo.toml", "demo-auburn.toml"]
    for name in recipes:
        text = (tmp_path / name).read_text("utf-8")
        text = re.sub(r"steps = \d+", "steps = 2", text).replace("images = 4", "images = 2")
        (tmp_path / name).write_text(text, encoding="utf-8")
    done = subprocess.run([*words, "run", *recipes], cwd=tmp_path, env=env, check=True, capture_output=True, text=True)
    files = [
        f"out/{name}/{file}"
        for name in ("demo-honey", "demo-auburn")
        for file in (
            *(f"{name}.safetensors", f"{name}.json", f"{name}.preview.png"),
            *("samples/all.png", "passport.json", "leak.json"),
        )
    ]
    files.insert(6, "out/demo-honey/demo-honey-baked.safetensors")
    assert done.stdout.splitlines() == [*files, "out/demo-honey/report.html", "out/demo-auburn/report.html"]
    with Image.open(tmp_path / files[3]) as sheet:
        assert sheet.size == (768, 5 * 144)
    with Image.open(tmp_path / "out" / "demo-honey" / "samples" / "01_1_2.png") as picture:
        told = picture.info["parameters"]
    assert told.splitlines()[0] == "1girl, forest, arms up, full body <lora:demo-honey:1>"
    assert "Seed: 2" in told
    recipe = tmp_path / "demo.toml"
    recipe.write_text(recipe.read_text("utf-8").replace("images = 2\nsteps", "images = 1\nsteps"), encoding="utf-8")
    subprocess.run([*words, "run", "demo.toml"], cwd=tmp_path, env=env, check=True, capture_output=True)
    left = sorted(path.name for path in (tmp_path / "out" / "demo-honey" / "samples").iterdir())
    assert left == [*(f"{number:02}_{weight}_1.png" for number in range(5) for weight in ("0", "1.25", "1")), "all.png"]
    folder = tmp_path / "out" / "demo-honey"
    copies = [folder / name for name in ("samples/best.png", "samples/favourites/the best one.png", "gate/poster.png")]
    copies += [folder / "samples" / "mine.png", folder / "demo-honey-2.safetensors"]
    for copy in copies:
        copy.parent.mkdir(exist_ok=True)
        shutil.copy(folder / ("demo-honey.safetensors" if copy.suffix != ".png" else "samples/all.png"), copy)
    Image.new("RGB", (8, 8)).save(folder / "samples" / "mine.png")  # without our mark
    before = [copy.read_bytes() for copy in copies]
    subprocess.run([*words, "run", recipes[0]], cwd=tmp_path, env=env, check=True, capture_output=True)
    assert [copy.read_bytes() for copy in copies] == before
    mine = folder / "samples" / "00_1_1.png"
    Image.new("RGB", (8, 8)).save(mine)
    done = subprocess.run(
        [*words, "run", recipes[0]], cwd=tmp_path, env=env, check=False, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "00_1_1.png is not lorarecipe's" in done.stderr
    assert mine.exists()
