"""Family and flavour by the names of tensors, in the layouts of every program that writes LoRAs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from peft import LoraConfig, get_peft_model
from peft.utils import get_peft_model_state_dict

from lorarecipe.demo import NANO
from lorarecipe.errors import TrainingFailed
from lorarecipe.families import recognised_lora
from lorarecipe.inspection import Inspection, inspect
from lorarecipe.weights import SafetensorsError
from tests import rehearsal
from tests.conftest import tiny_checkpoint
from tests.loras import Shapes, kohya, numbers, write

_SD1 = "down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
_SDXL = "input_blocks_4_1_transformer_blocks_0_attn2_to_k"
_DOTTED = "down_blocks.0.attentions.0.transformer_blocks.0.attn2"
_TEXT = "text_model_encoder_layers_0_self_attn_q_proj"
_MODULE = f"lora_unet_{_SD1}"


def _inspected(folder: Path, shapes: Shapes, metadata: dict[str, str] | None = None) -> Inspection:
    return inspect(write(folder / "x.safetensors", numbers(shapes), metadata or {}))


def _of(module: str, *tensors: str, shape: tuple[int, ...] = (4, 4)) -> dict[str, tuple[int, ...]]:
    return {f"{module}.{name}": shape for name in tensors}


LAYOUTS: dict[str, tuple[Shapes, str, str]] = {
    "kohya": (kohya(_MODULE), "LoRA (kohya)", "sd15"),
    "kohya, SD2": (kohya(_MODULE, columns=1024), "LoRA (kohya)", "sd2"),
    "kohya, SDXL": (kohya(f"lora_unet_{_SDXL}", columns=2048), "LoRA (kohya)", "sdxl"),
    "kohya, SDXL without attn2": (kohya("lora_unet_middle_block_1_proj_in"), "LoRA (kohya)", "sdxl"),
    "text encoder of SD1": (kohya(f"lora_te_{_TEXT}"), "LoRA (kohya)", "sd15"),
    "text encoder of SD2": (kohya(f"lora_te_{_TEXT}", columns=1024), "LoRA (kohya)", "sd2"),
    "text encoders of SDXL": (kohya(f"lora_te1_{_TEXT}") | kohya(f"lora_te2_{_TEXT}"), "LoRA (kohya)", "sdxl"),
    "Flux": (
        kohya("lora_unet_double_blocks_0_img_attn_qkv") | kohya(f"lora_te1_{_TEXT}"),
        "LoRA (kohya)",
        "unknown",
    ),
    "a convolution of 1x1": (kohya(_MODULE) | kohya("lora_unet_a", kernel=1), "LoRA (kohya)", "sd15"),
    "LoCon": (kohya(_MODULE) | kohya("lora_unet_a", kernel=3), "LoCon (kohya)", "sd15"),
    "DoRA": (kohya(_MODULE) | _of(_MODULE, "dora_scale"), "LoRA+DoRA (kohya)", "sd15"),
    "old diffusers": (
        {f"unet.{_DOTTED}.processor.to_k_lora.down.weight": (4, 768)}
        | {f"unet.{_DOTTED}.processor.to_k_lora.up.weight": (8, 4)},
        "LoRA (diffusers)",
        "sd15",
    ),
    "diffusers": (
        {f"unet.{_DOTTED}.to_k.lora.down.weight": (4, 2048), f"unet.{_DOTTED}.to_k.lora.up.weight": (8, 4)},
        "LoRA (diffusers)",
        "sdxl",
    ),
    "diffusers with PEFT": (
        {f"unet.{_DOTTED}.to_k.lora_A.weight": (4, 768), f"unet.{_DOTTED}.to_k.lora_B.weight": (8, 4)},
        "LoRA (PEFT)",
        "sd15",
    ),
    "PEFT with an adapter's name": (
        {f"base_model.model.{_DOTTED}.to_k.lora_{which}.default.weight": (4, 4) for which in "AB"},
        "LoRA (PEFT)",
        "sd15",
    ),
    "DoRA of PEFT": (
        {f"base_model.model.{_DOTTED}.to_k.lora_{which}.weight": (4, 4) for which in "AB"}
        | {f"base_model.model.{_DOTTED}.to_k.lora_magnitude_vector": (4,)},
        "LoRA+DoRA (PEFT)",
        "sd15",
    ),
    "LoHa": (_of(_MODULE, *(f"hada_w{n}_{part}" for n in "12" for part in "ab")), "LoHa (LyCORIS)", "sd15"),
    "LoKr": (_of(_MODULE, "lokr_w1", "lokr_w2_a", "lokr_w2_b", shape=(32, 32)), "LoKr (LyCORIS)", "sd2"),
    "(IA)^3": (_of(_MODULE, "weight", "on_input"), "(IA)^3 (LyCORIS)", "unknown"),
    "OFT": (_of(_MODULE, "oft_blocks", shape=(2, 4, 4)), "OFT (LyCORIS)", "unknown"),
    "BOFT": (_of(_MODULE, "oft_blocks", shape=(2, 2, 4, 4)), "BOFT (LyCORIS)", "unknown"),
    "GLoRA": (_of(_MODULE, "a1.weight", "a2.weight", "b1.weight", "b2.weight"), "GLoRA (LyCORIS)", "unknown"),
    "difference": (_of(_MODULE, "diff", "diff_b", shape=(8, 768)), "full (LyCORIS)", "sd15"),
    "LoHa with norms": (
        _of(_MODULE, "hada_w1_a", "hada_w1_b") | _of("lora_unet_norm", "w_norm", "b_norm"),
        "LoHa (LyCORIS)",
        "sd15",
    ),
    "LyCORIS outside of kohya's trainer": (
        _of(f"lycoris_{_SD1}", "lokr_w1", "lokr_w2", shape=(2, 16)),
        "LoKr (LyCORIS)",
        "sd15",
    ),
    "embedding": ({"emb_params": (4, 768)}, "textual inversion", "unknown"),
    "embedding of SDXL": ({"clip_l": (4, 768), "clip_g": (4, 1280)}, "textual inversion", "unknown"),
    "embedding of diffusers": ({"<aoi>": (768,)}, "textual inversion", "unknown"),
    "something else": ({"a1.weight": (4, 4), "b.weight": (2,)}, "unknown", "unknown"),
    "SDXL checkpoint": (
        {"conditioner.embedders.0.transformer.a": (2,), "model.diffusion_model.a": (2,)},
        "checkpoint",
        "sdxl",
    ),
    "U-Net alone": ({"model.diffusion_model.a": (2, 2)}, "checkpoint", "unknown"),
}


@pytest.mark.parametrize(("shapes", "flavour", "family"), LAYOUTS.values(), ids=LAYOUTS)
def test_a_layout(tmp_path: Path, shapes: Shapes, flavour: str, family: str) -> None:
    found = _inspected(tmp_path, shapes)
    assert (found.flavour.title, found.family.name) == (flavour, family)
    assert sum(part.tensors for part in found.parts) == found.tensors == len(shapes)


@pytest.mark.parametrize("width", [32, 768, 1024, 2048])
@pytest.mark.parametrize("module", [_MODULE, f"lora_unet_{_SDXL}", f"lora_te_{_TEXT}", f"lora_te2_{_TEXT}"])
def test_a_lora_is_of_one_family_at_most(module: str, width: int) -> None:
    assert len(recognised_lora({module: width})) <= 1


def test_forms_are_counted(tmp_path: Path) -> None:
    flavour = _inspected(tmp_path, kohya(_MODULE) | kohya("lora_unet_a", kernel=3) | _of("lora_te_a", "diff")).flavour
    assert (flavour.title, flavour.kind) == ("LoCon+full (LyCORIS)", "lora")
    assert flavour.forms == {"LoCon": 1, "LoRA": 1, "full": 1}


@pytest.mark.parametrize(
    ("metadata", "family"),
    [
        ({"ss_network_dim": "4", "ss_base_model_version": "sdxl_base_v1-0"}, "sdxl"),
        ({"ss_network_module": "networks.lora", "ss_v2": "True"}, "sd2"),
        ({"modelspec.architecture": "stable-diffusion-v1/lora"}, "sd15"),
        ({"modelspec.architecture": "flux-1-dev/lora"}, "flux"),
        ({"ss_network_module": "networks.lora_anima", "ss_base_model_version": "anima"}, "anima"),
        ({}, "unknown"),
    ],
)
def test_a_family_by_the_metadata(tmp_path: Path, metadata: dict[str, str], family: str) -> None:
    assert _inspected(tmp_path, _of("lora_unet_a", "oft_blocks"), metadata).family.name == family


def test_tensors_go_before_the_metadata(tmp_path: Path) -> None:
    family = _inspected(tmp_path, kohya(_MODULE), {"modelspec.architecture": "stable-diffusion-xl-v1-base"}).family
    assert (family.by_tensors, family.by_metadata, family.name) == ("sd15", "sdxl", "sd15")


def test_a_checkpoint(tmp_path: Path) -> None:
    tiny_checkpoint(tmp_path / "x.safetensors")
    found = inspect(tmp_path / "x.safetensors")
    assert (found.family.name, found.flavour.title, found.blocks) == ("sd15", "checkpoint", ())
    assert {part.name: part.tensors for part in found.parts} == {"U-Net": 6, "text encoder": 2, "VAE": 1}


def test_a_part_of_a_checkpoint() -> None:
    for file in ("unet/diffusion_pytorch_model", "text_encoder/model", "vae/diffusion_pytorch_model"):
        assert inspect(NANO / f"{file}.safetensors").flavour.title == "checkpoint (part)"


def test_every_module_of_a_training(tmp_path: Path) -> None:
    rehearsal.lora(tmp_path / "x.safetensors", NANO, "sd15", 4)
    found = inspect(tmp_path / "x.safetensors")
    assert (found.flavour.title, found.family.name) == ("LoRA (kohya)", "sd15")
    assert [(part.name, [*part.ranks], [*part.alphas]) for part in found.parts] == [
        ("U-Net", ["4"], ["3"]),
        ("text encoder", ["4"], ["3"]),
    ]
    assert all(block.norm for block in found.blocks)
    assert found.not_finite == ()


def test_a_lora_that_diffusers_saved(tmp_path: Path) -> None:
    """With PEFT's names, a prefix for each part, and the ranks and alphas in the metadata."""
    unet = UNet2DConditionModel.from_pretrained(NANO, subfolder="unet", torch_dtype=torch.float32)
    unet.add_adapter(LoraConfig(r=4, lora_alpha=2, target_modules=["to_q", "to_k"], init_lora_weights=False))
    config = unet.peft_config["default"].to_dict()
    StableDiffusionPipeline.save_lora_weights(
        tmp_path, unet_lora_layers=get_peft_model_state_dict(unet), unet_lora_adapter_metadata=config
    )
    found = inspect(tmp_path / "pytorch_lora_weights.safetensors")
    assert (found.flavour.title, found.family.name) == ("LoRA (PEFT)", "sd15")
    assert [(part.name, [*part.ranks], [*part.alphas]) for part in found.parts] == [("U-Net", ["4"], ["2"])]
    name = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q"
    layer = unet.get_submodule(name)
    expected = sum(
        float(module.get_delta_weight("default").detach().double().square().sum())
        for at, module in unet.named_modules()
        if at.startswith("mid_block") and at.endswith(("to_q", "to_k"))
    )
    mid = next(block for block in found.blocks if block.name == "mid")
    assert layer.scaling["default"] == 0.5
    assert mid.norm == pytest.approx(expected**0.5, rel=1e-4)


