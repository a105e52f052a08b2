"""What other trainers' users have, into recipes: each kind by an example of its own, and by what is no longer one."""

from __future__ import annotations

import json
import re
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w
import yaml
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from lorarecipe.errors import RecipeError
from lorarecipe.imports import Imported, import_recipe
from lorarecipe.imports.kinds import KINDS
from lorarecipe.imports.training_toml import flattened
from lorarecipe.imports.values import flat
from lorarecipe.recipe import Recipe, load
from lorarecipe.recipe.training import Buckets
from tests.conftest import tiny_checkpoint
from tests.renders import character
from tests.test_cli import _call, _tree

DATASETS: dict[str, Any] = {
    "general": {"caption_extension": ".txt", "keep_tokens": 1, "shuffle_caption": True, "num_repeats": 3},
    "datasets": [
        {
            "resolution": 512,
            "batch_size": 2,
            "enable_bucket": True,
            "bucket_reso_steps": 32,
            "subsets": [{"image_dir": "aoi", "class_tokens": "aoi girl"}, {"image_dir": "reg", "is_reg": True}],
        },
        {
            "resolution": [768, 640],
            "batch_size": 2,
            "min_bucket_reso": 300,
            "enable_bucket": True,
            "subsets": [{"image_dir": "aoi", "num_repeats": 5}, {"image_dir": "midori", "flip_aug": True}],
        },
    ],
}
TRAINING: dict[str, Any] = {
    "model": {"pretrained_model_name_or_path": "checkpoint.safetensors", "v2": False, "clip_skip": 2},
    "anything": {
        "output_name": "aoi",
        "network_module": "networks.lora",
        "network_dim": 32,
        "network_alpha": 16,
        "network_args": ["conv_dim=8", "block_dims=1,2"],
        "learning_rate": 1e-4,
        "text_encoder_lr": 5e-5,
        "optimizer_type": "adamw8bit",
        "optimizer_args": ["weight_decay=0.1", "betas=0.9,0.99"],
        "lr_scheduler": "cosine",
        "lr_warmup_steps": 0.1,
        "max_train_epochs": 4,
        "max_train_steps": 900,
        "train_batch_size": 2,
        "gradient_accumulation_steps": 3,
        "resolution": "512,768",
        "enable_bucket": True,
        "min_snr_gamma": 5,
        "seed": 0,
        "mixed_precision": "bf16",
        "xformers": True,
        "cache_latents": True,
        "caption_extension": ".txt",
        "train_data_dir": "img",
        "reg_data_dir": "reg",
        "wandb_api_key": "hush",
        "invented": "x",
    },
}
GUI: dict[str, Any] = {
    "LoRA_type": "Kohya LoCon",
    "pretrained_model_name_or_path": "runwayml/stable-diffusion-v1-5",
    "v2": False,
    "sdxl": False,
    "conv_dim": 4,
    "conv_alpha": 1,
    "network_dim": "64",
    "network_alpha": "32.0",
    "learning_rate": "0.0001",
    "unet_lr": "1e-4",
    "text_encoder_lr": "0",
    "max_resolution": "512,512",
    "epoch": "6",
    "max_train_epochs": "",
    "max_train_steps": "",
    "lr_warmup": "10",
    "lr_scheduler": "constant",
    "optimizer": "Lion",
    "optimizer_args": "weight_decay=0.01 betas='0.95,0.98'",
    "train_batch_size": 2,
    "seed": "",
    "clip_skip": "2",
    "max_token_length": "75",
    "bucket_reso_steps": 64.0,
    "enable_bucket": True,
    "caption_extension": ".none-use-foldername",
    "noise_offset_type": "Original",
    "noise_offset": 0.05,
    "multires_noise_iterations": 6,
    "save_every_n_epochs": "2",
    "xformers": "xformers",
    "train_data_dir": "img",
    "additional_parameters": '--max_grad_norm 0.5 --network_train_unet_only --optimizer_args "eps=1e-7"',
    "use_cp": False,
    "gpu_ids": "0,1",
}
ONETRAINER: dict[str, Any] = {
    "__version": 10,
    "training_method": "LORA",
    "model_type": "STABLE_DIFFUSION_XL_10_BASE",
    "base_model_name": "checkpoint.safetensors",
    "lora_rank": 8,
    "lora_alpha": 4.0,
    "learning_rate": 3e-4,
    "unet": {"learning_rate": None, "train": True},
    "text_encoder": {"train": False, "stop_training_after": 30},
    "optimizer": {"optimizer": "ADAMW_8BIT", "weight_decay": 0.02, "beta1": 0.9, "beta2": 0.98, "eps": None},
    "learning_rate_scheduler": "CONSTANT",
    "learning_rate_warmup_steps": 20.0,
    "epochs": 7,
    "batch_size": 2,
    "resolution": "1024",
    "train_dtype": "BFLOAT_16",
    "loss_weight_fn": "MIN_SNR_GAMMA",
    "loss_weight_strength": 5.0,
    "aspect_ratio_bucketing": False,
    "save_every": 2,
    "save_every_unit": "EPOCH",
    "output_model_destination": "models/aoi.safetensors",
    "prior": {"train": True},
    "cloud": {"api_key": "hush"},
    "concepts": [
        {"path": "aoi", "balancing": 5.0, "text": {"prompt_source": "sample"}, "image": {"enable_random_flip": True}},
        {"path": "off", "enabled": False},
        {"path": "prior", "type": "PRIOR_PREDICTION"},
    ],
}
AI_TOOLKIT: dict[str, Any] = {
    "job": "extension",
    "config": {
        "name": "aoi",
        "process": [
            {
                "type": "sd_trainer",
                "trigger_word": "a01",
                "network": {"type": "lora", "linear": 16, "linear_alpha": 8, "conv": 4},
                "save": {"dtype": "float16", "save_every": 250},
                "datasets": [{"folder_path": "aoi", "caption_ext": "txt", "resolution": [512, 768], "num_repeats": 2}],
                "train": {"steps": 500, "lr": "1e-4", "optimizer": "adamw8bit", "dtype": "bf16", "train_unet": True},
                "model": {"name_or_path": "checkpoint.safetensors", "is_xl": True},
                "sample": {"prompts": ["[trigger] on a hill"]},
            }
        ],
    },
}
METADATA = {
    "ss_network_module": "networks.lora",
    "ss_network_dim": "16",
    "ss_network_alpha": "8.0",
    "ss_network_args": '{"conv_dim": "4", "conv_alpha": "1"}',
    "ss_learning_rate": "0.0001",
    "ss_unet_lr": "None",
    "ss_text_encoder_lr": "5e-05",
    "ss_optimizer": "bitsandbytes.optim.adamw.AdamW8bit(weight_decay=0.1,betas=(0.9, 0.99))",
    "ss_lr_scheduler": "cosine",
    "ss_lr_warmup_steps": "0.1",
    "ss_max_train_steps": "1000",
    "ss_num_epochs": "10",
    "ss_num_batches_per_epoch": "100",
    "ss_gradient_accumulation_steps": "1",
    "ss_base_model_version": "sd_v2_v",
    "ss_clip_skip": "2",
    "ss_seed": "7",
    "ss_mixed_precision": "fp16",
    "ss_sd_model_name": "checkpoint.safetensors",
    "ss_new_sd_model_hash": "AB" * 32,
    "ss_dataset_dirs": '{"5_aoi": {"n_repeats": 5, "img_count": 20}}',
    "ss_reg_dataset_dirs": '{"1_girl": {"n_repeats": 1, "img_count": 9}}',
    "ss_resolution": "(512, 768)",
    "ss_enable_bucket": "False",
    "ss_batch_size_per_device": "1",
    "ss_output_name": "aoi",
    "ss_full_fp16": "False",
    "ss_session_id": "55",
    "ss_training_comment": "made in March",
}
TEXTS: dict[str, tuple[str, Callable[[Any], str], Any]] = {
    "datasets": ("a.toml", tomli_w.dumps, DATASETS),
    "training": ("a.toml", tomli_w.dumps, TRAINING),
    "gui": ("a.json", json.dumps, GUI),
    "onetrainer": ("a.json", json.dumps, ONETRAINER),
    "concepts": ("a.json", json.dumps, ONETRAINER["concepts"]),
    "ai-toolkit": ("a.yaml", yaml.safe_dump, AI_TOOLKIT),
}


