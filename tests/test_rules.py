"""Each rule's cases as data: what is done to a clean set, and the finding that must come, alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from lorarecipe.dataset import scan
from lorarecipe.recipe import load
from lorarecipe.rules import RULES, check
from tests.renders import shoot

Change = Callable[[Path], object]


def _say(file: str, text: str) -> Change:
    return lambda folder: (folder / f"{file}.txt").write_text(text, encoding="utf-8")


def _base(keys: dict[str, tuple[int, ...]]) -> Change:
    def change(folder: Path) -> None:
        save_file({key: np.zeros(shape, "float32") for key, shape in keys.items()}, folder / "base.safetensors")
        path = folder / "recipe.toml"
        before, target = path.read_text("utf-8").split("[target]")
        head = before.split("[[base.characters]]")[0]
        path.write_text(f'{head}[base]\nweights = "base.safetensors"\n[target]{target}', encoding="utf-8")

    return change


def _lora(module: str) -> dict[str, tuple[int, ...]]:
    return {f"{module}.lora_down.weight": (2, 8), f"{module}.lora_up.weight": (8, 2), f"{module}.alpha": ()}


_Q = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
_FULL = "white background, nude, arms at sides, full body"


def _empty(name: str) -> Change:
    def change(folder: Path) -> None:
        shutil.rmtree(folder / name)
        (folder / name).mkdir()

    return change


def _family(name: str) -> Change:
    def change(folder: Path) -> None:
        path = folder / "recipe.toml"
        path.write_text(path.read_text("utf-8").replace("sd15", name), encoding="utf-8")

    return change


def _shrink(folder: Path) -> None:
    path = folder / "recipe.toml"
    text = path.read_text("utf-8").replace("max = 256 }\nsave", "max = 256, no_upscale = true }\nsave")
    path.write_text(text, encoding="utf-8")
    shoot("red hair", "ponytail", "full_front", (60, 160)).save(folder / "aoi" / "full_front.png")


CASES: list[tuple[str, Change, str]] = [
    ("BAS001", _say("red/full_front", "short hair, full body"), "red/full_front.txt:1:1: BAS001 error found no 'red hair'"),
    ("BAS002", _say("red/full_front", "mychar, red hair, short hair, full body"), "red/full_front.txt:1:1: BAS002 error found 'mychar', no trait"),
    ("BAS002", _say("red/full_front", "red hair, short hair, twintails, full body"), ":1:23: BAS002 error found 'twintails', another character's trait"),
    ("TGT001", _say("aoi/full_front", f"1girl, {_FULL}"), "aoi/full_front.txt:1:1: TGT001 error found '1girl'"),
    ("TGT001", _say("aoi/full_front", f"{_FULL}, solo"), ":1:51: TGT001 error found 'solo'"),
    ("TGT001", _say("aoi/full_front", f"{_FULL}, Nude"), "did you mean 'nude'?"),
    ("TGT001", _say("aoi/full_back", f"from_behind, from behind, {_FULL}"), "did you mean 'from behind'?"),
    ("TGT002", _say("aoi/upper_front", "nude, upper body"), "aoi/upper_front.txt:1:1: TGT002 error found no 'white background'"),
    ("TGT003", _say("aoi/full_front", "white background, full body"), "expected both"),
    ("TGT003", _say("aoi/upper_front", "white background, upper body, arms at sides"), ":1:31: TGT003 error"),
    ("IMG001", lambda folder: (folder / "red" / "full_front.png").write_bytes(b"no"), "red/full_front.png:1:1: IMG001"),
    ("IMG002", lambda folder: shutil.copy(folder / "red" / "full_front.png", folder / "red" / "full_front.webp"), "IMG002 error found the stem of full_front.png again"),
    ("SET001", _empty("aoi"), "aoi:1:1: SET001 error found no image"),
    ("SET002", lambda folder: (folder / "aoi" / "full_front.txt").unlink(), "expected full_front.txt beside it"),
    ("SET002", _say("aoi/full_front", ""), "found a caption that is empty"),
    ("SET003", lambda folder: (folder / "aoi" / "old.txt").touch(), "SET003 warning found a caption without an image"),
    ("SET003", lambda folder: (folder / "aoi" / "1_reg").mkdir(), "SET003 warning found a folder that is not trained on"),
    ("SET004", lambda folder: shutil.copy(folder / "red" / "full_front.png", folder / "aoi" / "full_front.png"), "SET004 error found an image of the base"),
    ("PAR001", _say("aoi/upper_front", "white background"), "PAR001 error found no zoom tag"),
    ("PAR001", _say("red/upper_front", "red hair, short hair, upper body, portrait"), ":1:35: PAR001 error found 'portrait' beside 'upper body'"),
    ("PAR002", _say("red/full_back", "red hair, short hair, full body"), "red/full_back.txt:1:1: PAR002 error found no 'from behind'"),
    ("PAR002", _say("red/full_front", "red hair, short hair, from behind, full body"), ":1:23: PAR002 error found 'from behind', which the file's name contradicts"),
    ("TRN001", _base(_lora("lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q")), "found 1 of 1 modules that"),
    ("IMG003", _shrink, "found 60x160 pixels, expected 64 or more on both sides"),
    ("TRN001", _base({**_lora(_Q), f"{_Q}.lora_down.weight": (2, 9)}), "found 1 of 1 modules that"),
    ("TRN002", _family("sdxl"), "found a checkpoint of sd15, expected sdxl"),
    ("TRN003", lambda folder: (folder / "checkpoint.safetensors").unlink(), "recipe.toml:6:1: TRN003 warning found"),
    ("TRN001", _base({"base_model.lora_A.weight": (2, 8)}), "found 1 keys that are no kohya LoRA's"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "change", "expected"), CASES, ids=[f"{code}-{index}" for index, (code, _, _) in enumerate(CASES)]
)
def test_case(folder: Path, code: str, change: Change, expected: str) -> None:
    change(folder)
    findings = check(scan(load(folder / "recipe.toml"))).findings
    assert {finding.code for finding in findings} == {code}
    assert expected in "\n".join(map(str, findings))


def test_a_clean_set_has_no_finding(folder: Path) -> None:
    assert check(scan(load(folder / "recipe.toml"))).findings == ()


def test_a_base_that_fits_has_no_finding(folder: Path) -> None:
    _base(_lora(_Q))(folder)
    assert check(scan(load(folder / "recipe.toml"))).findings == ()


def test_one_camera_has_one_view(folder: Path) -> None:
    for name in ("red", "blue"):
        for end in ("png", "txt"):
            (folder / name / f"full_back.{end}").rename(folder / name / f"shot7.{end}")
    assert check(scan(load(folder / "recipe.toml"))).findings == ()
    _say("blue/shot7", "blue hair, twintails, full body")(folder)
    found = [str(finding) for finding in check(scan(load(folder / "recipe.toml"))).findings]
    assert len(found) == 1
    assert "from behind', unlike the other images named 'shot7'" in found[0]


def test_numbered_renders_are_no_cameras(folder: Path) -> None:
    for name, shots in (("red", ["full_back", "full_front"]), ("blue", ["full_front", "full_back"])):
        for number, shot in enumerate(shots):
            for end in ("png", "txt"):
                (folder / name / f"{shot}.{end}").rename(folder / name / f"{number}.{end}")
    assert check(scan(load(folder / "recipe.toml"))).findings == ()


def test_every_rule_has_a_case() -> None:
    assert {code for code, _, _ in CASES} == set(RULES)


@pytest.mark.parametrize("code", RULES)
def test_every_rule_explains_itself(code: str) -> None:
    text = RULES[code].__doc__ or ""
    heads = ["Why is this bad?\n---", "Example\n---", "Use instead\n---"]
    assert all(head in text for head in heads)
    assert [text.index(head) for head in heads] == sorted(text.index(head) for head in heads)
