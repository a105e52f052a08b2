"""Each rule's cases as data: what is done to a clean set, and the finding that must come, alone."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps
from safetensors.numpy import load_file, save_file

from lorarecipe.dataset import scan
from lorarecipe.errors import RecipeError
from lorarecipe.recipe import load
from lorarecipe.rules import RULES, check
from lorarecipe.rules.vocabulary import ZOOMS
from tests.breaks import HAIR, break_set, clean_set
from tests.conftest import tiny_checkpoint
from tests.renders import shoot

Change = Callable[[Path], object]


def _say(file: str, text: str) -> Change:
    return lambda folder: (folder / f"{file}.txt").write_text(text, encoding="utf-8")


def _base(keys: dict[str, tuple[int, ...]], told: dict[str, str] | None = None) -> Change:
    def change(folder: Path) -> None:
        weights = {key: np.zeros(shape, "float32") for key, shape in keys.items()}
        save_file(weights, folder / "base.safetensors", metadata=told)
        path = folder / "recipe.toml"
        before, target = path.read_text("utf-8").split("[target]")
        head = before.split("[[base.characters]]")[0]
        path.write_text(
            f'{head}[base]\nweights = "base.safetensors"\n[base.gate]\nmode = "off"\n[target]{target}', encoding="utf-8"
        )

    return change


def _lora(module: str) -> dict[str, tuple[int, ...]]:
    return {f"{module}.lora_down.weight": (2, 8), f"{module}.lora_up.weight": (8, 2), f"{module}.alpha": ()}


_Q = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
_FULL = "white background, nude, arms at sides, full body"


def _marked(keys: dict[str, tuple[int, ...]] | None = None, told: dict[str, str] | None = None) -> Change:
    """Let the checkpoint say of itself what it predicts."""

    def change(folder: Path) -> None:
        path = folder / "checkpoint.safetensors"
        save_file(
            load_file(path) | {key: np.zeros(shape, "float32") for key, shape in (keys or {}).items()}, path, told
        )

    return change


def _named_for_repeats(folder: Path) -> None:
    (folder / "red").rename(folder / "5_red")
    _edit(('images = "red"', 'images = "5_red"'))(folder)


def _prompts(line: str) -> Change:
    def change(folder: Path) -> None:
        _edit(("[rules]", f'[samples]\nprompts = ["nude"]\n{line}\n[rules]'))(folder)

    return change


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
    shoot("red hair", "ponytail", "full_front", (60, 100)).save(folder / "aoi" / "full_front.png")


def _edit(*pairs: tuple[str, str]) -> Change:
    """Replace texts of the recipe."""

    def change(folder: Path) -> None:
        path = folder / "recipe.toml"
        text = path.read_text("utf-8")
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")

    return change


def _heed(code: str) -> Change:
    """Take out the recipe's reason to ignore a rule."""
    return _edit((f'{code} = {{ severity = "ignore"', 'TGT001 = { severity = "error"'))


def _both(*changes: Change) -> Change:
    def change(folder: Path) -> None:
        for one in changes:
            one(folder)

    return change


def _retold(old: str, new: str) -> Change:
    """Give a character another trait, in the recipe and in its captions."""

    def change(folder: Path) -> None:
        _edit((f'"{old}"', f'"{new}"'))(folder)
        for path in folder.glob("*/*.txt"):
            path.write_text(path.read_text("utf-8").replace(old, new), encoding="utf-8")

    return change


_TARGET = "rank = 2\nalpha = 2"


