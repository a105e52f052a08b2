from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lorarecipe.families import FAMILIES, trained_modules
from lorarecipe.trainer import Installation

_BLOCK = "model.diffusion_model."


@pytest.mark.parametrize(
    ("weight", "module"),
    [
        (f"{_BLOCK}input_blocks.1.1.proj_in.weight", "lora_unet_down_blocks_0_attentions_0_proj_in"),
        (f"{_BLOCK}input_blocks.3.0.op.weight", "lora_unet_down_blocks_0_downsamplers_0_conv"),
        (f"{_BLOCK}middle_block.2.emb_layers.1.weight", "lora_unet_mid_block_resnets_1_time_emb_proj"),
        (f"{_BLOCK}output_blocks.5.2.conv.weight", "lora_unet_up_blocks_1_upsamplers_0_conv"),
        (f"{_BLOCK}output_blocks.3.0.skip_connection.weight", "lora_unet_up_blocks_1_resnets_0_conv_shortcut"),
        ("cond_stage_model.transformer.encoder.layers.0.mlp.fc1.weight", "lora_te_text_model_encoder_layers_0_mlp_fc1"),
    ],
)
def test_names(weight: str, module: str) -> None:
    assert FAMILIES["sd15"].modules_of(weight) == (module,)


@pytest.mark.parametrize(
    "weight", [f"{_BLOCK}time_embed.0.weight", f"{_BLOCK}input_blocks.0.0.weight", "first_stage_model.x"]
)
def test_no_module(weight: str) -> None:
    assert FAMILIES["sd15"].modules_of(weight) == ()


def test_open_clip_keeps_three_in_one() -> None:
    found = FAMILIES["sdxl"].modules_of("conditioner.embedders.1.model.transformer.resblocks.3.attn.in_proj_weight")
    assert found == tuple(f"lora_te2_text_model_encoder_layers_3_self_attn_{part}_proj" for part in "qkv")


@pytest.fixture(scope="module")
def told(real_trainer: Installation) -> Any:
    """What the pinned checkout trains, family by family."""
    script = Path(__file__).parent / "inside" / "modules.py"
    output = subprocess.run(
        [real_trainer.python, script, real_trainer.checkout], capture_output=True, text=True, check=True
    )
    return json.loads(output.stdout.splitlines()[-1])


@pytest.mark.sd_scripts
@pytest.mark.parametrize("family", FAMILIES)
def test_modules_are_those_that_the_trainer_trains(told: Any, family: str) -> None:
    shapes = {name: tuple(shape) for name, shape in told[family]["weights"].items()}
    modules = trained_modules(shapes, FAMILIES[family], text_encoder=True)
    assert sorted(modules) == told[family]["modules"]
    counts = {"sd15": 192 + 72, "sd2": 192 + 138, "sdxl": 722 + 72 + 192}
    assert len(modules) == counts[family]