def test_a_lora_that_peft_saved(tmp_path: Path) -> None:
    unet = UNet2DConditionModel.from_pretrained(NANO, subfolder="unet", torch_dtype=torch.float32)
    config = LoraConfig(r=4, lora_alpha=12, target_modules=["to_k", "conv1"], init_lora_weights=False, use_dora=False)
    get_peft_model(unet, config).save_pretrained(tmp_path)
    found = inspect(tmp_path / "adapter_model.safetensors")
    assert (found.flavour.title, found.family.name) == ("LoCon (PEFT)", "sd15")
    [part] = found.parts
    assert (part.name, [*part.ranks], [*part.alphas]) == ("U-Net", ["4"], ["12"])
    expected = sum(
        float(module.get_delta_weight("default").detach().double().square().sum())
        for module in unet.modules()
        if hasattr(module, "get_delta_weight")
    )
    assert sum(block.norm**2 for block in found.blocks if block.norm) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("begin", [b"PK\x03\x04", b"\x80\x02}q\x00."])
def test_a_pickle_is_named_as_one(tmp_path: Path, begin: bytes) -> None:
    (tmp_path / "x.safetensors").write_bytes(begin + b"0" * 99)
    with pytest.raises(SafetensorsError, match=r"pickle.*lorarecipe convert"):
        inspect(tmp_path / "x.safetensors")


def test_a_pickle_of_pytorch_is_named_as_one(tmp_path: Path) -> None:
    for new in (True, False):
        torch.save({"a": torch.ones(2)}, tmp_path / "x.ckpt", _use_new_zipfile_serialization=new)
        with pytest.raises(SafetensorsError, match="pickle"):
            inspect(tmp_path / "x.ckpt")


def test_a_header_whose_length_looks_like_a_pickle(tmp_path: Path) -> None:
    """640 bytes: in little endian, 0x80 and 2."""
    path = tmp_path / "x.safetensors"
    header = write(path, numbers(kohya(_MODULE)), {"a": ""}).read_bytes()
    text = header[8:].partition(b"}}")[0] + b"}}"
    write(path, numbers(kohya(_MODULE)), {"a": "x" * (640 - len(text))})
    assert path.read_bytes()[:2] == b"\x80\x02"
    assert inspect(path).flavour.title == "LoRA (kohya)"


def test_a_torn_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "x.safetensors", numbers(kohya(_MODULE)))
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(TrainingFailed, match="not a whole safetensors file"):
        inspect(path)