def _xl(folder: Path) -> None:
    _family("sdxl")(folder)
    tiny_checkpoint(
        folder / "checkpoint.safetensors", "conditioner.embedders.0.transformer.text_model.encoder.layers.0."
    )


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
    ("BAS003", _retold("red hair", "Red_hair"), "recipe.toml:10:1: BAS003 error base.characters[0].traits: found 'Red_hair', expected 'red hair'"),
    ("BAS003", _retold("twintails", "twin tails"), "found 'twin tails', expected 'twintails'"),
    ("BAS004", _retold("short hair", "small breasts"), "found no hairstyle among the traits"),
    ("BAS002", _say("red/full_front", "Red_Hair, red hair, short hair, full body"), "found 'Red_Hair', no trait of the character; did you mean 'red hair'?"),
    ("TGT001", _say("aoi/full_front", f"{_FULL}, standing"), "take it out (a pose)"),
    ("TGT001", _say("aoi/full_front", f"{_FULL}, from side"), "take it out (a view)"),
    ("TGT001", _say("aoi/full_front", f"{_FULL}, masterpiece"), "take it out (a quality tag)"),
    ("TGT001", _say("aoi/full_front", f"{_FULL}, realistic"), "take it out (a style tag)"),
    ("TGT001", _say("aoi/full_front", f"{_FULL}, blue eyes"), "take it out (a trait of the character)"),
    ("TGT001", _say("aoi/full_front", f"{_FULL}, a0i"), "take it out (a name or a trigger word, or no tag at all)"),
    ("TGT001", _say("aoi/full_front", "naked, white background, arms at sides, full body"), "did you mean 'nude'?"),
    ("NEV001", _both(_say("aoi/full_front", _FULL), _edit(('name = "aoi"', 'name = "little-girl"'))), "found 'little girl' together with nudity"),
    ("NEV001", _both(_retold("short hair", "short hair, loli"), _edit(('"short hair, loli"', '"short hair", "loli"'), ("[base.training]", '[base]\nalso = ["nude"]\n[base.training]')), _say("red/full_front", "red hair, short hair, loli, nude, full body")), "found 'loli' together"),
    ("SET005", _heed("SET005"), "found 2, expected 4 or more that differ"),
    ("SET006", _heed("SET006"), "found one body in the whole base (none named)"),
    ("SET007", _heed("SET007"), "found 2 hair colours, each with a hairstyle of its own"),
    ("SET008", _edit(('images = "blue"', 'images = "blue"\nrepeats = 3')), "found 4 image visits an epoch beside 12"),
    ("PAR003", _say("aoi/upper_front", "white background, portrait"), "found shots that the base has none of: portrait"),
    ("RCP001", _both(_xl, _edit((_TARGET, f"{_TARGET}\nextra = {{ cache_text_encoder_outputs = true }}"), ("[rules]", '[merge]\nmode = "load"\n[rules]'))), "beside a base with a text encoder part"),
    ("RCP002", _edit((_TARGET, f"{_TARGET}\nextra = {{ fp8_base = true }}")), "found a checkpoint rounded to 8 bits"),
    ("RCP003", _edit((_TARGET, f'{_TARGET}\noptimizer = "AdamW8bit"')), "found 'AdamW8bit'"),
    ("RCP004", _edit((_TARGET, "rank = 8\nalpha = 2")), "found rank 8 above the base's 4"),
    ("RCP005", _edit((_TARGET, f'{_TARGET}\nprecision = "bf16"'), ("[rules]", '[merge]\nmode = "load"\n[rules]')), "found a merge in memory at bf16"),
    ("RCP006", _both(_xl, _edit((_TARGET, f'{_TARGET}\nprecision = "fp16"'))), "found fp16 on sdxl"),
    ("RCP007", _edit((_TARGET, f"{_TARGET}\nextra = {{ zero_terminal_snr = true }}")), "found it without v_prediction"),
    ("IMG001", lambda folder: (folder / "red" / "full_front.png").write_bytes(b"no"), "red/full_front.png:1:1: IMG001"),
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
    ("IMG003", _shrink, "found 60x100 pixels, expected 64 or more on both sides"),
    ("TRN001", _base({**_lora(_Q), f"{_Q}.lora_down.weight": (2, 9)}), "found 1 of 1 modules that"),
    ("TRN005", _base(_lora(_Q), {"lorarecipe.checkpoint": "a" * 64}), "trained on a checkpoint of SHA-256 aaaaaaaaaaaa, expected"),
    ("TRN005", _base(_lora(_Q), {"ss_new_sd_model_hash": "b" * 64}), "trained on a checkpoint of SHA-256 bbbbbbbbbbbb, expected"),
    ("RCP008", _edit((f"{_TARGET}\nunet_lr = 1e-3", f'{_TARGET}\nunet_lr = 1.0\noptimizer = "Prodigy"\ntext_encoder_lr = 0.5')), "found 0.5 beside unet_lr = 1"),
    ("RCP008", _edit((_TARGET, _TARGET + '\noptimizer = "AdamWScheduleFree"\nwarmup_steps = 3')), "found 3, which AdamWScheduleFree does not see"),
    ("RCP009", _edit((f"{_TARGET}\nunet_lr = 1e-3", f"{_TARGET}\nunet_lr = 9.0")), "found 9, expected about 1e-4 with AdamW"),
    ("TRN006", _marked({"ztsnr": ()}), "predicts velocity (its file has an entry ztsnr), expected v_prediction = true"),
    ("TRN006", _marked(told={"modelspec.prediction_type": "v"}), "(modelspec.prediction_type = v), expected v_prediction = true"),
    ("SET013", _named_for_repeats, "recipe.toml:9:1: SET013 warning base.characters[0].images: found the folder '5_red', expected repeats = 5"),
    ("NEV001", _prompts('unrelated = ["child"]'), "found 'child' together with nudity"),
    ("NEV001", _prompts('negative = "toddler"'), "found 'toddler' together with nudity"),
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


