from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from lorarecipe.dataset import scan
from lorarecipe.demo import NANO
from lorarecipe.errors import RecipeError
from lorarecipe.plan import TrainStage, compile_plan
from lorarecipe.recipe import load, proposed_preset
from lorarecipe.recipe.options import known_options
from lorarecipe.recipe.presets import PRESETS, fill
from lorarecipe.rules import Finding, check
from lorarecipe.store import Store
from lorarecipe.trainer import Installation, train_command
from lorarecipe.weights import open_checkpoint
from tests.conftest import RECIPE, tiny_checkpoint

_CLIP_OF = {
    "sd15": "cond_stage_model.transformer.text_model.encoder.layers.0.",
    "sd2": "cond_stage_model.model.transformer.resblocks.0.",
    "sdxl": "conditioner.embedders.0.transformer.text_model.encoder.layers.0.",
}


def _recipe(folder: Path, name: str, *, v_prediction: bool | None = None) -> Path:
    """Write a recipe whose trainings are the preset's, and its checkpoint."""
    preset = PRESETS[name]
    tiny_checkpoint(folder / "checkpoint.safetensors", _CLIP_OF[preset.family])
    velocity = preset.v_prediction if v_prediction is None else v_prediction
    text = RECIPE.replace('name = "aoi"', f'name = "aoi"\npreset = "{name}"').replace("sd15", preset.family)
    text = text.replace("[[base", f"v_prediction = {str(velocity).lower()}\n\n[[base", 1)
    base, gate = text.split("[base.training]")[0], text.split("[base.gate]")[1].split("[target]")[0]
    path = folder / "recipe.toml"
    path.write_text(
        f'{base}[base.gate]{gate}[target]\nimages = "aoi"\n[rules]{text.split("[rules]")[1]}', encoding="utf-8"
    )
    return path


def _parser() -> argparse.ArgumentParser:
    """Give sd-scripts' parser, by its own list of options."""
    parser = argparse.ArgumentParser(allow_abbrev=False, exit_on_error=False)
    kinds = {"int": int, "float": float, "str": str}
    for option, about in known_options().items():
        if about["kind"] == "flag":
            parser.add_argument(f"--{option}", action="store_true")
        else:
            nargs = "*" if about["many"] else None
            parser.add_argument(f"--{option}", type=kinds[about["kind"]], choices=about["choices"], nargs=nargs)
    return parser


@pytest.mark.parametrize("name", PRESETS)
def test_every_setting_names_its_source(name: str) -> None:
    preset = PRESETS[name]
    for phase in (preset.base, preset.target):
        extra = phase.get("extra", {})
        assert isinstance(extra, dict)
        assert preset.sources.keys() == (phase.keys() - {"extra"}) | extra.keys()


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_makes_a_command_that_sd_scripts_reads(
    name: str, folder: Path, store: Store, fake_trainer: Installation
) -> None:
    plan = compile_plan([check(scan(load(_recipe(folder, name))))])
    stages = [stage for stage in plan.stages if isinstance(stage, TrainStage)]
    assert [stage.training.rank for stage in stages] == [PRESETS[name].base["rank"], PRESETS[name].target["rank"]]
    for stage in stages:
        command = train_command(stage, fake_trainer, store)
        assert command is not None
        script = next(at for at, word in enumerate(command.argv) if word.endswith("train_network.py"))
        read, unknown = _parser().parse_known_args(command.argv[script + 1 :])
        assert unknown == []
        assert read.network_dim == stage.training.rank
        assert read.v_parameterization == PRESETS[name].v_prediction
        assert read.optimizer_args == stage.training.extra.get("optimizer_args")


@pytest.mark.parametrize("name", PRESETS)
def test_no_rule_on_settings_warns_of_a_preset(name: str, folder: Path) -> None:
    def of_settings(finding: Finding) -> bool:
        return finding.code.startswith(("RCP", "TRN"))

    assert not [*filter(of_settings, check(scan(load(_recipe(folder, name)))).findings)]


def test_a_preset_for_velocity_is_refused_on_a_checkpoint_that_predicts_noise(folder: Path) -> None:
    path = _recipe(folder, "noobai-vpred", v_prediction=False)
    with pytest.raises(RecipeError) as caught:
        load(path)
    assert [fault.line for fault in caught.value.faults] == [3]
    assert "expected v_prediction = true in [checkpoint], or another preset" in str(caught.value)