def lora(path: Path, metadata: dict[str, str], *tensors: str) -> Path:
    names = tensors or ("lora_unet_a.lora_up.weight", "lora_te_a.lora_up.weight")
    save_file({name: np.ones((2, 2), "float16") for name in names}, path, metadata=metadata)
    return path


def imported(folder: Path, kind: str, **changes: object) -> Imported:
    name, dumps, data = TEXTS[kind]
    path = folder / name
    path.write_text(dumps({**data, **changes} if isinstance(data, dict) else data), encoding="utf-8")
    return import_recipe(path, folder)


def training_of(folder: Path, **options: object) -> Imported:
    return imported(folder, "training", anything={**TRAINING["anything"], **options})


def decided(one: Imported, folder: Path) -> Recipe:
    """Load a recipe as somebody completes it who takes each example for the answer."""
    text = re.sub(r"^# (?!from)(\w+ = .*)$", r"\1", one.text, flags=re.MULTILINE)
    (folder / "decided.toml").write_text(text, encoding="utf-8")
    return load(folder / "decided.toml")


def reason(one: Imported, key: str) -> str:
    return next(left.reason for left in one.left if left.key == key)


def keys_left(one: Imported) -> set[str]:
    return {left.key for left in one.left}


def undecided(one: Imported) -> set[str]:
    return {decision.key for decision in one.decisions}


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    return folder