_SDXL, _SD2 = "stable-diffusion-xl-v1-base", "stable-diffusion-v2-768-v"


@pytest.mark.parametrize(
    ("velocity", "architecture", "kind", "merged", "found"),
    [
        (True, _SDXL, "epsilon", True, False),
        (True, _SDXL, "epsilon", False, True),
        (False, _SDXL, "epsilon", True, False),
        (False, _SDXL, "v", True, True),
        (True, _SDXL, "v", True, False),
        (False, _SD2, "v", True, False),
        (False, _SD2, "v", False, True),
        (True, _SD2, "epsilon", True, True),
    ],
)
def test_what_a_merge_of_sd_scripts_says_is_not_believed(
    folder: Path, velocity: bool, architecture: str, kind: str, merged: bool, found: bool
) -> None:
    told = {"modelspec.architecture": architecture, "modelspec.prediction_type": kind}
    _marked(told=told | ({"modelspec.merged_from": "noob, base"} if merged else {}))(folder)
    if velocity:
        _edit(('path = "checkpoint.safetensors"', 'path = "checkpoint.safetensors"\nv_prediction = true'))(folder)
    findings = check(scan(load(folder / "recipe.toml"))).findings
    assert ("TRN006" in {finding.code for finding in findings}) == found


def test_entries_are_believed_whatever_a_merge_says(folder: Path) -> None:
    _marked({"v_pred": ()}, {"modelspec.prediction_type": "epsilon", "modelspec.merged_from": "noob"})(folder)
    assert [finding.code for finding in check(scan(load(folder / "recipe.toml"))).findings] == ["TRN006"]


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


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The set that the rules' examples break; copied, never changed."""
    folder = tmp_path_factory.mktemp("clean")
    clean_set(folder)
    return folder


def test_the_examples_set_is_clean(clean: Path) -> None:
    checked = check(scan(load(clean / "recipe.toml")))
    assert (checked.findings, checked.ignored) == ((), ())


@pytest.mark.parametrize("code", RULES)
def test_every_rules_examples(clean: Path, tmp_path: Path, code: str) -> None:
    """The first is found, with this code; the second is clean."""
    text = RULES[code].__doc__ or ""
    bad, good = text.partition("Example\n-------\n")[2].split("Use instead\n-----------\n")
    for part, example in (("bad", bad), ("good", good)):
        folder = tmp_path / part
        shutil.copytree(clean, folder)
        pairs = re.findall(r"``([^`]+)``: ``([^`]+)``", example)
        assert pairs, "no example of the form ``path``: ``what it is``"
        for path, what in pairs:
            break_set(folder, path, what)
        found = check(scan(load(folder / "recipe.toml"))).findings
        codes = {finding.code for finding in found}
        assert (code in codes) if part == "bad" else not codes, "\n".join(map(str, found))