def test_a_base_recipe_with_a_preset_for_velocity_is_refused_at_its_own_line(folder: Path) -> None:
    whole = _recipe(folder, "noobai-vpred", v_prediction=False).read_text("utf-8")
    base, target = whole.split("[target]")
    (folder / "base.toml").write_text(f"# the base\n{base}".replace('"aoi"', '"base"'), encoding="utf-8")
    (folder / "mine.toml").write_text(
        f'format = 1\nname = "mine"\npreset = "pony"\n[base]\nfrom = "base.toml"\n[target]{target}', encoding="utf-8"
    )
    with pytest.raises(RecipeError) as caught:
        load(folder / "mine.toml")
    assert [(fault.path.name, fault.line) for fault in caught.value.faults] == [("base.toml", 4)]


def test_arguments_of_another_optimizer_are_not_taken_over() -> None:
    preset = PRESETS["pony"].base
    assert fill(preset, {"optimizer": "Prodigy"})["extra"] == {"no_half_vae": True, "noise_offset": 0.03}
    assert fill(preset, {"optimizer": "AdamW"})["extra"] == preset["extra"]
    mine = {"optimizer_args": ["relative_step=False"]}
    filled = fill(preset, {"optimizer": "AdaFactor", "extra": mine})
    assert filled["extra"] == {"no_half_vae": True, "noise_offset": 0.03, **mine}


@pytest.mark.parametrize(
    ("file", "family", "marks", "metadata", "preset", "velocity", "reason"),
    [
        ("animefull", "sd15", (), {}, "emanon-2023", False, "emanon-2023 was published for it"),
        ("v2-1_512-ema-pruned", "sd2", (), {}, None, False, "No settings were published for sd2"),
        ("v2-1_768-ema-pruned", "sd2", (), {}, None, True, "holds '768'"),
        ("sd_xl_base_1.0", "sdxl", (), {}, "sdxl", False, "is that of Illustrious, NoobAI or Pony"),
        ("Illustrious-XL-v2.0", "sdxl", (), {}, "illustrious", False, "Its file's name holds 'illustrious'"),
        ("illustriousXL_v01", "sdxl", (), {}, "illustrious", False, "Its file's name holds 'illustrious'"),
        ("noobaiXLNAIXL_epsilonPred11Version", "sdxl", (), {}, "noobai-eps", False, "make sure of this one"),
        ("NoobAI-XL-Vpred-v1.0", "sdxl", ("v_pred", "ztsnr"), {}, "noobai-vpred", True, "its file has an entry v_pred"),
        ("noobaiXLNAIXL_vPred10Version", "sdxl", (), {}, "noobai-vpred", True, "holds 'vPred'"),
        ("noobaiXLVpred_v10", "sdxl", (), {"modelspec.prediction_type": "epsilon"}, "noobai-vpred", True, "make sure"),
        ("mix", "sdxl", (), {"modelspec.prediction_type": "v"}, "noobai-vpred", True, "modelspec.prediction_type = v"),
        ("noob-illustrious-mix", "sdxl", (), {}, "noobai-eps", False, "holds 'noob'"),
        ("ponyDiffusionV6XL_v6StartWithThisOne", "sdxl", (), {}, "pony", False, "holds 'pony'"),
        ("ponyIllustrious", "sdxl", (), {}, "sdxl", False, "holds 'illustrious' and 'pony', so it may be either"),
        ("model", "sdxl", (), {"modelspec.title": "Pony V6"}, "pony", False, "Its title in its metadata holds 'pony'"),
    ],
)
def test_a_preset_is_proposed(
    file: str,
    family: str,
    marks: tuple[str, ...],
    metadata: dict[str, str],
    preset: str | None,
    velocity: bool,
    reason: str,
    tmp_path: Path,
) -> None:
    names = {f"{_CLIP_OF[family]}mlp.fc1.weight": (2, 2), **dict.fromkeys(marks, (0,))}
    path = tmp_path / f"{file}.safetensors"
    save_file({name: np.zeros(shape, "float16") for name, shape in names.items()}, path, metadata)
    proposal = proposed_preset(open_checkpoint(path))
    assert proposal is not None
    assert (proposal.family, proposal.preset, proposal.v_prediction) == (family, preset, velocity)
    assert reason in proposal.reason
    assert proposal.preset is None or PRESETS[proposal.preset].v_prediction == proposal.v_prediction


def test_a_folder_is_recognised_by_its_configuration() -> None:
    proposal = proposed_preset(open_checkpoint(NANO))
    assert proposal is not None
    assert (proposal.family, proposal.preset) == ("sd15", "emanon-2023")
    assert proposal.reason.startswith("Its configuration is that of sd15.")


def test_nothing_is_proposed_for_what_is_no_known_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "pony-lora.safetensors"
    save_file({"lora_unet_x.lora_down.weight": np.zeros((2, 2), "float16")}, path)
    assert proposed_preset(open_checkpoint(path)) is None