def test_a_training_of_sd_scripts(mine: Path) -> None:
    tiny_checkpoint(mine / "checkpoint.safetensors")
    for name in ("4_aoi", "2_midori", "notes"):
        character(mine / "img" / name, "blonde", "twintails", None)
    one = imported(mine, "training")
    recipe = decided(one, mine)
    training = recipe.target and recipe.target.training
    assert recipe.target
    assert training
    assert undecided(one) == {"base"}
    assert (recipe.name, recipe.checkpoint.family, recipe.checkpoint.clip_skip) == ("aoi", "sd15", 2)
    assert recipe.checkpoint.path == mine / "checkpoint.safetensors"
    assert (recipe.target.images, recipe.target.repeats) == (mine / "img" / "4_aoi", 4)
    assert (training.rank, training.alpha, training.unet_lr, training.text_encoder_lr) == (32, 16, 1e-4, 5e-5)
    assert (training.epochs, training.steps, training.batch_size) == (4, None, 2)
    assert (training.optimizer, training.scheduler, training.precision) == ("AdamW8bit", "cosine", "bf16")
    images = sum(path.suffix == ".png" for path in (mine / "img" / "4_aoi").iterdir())
    assert training.warmup_steps == round(0.1 * -(-(images * 4 // 2) // 3) * 4)
    assert (training.resolution, training.buckets, training.seed) == ((512, 768), Buckets(), 0)
    assert training.extra == {
        "network_args": ["conv_dim=8"],
        "optimizer_args": ["weight_decay=0.1", "betas=0.9,0.99"],
        "gradient_accumulation_steps": 3,
        "min_snr_gamma": 5,
    }
    assert keys_left(one) == {
        *("network_args block_dims", "max_train_steps", "reg_data_dir", "xformers", "wandb_api_key", "invented"),
        "train_data_dir",
    }
    assert reason(one, "reg_data_dir") == "the method has no regularisation images"
    assert {left.value for left in one.left if left.key == "wandb_api_key"} == {"(not shown)"}
    assert {"cache_latents", "caption_extension", "network_module", "v2"} <= {*one.unset}


@pytest.mark.parametrize("kind", TEXTS)
def test_each_key_is_carried_left_or_said_to_change_nothing(mine: Path, kind: str) -> None:
    one = imported(mine, kind)
    data = TEXTS[kind][2]
    if kind == "training":
        data = flattened(data)
    elif kind == "ai-toolkit":
        data = data["config"]["process"][0]
    elif kind == "concepts":
        data = {"concepts": data}
    carried = {key for settings in one.carried.values() for names, _ in settings for key in re.split(", | --", names)}
    named = carried | {left.key.partition(" ")[0] for left in one.left} | {*one.unset}
    unnamed = {key for key, _ in flat(data) if key not in named}
    assert not {key for key in unnamed if not any(name.startswith(f"{key}.") or key.startswith(name) for name in named)}


@pytest.mark.parametrize(
    ("options", "key", "value"),
    [
        ({"network_dim": 8, "network_train_unet_only": True}, "text_encoder_lr", None),
        ({"text_encoder_lr": 0.0}, "text_encoder_lr", None),
        ({"text_encoder_lr": [2e-5, 2e-5]}, "text_encoder_lr", 2e-5),
        ({"text_encoder_lr": []}, "text_encoder_lr", 1e-4),
        ({"resolution": "500"}, "resolution", (496, 496)),
        ({"resolution": "1024,1024", "max_bucket_reso": 1000}, "buckets", Buckets()),
        ({"resolution": "1536"}, "buckets", Buckets(max=1536)),
        ({"bucket_reso_steps": 100, "min_bucket_reso": 300}, "buckets", Buckets()),
        ({"enable_bucket": False}, "buckets", None),
        ({"lr_warmup_steps": 30}, "warmup_steps", 30),
        ({"lr_scheduler": "constant", "lr_warmup_steps": 30}, "warmup_steps", 0),
        ({"optimizer_type": "DAdaptAdam"}, "optimizer", "AdamW"),
        ({"alpha_mask": True}, "mask", "figure"),
        ({"seed": -5}, "seed", 42),
        ({"mixed_precision": "fp8"}, "precision", "no"),
    ],
)
def test_an_option_of_sd_scripts(mine: Path, options: dict[str, object], key: str, value: object) -> None:
    target = decided(training_of(mine, **options), mine).target
    assert target
    assert getattr(target.training, key) == value


def test_what_is_missing_is_the_trainers_own_default(mine: Path) -> None:
    (mine / "a.toml").write_text('network_module = "networks.lora"\nresolution = "512"\n', encoding="utf-8")
    one = import_recipe(mine / "a.toml", mine)
    target = decided(one, mine).target
    assert target
    training = target.training
    assert (training.rank, training.alpha, training.unet_lr, training.steps) == (4, 1, 2e-6, 1600)
    assert (training.buckets, training.scheduler) == (None, "constant")
    assert "rank = 4 # the default of sd-scripts" in one.text
    assert undecided(one) == {"checkpoint.family", "checkpoint.path", "target.images", "base"}


def test_a_multiplier_is_no_rate_of_another_optimizer(mine: Path) -> None:
    one = training_of(mine, optimizer_type="DAdaptAdam", learning_rate=1.0, text_encoder_lr=1)
    assert {"target.training.unet_lr", "target.training.text_encoder_lr"} <= undecided(one)
    assert {"optimizer_type", "optimizer_args weight_decay", "learning_rate", "text_encoder_lr"} <= keys_left(one)
    kept = training_of(mine, optimizer_type="Prodigy", learning_rate=1.0, text_encoder_lr=1)
    assert not {"target.training.unet_lr"} & undecided(kept)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("runwayml/stable-diffusion-v1-5", "is the name of a model on a hub"),
        ("https://civitai.com/models/1", "is an address"),
        ("old.ckpt", "lorarecipe convert"),
        ("put the full path here", "stands in place of a path"),
        ("...", "stands in place of a path"),
        ("sdxl.safetensors", "found no file sdxl.safetensors here"),
        ("C:\\models\\sdxl.safetensors", "found no file C:\\models\\sdxl.safetensors here"),
    ],
)
def test_a_checkpoint_that_is_no_file_is_left_to_decide(mine: Path, path: str, message: str) -> None:
    one = imported(mine, "training", model={"pretrained_model_name_or_path": path})
    assert message in next(decision.message for decision in one.decisions if decision.key == "checkpoint.path")


def test_paths_are_those_of_the_source_for_a_recipe_elsewhere(mine: Path) -> None:
    (mine / "recipes").mkdir()
    imported(mine, "training")
    recipe = tomllib.loads(import_recipe(mine / "a.toml", mine / "recipes").text)
    assert recipe["checkpoint"]["path"] == "../checkpoint.safetensors"
    assert recipe["target"]["images"] == "../img"
    (mine / "link").symlink_to(mine / "recipes", target_is_directory=True)
    assert tomllib.loads(import_recipe(mine / "a.toml", mine / "link").text) == recipe


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"network_module": "networks.lora_flux"}, "flux"),
        ({"network_module": "lycoris.kohya", "qwen3": "a.safetensors"}, "qwen3"),
        ({"model_train_type": "sd3-lora"}, "sd3"),
        ({"dit": "a.safetensors"}, "dit"),
    ],
)
def test_a_training_of_another_model_is_refused(mine: Path, options: dict[str, object], word: str) -> None:
    with pytest.raises(RecipeError, match=f"another model .{word}.*sd15, sd2 or sdxl.*imported by themselves: img"):
        training_of(mine, **options)


