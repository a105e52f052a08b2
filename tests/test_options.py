from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from lorarecipe.dataset import scan
from lorarecipe.files import vendor
from lorarecipe.plan import TrainStage, compile_plan
from lorarecipe.recipe import Buckets, Training, load
from lorarecipe.recipe.arguments import options_of
from lorarecipe.recipe.options import _ALLOWED, _OWNED, extra_problems, known_options
from lorarecipe.recipe.refused import REFUSED
from lorarecipe.rules import check
from lorarecipe.store import Store
from lorarecipe.trainer import Installation, train_command
from lorarecipe.trainer.commands import GUARD

#: options that a recipe's own keys set
_BY_FIELDS = options_of(Buckets, "buckets.") | options_of(Training)
_SET = {*_OWNED, *_BY_FIELDS}


def test_every_name_of_ours_is_an_option_of_the_trainer() -> None:
    of_the_embedded_trainer = {"mask_mode"}
    assert known_options().keys() >= (_ALLOWED | _SET) - of_the_embedded_trainer
    assert not _ALLOWED & _SET


def test_every_option_is_allowed_owned_or_refused_with_a_reason() -> None:
    assert REFUSED.keys() == known_options().keys() - _ALLOWED - _SET


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("color_aug", "lorarecipe caches latents"),
        ("masked_loss", "the recipe's mask"),
        ("random_crop", "lorarecipe caches latents"),
        ("validation_split", "trains on all images"),
        ("torch_compile", "cannot go on from a saved state"),
        ("sdpa", "lorarecipe sets it itself"),
    ],
)
def test_a_refusal_says_why(name: str, reason: str) -> None:
    assert reason in extra_problems({name: True}, {})[name]


@pytest.mark.parametrize("name", sorted(name for name, why in REFUSED.items() if why == "lorarecipe sets it itself"))
def test_what_lorarecipe_is_said_to_set_it_sets(
    name: str, folder: Path, store: Store, fake_trainer: Installation
) -> None:
    plan = compile_plan([check(scan(load(folder / "recipe.toml")))])
    command = train_command(next(stage for stage in plan.stages if isinstance(stage, TrainStage)), fake_trainer, store)
    assert command is not None
    assert any(word.partition("=")[0] == f"--{name}" for word in command.argv)


@pytest.mark.parametrize(
    "name",
    """
    huggingface_token wandb_api_key config_file output_config network_module dataset_class reg_data_dir resume
    network_weights logging_dir console_log_file log_tracker_config caption_prefix sample_prompts in_json
    save_state_to_huggingface cache_info debug_dataset offload_param_nvme_path
    """.split(),
)
def test_secrets_files_and_code_are_refused(name: str) -> None:
    assert "may not set" in extra_problems({name: "x"}, {})[name]


def test_no_free_text_is_passed_on_but_key_value_lists() -> None:
    free = {
        name for name in _ALLOWED if known_options()[name]["kind"] == "str" and not known_options()[name]["choices"]
    }
    assert all(known_options()[name]["many"] for name in free)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("min_snr_gamma", 5),
        ("noise_offset", 0.1),
        ("zero_terminal_snr", True),
        ("loss_type", "huber"),
        ("max_token_length", 150),
        ("network_args", ["conv_dim=4", "conv_alpha=1"]),
        ("optimizer_args", ["weight_decay=0.1", "betas=0.9,0.99", "eps=(1e-30, 1e-3)", "beta3=None", "x=True"]),
    ],
)
def test_an_option_that_is_right(name: str, value: object) -> None:
    assert not extra_problems({name: value}, {})


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("min_snr_gamma", "5", "found '5', expected a number"),
        ("min_snr_gamma", True, "found True, expected a number"),
        ("zero_terminal_snr", 1, "found 1, expected true or false"),
        ("keep_tokens", 1.5, "found 1.5, expected a whole number"),
        ("loss_type", "l3", "expected one of l1, l2, huber, smooth_l1"),
        ("network_args", "conv_dim=4", 'expected a list of "key=value"'),
        ("gradient_accumulation_steps", 0, "expected 1 or more"),
        ("optimizer_args", ["--network_module=antigravity"], 'expected a list of "key=value"'),
        ("lr_scheduler_args", ["-x=1"], 'expected a list of "key=value"'),
        ("min_snr_gamma", float("inf"), "expected a smaller number"),
        ("min_snr_gamma", float("nan"), "expected a smaller number"),
        ("network_args", ["block_dims=1,2"], "found 'block_dims', expected one of conv_alpha"),
        ("optimizer_args", ["weight_decay=0.5,"], "found 'weight_decay=0.5,', expected one key=value"),
        ("optimizer_args", ["use_bias_correction=true"], "found 'use_bias_correction=true', expected one key=value"),
        ("optimizer_args", ["weight_decay=0.1 betas=0.9,0.99"], "expected one key=value"),
        ("optimizer_args", ["weight_decay="], "expected one key=value"),
        ("lr_scheduler_args", ["num_cycles=two"], "expected one key=value"),
        ("unet_lr", 1e-4, "expected unet_lr in its place"),
        ("snr_gamma", 5, "did you mean min_snr_gamma?"),
    ],
)
def test_an_option_that_is_wrong(name: str, value: object, expected: str) -> None:
    assert expected in extra_problems({name: value}, _BY_FIELDS)[name]


@pytest.mark.sd_scripts
def test_the_list_is_the_pinned_checkouts_own(real_trainer: Installation) -> None:
    script = GUARD.with_name("options.py")
    told = subprocess.run(
        [real_trainer.python, script, real_trainer.checkout], capture_output=True, text=True, check=True
    ).stdout
    assert json.loads(told) == json.loads(vendor("options.json").read_text("utf-8"))