@pytest.mark.parametrize("nude", ["", "nude, ", "completely nude, "])
def test_the_methods_own_captions_are_clean(clean: Path, tmp_path: Path, nude: str) -> None:
    """Every zoom tag, front and back, as the technique's list has them; the base's with traits of each kind."""
    folder = tmp_path / "葵の衣装"  # as its authors name their folders
    shutil.copytree(clean, folder)
    traits = {name: ", ".join(told) for name, told in HAIR.items()}
    for name in (*traits, "aoi"):
        for index, zoom in enumerate(ZOOMS):
            for view, tag in (("front", ""), ("back", "from behind, ")):
                shot = "full" if zoom == "full body" else "upper"
                path = folder / name / f"{index}_{view}.png"
                with Image.open(folder / name / f"{shot}_{view}.png") as image:
                    drawn = image.resize((128 + 8 * index, 160 + 10 * index))
                if shot == "upper":  # as near as the zoom says, and each a shot of its own
                    drawn = ImageOps.fit(drawn, (128, 160), centering=(0.5, 1), bleed=0.02 * index)
                drawn.resize((128, 160)).save(path)
                upright = "arms at sides, " if name == "aoi" and zoom == "full body" else ""
                head = f"{traits[name]}, " if name in traits else f"white background, {nude}"
                path.with_suffix(".txt").write_text(f"{head}{tag}{upright}{zoom}", encoding="utf-8")
        for path in [*(folder / name).glob("full_*"), *(folder / name).glob("upper_*")]:
            path.unlink()
    found = [finding for finding in check(scan(load(folder / "recipe.toml"))).findings if finding.code != "IMG015"]
    assert found == []


@pytest.mark.parametrize("code", RULES)
def test_every_rule_explains_itself(code: str) -> None:
    text = RULES[code].__doc__ or ""
    heads = ["Why is this bad?\n---", "Example\n---", "Use instead\n---"]
    assert all(head in text for head in heads)
    assert [text.index(head) for head in heads] == sorted(text.index(head) for head in heads)


def test_a_recipe_sets_rules(folder: Path) -> None:
    _say("aoi/full_front", f"{_FULL}, standing")(folder)
    _edit(("[rules]", '[rules]\nTGT001 = { severity = "warning", reason = "a try", paths = ["aoi/*"] }'))(folder)
    checked = check(scan(load(folder / "recipe.toml")))
    assert [(finding.code, finding.severity) for finding in checked.findings] == [("TGT001", "warning")]
    assert {finding.code for finding in checked.ignored} == {"SET005", "SET006", "SET007"}
    assert checked.errors == ()
    _edit(('"aoi/*"', '"red/*"'))(folder)
    assert [finding.severity for finding in check(scan(load(folder / "recipe.toml"))).findings] == ["error"]


@pytest.mark.parametrize("code", ["TGT999", "NEV001"])
def test_not_every_code_can_be_set(folder: Path, code: str) -> None:
    _edit(("[rules]", f'[rules]\n{code} = {{ severity = "ignore", reason = "x" }}'))(folder)
    with pytest.raises(RecipeError, match=f"found '{code}', expected the code of a rule that may be set"):
        check(scan(load(folder / "recipe.toml")))


def test_a_target_may_allow_a_tag(folder: Path) -> None:
    _say("aoi/full_front", f"{_FULL}, holding sword")(folder)
    _edit(('images = "aoi"', 'images = "aoi"\nallow = { "*_front" = ["holding sword"] }'))(folder)
    assert check(scan(load(folder / "recipe.toml"))).findings == ()
    _say("aoi/full_back", f"{_FULL}, from behind, holding sword")(folder)
    [finding] = check(scan(load(folder / "recipe.toml"))).findings
    assert finding.path.name == "full_back.txt"


def test_a_base_may_name_what_sources_are_silent_on(folder: Path) -> None:
    _say("red/full_front", "1girl, red hair, short hair, full body")(folder)
    _edit(("[base.training]", '[base]\nalso = ["1girl"]\n[base.training]'))(folder)
    assert check(scan(load(folder / "recipe.toml"))).findings == ()


@pytest.mark.parametrize("name", ["a-minor-key", "kid-gloves", "teen"])
def test_a_word_without_nudity_is_no_fault(folder: Path, name: str) -> None:
    _edit(('name = "aoi"', f'name = "{name}"'))(folder)
    assert check(scan(load(folder / "recipe.toml"))).findings == ()