def test_data_sets_of_sd_scripts(mine: Path) -> None:
    one = imported(mine, "datasets")
    recipe = decided(one, mine)
    assert recipe.target
    assert undecided(one) == {"checkpoint.family", "checkpoint.path", "target.images", "base", "preset"}
    assert (recipe.target.images, recipe.target.repeats) == (mine / "aoi", 5)
    assert one.carried["target.repeats"] == (("datasets[1].subsets[0].num_repeats", 5),)
    training = recipe.target.training
    assert (training.resolution, training.batch_size) == ((768, 640), 2)
    assert training.buckets == Buckets(min=256)
    assert training.extra == {"shuffle_caption": True}
    assert reason(one, "datasets[0].subsets[1].image_dir") == "the method has no regularisation images"
    assert "no trigger word" in reason(one, "datasets[0].subsets[0].class_tokens")
    assert "no trigger word" in reason(one, "general.keep_tokens")
    assert "one character" in reason(one, "datasets[1].subsets[1].image_dir")
    assert {"datasets[0].resolution", "datasets[1].min_bucket_reso"} <= keys_left(one)
    assert "datasets[0].subsets[0].image_dir" in one.unset  # the same folder at another resolution


def test_a_training_that_names_its_data_sets(mine: Path) -> None:
    (mine / "sets").mkdir()
    (mine / "sets" / "data.toml").write_text(tomli_w.dumps(DATASETS), encoding="utf-8")
    character(mine / "sets" / "aoi", "blonde", "twintails", None)
    recipe = decided(training_of(mine, dataset_config="sets/data.toml"), mine)
    assert recipe.target
    assert (recipe.target.images, recipe.target.training.resolution) == (mine / "sets" / "aoi", (768, 640))
    assert reason(training_of(mine, dataset_config="none.toml"), "dataset_config").startswith("no such file is here")


def test_a_configuration_of_the_gui(mine: Path) -> None:
    one = imported(mine, "gui")
    recipe = decided(one, mine)
    assert recipe.target
    training = recipe.target.training
    assert (recipe.checkpoint.family, recipe.checkpoint.clip_skip) == ("sd15", 2)
    assert (training.rank, training.alpha, training.unet_lr) == (64, 32, 1e-4)
    assert training.text_encoder_lr is None
    assert (training.epochs, training.warmup_steps, training.save_every_epochs) == (6, 0, 2)
    assert training.optimizer == "Lion"
    assert training.extra == {
        "network_args": ["conv_dim=4", "conv_alpha=1"],
        "optimizer_args": ["eps=1e-7"],
        "noise_offset": 0.05,
        "max_grad_norm": 0.5,
    }
    assert {"lr_warmup", "caption_extension", "xformers", "gpu_ids", "pretrained_model_name_or_path"} <= keys_left(one)
    assert reason(one, "optimizer_args") == "additional_parameters --optimizer_args goes before it"
    assert {"seed", "max_token_length", "use_cp", "multires_noise_iterations"} <= {*one.unset}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"max_train_epochs": "9"}, {"epochs": 9}),
        ({"max_train_steps": 500, "lr_scheduler": "cosine"}, {"steps": 500, "warmup_steps": 50}),
        ({"dataset_config": "none.toml"}, {"steps": 1600}),
        (
            {"unet_lr": 0, "learning_rate": 2e-4, "additional_parameters": ""},
            {"unet_lr": 2e-4, "text_encoder_lr": 2e-4},
        ),
        ({"unet_lr": 3e-4, "additional_parameters": ""}, {"unet_lr": 3e-4, "text_encoder_lr": None}),
        ({"seed": 0}, {"seed": 42}),
        ({"seed": "1234"}, {"seed": 1234}),
        ({"optimizer": "Adafactor"}, {"optimizer": "AdaFactor"}),
    ],
)
def test_what_the_gui_means_by_nothing(mine: Path, changes: dict[str, object], expected: dict[str, object]) -> None:
    target = decided(imported(mine, "gui", **changes), mine).target
    assert target
    assert {key: getattr(target.training, key) for key in expected} == expected


def test_an_old_configuration_of_the_gui(mine: Path) -> None:
    old = {key: value for key, value in GUI.items() if key not in {"LoRA_type", "optimizer", "sdxl"}}
    (mine / "a.json").write_text(json.dumps({**old, "use_8bit_adam": True, "xformers": True, "v2": True}))
    recipe = decided(import_recipe(mine / "a.json", mine), mine)
    assert recipe.target
    assert (recipe.checkpoint.family, recipe.target.training.optimizer) == ("sd2", "AdamW8bit")


def test_a_configuration_of_onetrainer(mine: Path) -> None:
    one = imported(mine, "onetrainer")
    recipe = decided(one, mine)
    assert recipe.target
    training = recipe.target.training
    assert (recipe.name, recipe.checkpoint.family, recipe.target.repeats) == ("aoi", "sdxl", 5)
    assert recipe.target.images == mine / "aoi"
    assert (training.rank, training.alpha, training.unet_lr, training.text_encoder_lr) == (8, 4, 3e-4, None)
    assert (training.epochs, training.batch_size, training.resolution) == (7, 2, (1024, 1024))
    assert (training.scheduler, training.warmup_steps) == ("constant_with_warmup", 20)
    assert (training.optimizer, training.precision, training.buckets) == ("AdamW8bit", "bf16", None)
    assert training.save_every_epochs == 2
    assert training.extra == {
        "optimizer_args": ["betas=(0.9, 0.98)", "weight_decay=0.02"],
        "min_snr_gamma": 5,
        "flip_aug": True,
    }
    assert reason(one, "concepts[1].path") == "it is not enabled"
    assert "no regularisation images" in reason(one, "concepts[2].path")
    assert "hush" not in one.text + str(one.left)
    assert "prior.train" in one.unset


def test_the_first_form_of_a_configuration_of_onetrainer(mine: Path) -> None:
    rates = {"unet_learning_rate": 2e-4, "text_encoder_learning_rate": 1e-5, "train_text_encoder": True}
    others = {"optimizer": "ADAMW", "weight_decay": 0.01, "resolution": 768, "model_type": "STABLE_DIFFUSION_15"}
    flat = {**rates, **others, "learning_rate_warmup_steps": 0, "unet": {}, "text_encoder": {}}
    target = decided(imported(mine, "onetrainer", **flat), mine).target
    assert target
    training = target.training
    assert (training.unet_lr, training.text_encoder_lr, training.scheduler) == (2e-4, 1e-5, "constant")
    assert (training.optimizer, training.extra["optimizer_args"]) == ("AdamW", ["weight_decay=0.01"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training_method": "FINE_TUNE"}, "found training_method 'FINE_TUNE', expected 'LORA'"),
        ({"model_type": "FLUX_DEV_1"}, "another model .FLUX"),
        ({"model_type": "STABLE_DIFFUSION_15_INPAINTING"}, "expected one of: STABLE_DIFFUSION_15"),
    ],
)
def test_what_onetrainer_trains_and_we_do_not(mine: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        imported(mine, "onetrainer", **changes)


def test_concepts_of_onetrainer(mine: Path) -> None:
    recipe = decided(imported(mine, "concepts"), mine)
    assert recipe.target
    assert (recipe.target.images, recipe.target.repeats) == (mine / "aoi", 5)


def test_a_job_of_ai_toolkit(mine: Path) -> None:
    one = imported(mine, "ai-toolkit")
    recipe = decided(one, mine)
    assert recipe.target
    training = recipe.target.training
    assert (recipe.name, recipe.checkpoint.family) == ("aoi", "sdxl")
    assert (recipe.target.images, recipe.target.repeats) == (mine / "aoi", 2)
    assert (training.rank, training.alpha, training.unet_lr, training.steps) == (16, 8, 1e-4, 500)
    assert (training.resolution, training.text_encoder_lr) == ((768, 768), None)
    assert training.extra == {"network_args": ["conv_dim=4", "conv_alpha=4"], "save_precision": "fp16"}
    assert reason(one, "trigger_word") == "the method has no trigger word"
    assert {"datasets[0].resolution", "sample.prompts", "save.save_every"} <= keys_left(one)
    process = AI_TOOLKIT["config"]["process"][0]
    flux = {"name": "aoi", "process": [{**process, "model": {"is_flux": True, "name_or_path": "x"}}]}
    with pytest.raises(RecipeError, match=r"another model .flux.*themselves: aoi"):
        imported(mine, "ai-toolkit", config=flux)


def test_a_finished_lora(mine: Path) -> None:
    one = import_recipe(lora(mine / "a.safetensors", METADATA), mine)
    recipe = decided(one, mine)
    assert recipe.target
    training = recipe.target.training
    assert recipe.name == "aoi"
    assert (recipe.checkpoint.family, recipe.checkpoint.v_prediction) == ("sd2", True)
    assert recipe.checkpoint.sha256 == "ab" * 32
    assert (recipe.target.images, recipe.target.repeats) == (mine / "5_aoi", 5)
    assert (training.rank, training.unet_lr, training.text_encoder_lr) == (16, 1e-4, 5e-5)
    assert (training.epochs, training.warmup_steps, training.buckets) == (10, 100, None)
    assert (training.optimizer, training.seed, training.resolution) == ("AdamW8bit", 7, (512, 768))
    assert training.extra == {
        "network_args": ["conv_dim=4", "conv_alpha=1"],
        "optimizer_args": ["weight_decay=0.1", "betas=(0.9, 0.99)"],
    }
    assert reason(one, "ss_reg_dataset_dirs") == "the method has no regularisation images"
    only = decided(import_recipe(lora(mine / "b.safetensors", METADATA, "lora_unet_a.alpha"), mine), mine)
    assert only.target
    assert only.target.training.text_encoder_lr is None


def test_a_finished_lora_of_several_data_sets(mine: Path) -> None:
    subset = {"img_count": 9, "num_repeats": 4, "image_dir": "aoi", "is_reg": False, "flip_aug": True}
    sets = [{"is_dreambooth": True, "batch_size_per_device": 3, "resolution": [640, 640], "subsets": [subset]}]
    said = {key: value for key, value in METADATA.items() if key not in {"ss_resolution", "ss_batch_size_per_device"}}
    one = import_recipe(lora(mine / "a.safetensors", {**said, "ss_datasets": json.dumps(sets)}), mine)
    target = decided(one, mine).target
    assert target
    assert (target.repeats, target.training.batch_size, target.training.resolution) == (4, 3, (640, 640))


def test_folders(mine: Path) -> None:
    character(mine / "10_my aoi", "blonde", "twintails", None)
    character(mine / "3_other", "blonde", "twintails", None)
    one = import_recipe(mine, mine)
    recipe = decided(one, mine)
    assert recipe.target
    assert (recipe.target.images, recipe.target.repeats) == (mine / "10_my aoi", 10)
    assert "no trigger word" in reason(one, "name of 10_my aoi")
    alone = import_recipe(mine / "10_my aoi", mine)
    assert (alone.name, tomllib.loads(alone.text)["target"]["repeats"]) == ("my-aoi", 10)


def test_a_folder_without_images_is_looked_at(mine: Path) -> None:
    (mine / "img").mkdir()
    one = imported(mine, "training")
    assert "found no image in img, expected the folder of the renders" in {entry.message for entry in one.decisions}


LOOKALIKES: dict[str, tuple[str, str]] = {
    "options.json": ('{"pretrained_model_name_or_path": "a", "train_data_dir": "b", "network_dim": 4}', "TOML"),
    "musubi.toml": ('[[datasets]]\nimage_directory = "a"\n', "musubi-tuner"),
    "zimage.toml": ('dit = "a"\nnetwork_module = "networks.lora_zimage"\n', "another model"),
    "whole.toml": ('[model]\npretrained_model_name_or_path = "a"\n', "whole checkpoint"),
    "part.json": ('{"lora_rank": 4, "unet_learning_rate": 1e-4}', "some settings of OneTrainer"),
    "peft.json": ('{"lora_rank": 4, "target_modules": ["q"], "data_dir": "a"}', "PEFT"),
    "gui.toml": ("[settings]\na = 1\n[server]\nb = 2\n", "kohya_ss program itself"),
    "own.yaml": ("character: aoi\ntraining: {rank: 4}\n", "YAML with the keys character, training"),
    "train.json": ('{"job": "train", "config": {"process": []}}', "ai-toolkit that trains no LoRA"),
    "extract.json": ('{"config": {"extract_model": "a", "process": []}}', "ai-toolkit that trains no LoRA"),
    "inversion.yaml": ("job: extension\nconfig: {process: [{type: textual_inversion_trainer}]}\n", "trains no LoRA"),
    "list.json": ("[1, 2]", "a list in JSON"),
    "number.json": ("5", "a single value in JSON"),
    "comma.json": ('{\n"LoRA_type": "Standard",\n}', "comma.json:3: not JSON"),
    "shifted.yaml": ("  ---\n  job: extension\n", "not YAML"),
    "broken.toml": ("[a\n", "broken.toml:1: not TOML"),
    "words.txt": ("only words", "not JSON, TOML or YAML"),
    "deep.json": ("[" * 500 + "]" * 500, "within each other"),
    "bytes.json": ("\udcff", "not UTF-8"),
}


@pytest.mark.parametrize("name", LOOKALIKES)
def test_a_lookalike_is_named_and_refused(mine: Path, name: str) -> None:
    text, what = LOOKALIKES[name]
    (mine / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(RecipeError) as refusal:
        import_recipe(mine / name, mine)
    assert what in str(refusal.value)
    assert any(word in str(refusal.value) for word in ("expected", ": not ", "save the file as UTF-8"))


def test_other_things_are_refused(mine: Path) -> None:
    lora(mine / "plain.safetensors", {"format": "pt"})
    (mine / "torn.safetensors").write_bytes(b"\x08")
    (mine / "empty").mkdir()
    for name, what in (
        ("plain.safetensors", "does not tell"),
        ("torn.safetensors", "not a whole"),
        ("empty", "a folder"),
    ):
        with pytest.raises(RecipeError, match=what):
            import_recipe(mine / name, mine)
    tower = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(9)
    )
    (mine / "tower.yaml").write_text(tower)
    with pytest.raises(RecipeError, match="more than 50000 values"):
        import_recipe(mine / "tower.yaml", mine)


_anything = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9), st.sampled_from(["1e-4", "0", "..."])
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)


def _paths(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [where for key, inner in items for where in [(*path, key), *_paths(inner, (*path, key))]]


def _with(data: Any, path: tuple[Any, ...], value: object) -> Any:
    if not path:
        return value
    copy = data.copy()
    copy[path[0]] = _with(data[path[0]], path[1:], value)
    return copy


def _is_one_or_refused(path: Path, folder: Path) -> None:
    try:
        one = import_recipe(path, folder)
    except RecipeError:
        return
    (folder / "recipe.toml").write_text(one.text, encoding="utf-8")
    left_open = undecided(one)
    try:
        load(folder / "recipe.toml")
    except RecipeError as error:
        open_at = {key[:end] for key in left_open for end in (*(dot.start() for dot in re.finditer(r"\.", key)), None)}
        faults = [fault for fault in error.faults if fault.where not in open_at]
        of_a_preset = [fault for fault in faults if "preset" in left_open and "missing" in fault.message]
        assert faults == of_a_preset


@given(st.data())
def test_whatever_stands_at_a_key_there_is_a_recipe_or_a_sentence(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from([name for name in TEXTS if name not in {"datasets", "training"}]))
    name, dumps, tables = TEXTS[kind]
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(_paths(tables)))
        tables = _with(tables, path, data.draw(_anything))
        if not _paths(tables):
            return
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, name).write_text(dumps(tables), encoding="utf-8", errors="surrogatepass")
        _is_one_or_refused(Path(folder, name), Path(folder))


_of_toml = st.recursive(
    st.one_of(st.booleans(), st.integers(), st.floats(), st.text(st.characters(exclude_categories=["Cs"]), max_size=9)),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)


@given(st.sampled_from(["datasets", "training"]), st.data())
def test_whatever_stands_at_a_key_of_toml(kind: str, data: st.DataObject) -> None:
    name, dumps, tables = TEXTS[kind]
    path = data.draw(st.sampled_from(_paths(tables)))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, name).write_text(dumps(_with(tables, path, data.draw(_of_toml))), encoding="utf-8")
        _is_one_or_refused(Path(folder, name), Path(folder))


@given(st.sampled_from(sorted(METADATA)), st.text(st.characters(exclude_categories=["Cs"]), max_size=12))
def test_whatever_stands_in_metadata(key: str, value: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _is_one_or_refused(lora(Path(folder, "a.safetensors"), {**METADATA, key: value}), Path(folder))


@given(st.sampled_from(sorted(TEXTS)), st.data())
def test_a_text_that_was_cut_or_changed(kind: str, data: st.DataObject) -> None:
    name, dumps, tables = TEXTS[kind]
    content = bytearray(dumps(tables).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, name).write_bytes(content[: data.draw(st.integers(1, len(content)))])
        _is_one_or_refused(Path(folder, name), Path(folder))


def test_the_command(mine: Path) -> None:
    (mine / "a.json").write_text(json.dumps(GUI))
    before = _tree(mine)
    code, out, err = _call(mine, "import", "a.json", "--name", "aoi")
    assert (code, out) == (0, "aoi.toml\n")
    assert "a.json is a saved LoRA configuration of the kohya_ss GUI (JSON); " in err
    assert "  base: which base" in err
    assert '  xformers = "xformers": it is not installed with the trainer; lorarecipe uses sdpa\n' in err
    assert {
        name: content for name, content in _tree(mine).items() if not name.endswith((".toml", ".schema.json"))
    } == before
    kept = (mine / "aoi.toml").read_bytes()
    code, out, err = _call(mine, "import", "a.json", "--out", "aoi.toml")
    assert (code, out) == (2, "")
    assert "aoi.toml exists and is not overwritten" in err
    assert (mine / "aoi.toml").read_bytes() == kept
    assert _call(mine, "import", "a.json", "--out", "none/aoi.toml")[0] == 2
    assert _call(mine, "import", "none.json")[0] == 2
    code, _, err = _call(mine, "check", "aoi.toml")
    assert code == 2
    assert "checkpoint.path: missing" in err or "base: found none of them" in err


def test_the_command_for_programs(mine: Path) -> None:
    (mine / "a.json").write_text(json.dumps(GUI))
    code, out, err = _call(mine, "import", "a.json", "--json", "--out", "b.toml")
    said = json.loads(out)
    assert (code, err, said["schema_version"], said["recipe"]) == (0, "", 1, "b.toml")
    assert {"recipe_key": "target.training.rank", "key": "network_dim", "value": "64"} in said["carried"]
    assert {entry["key"] for entry in said["left_to_decide"]} == {"checkpoint.path", "target.images", "base"}
    assert {"key", "value", "reason"} == said["not_carried"][0].keys()
    assert "use_cp" in said["unset"]


def test_a_refusal_of_the_command(mine: Path) -> None:
    (mine / "a.toml").write_text('[[datasets]]\nimage_directory = "a"\n')
    code, out, err = _call(mine, "import", "a.toml")
    assert (code, out) == (2, "")
    assert err.startswith("a.toml:1: found the data sets of musubi-tuner")
    assert all(kind.TITLE in err for kind in KINDS)
    assert [path.name for path in mine.iterdir()] == ["a.toml"]
