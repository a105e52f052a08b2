from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from lorarecipe.dataset import scan
from lorarecipe.errors import RecipeError
from lorarecipe.recipe import Buckets, load, load_all
from lorarecipe.rules import check
from tests.conftest import RECIPE

Edit = Callable[[str, str], Path]


def _faults(path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(path.parent)
    with pytest.raises(RecipeError) as caught:
        load(Path(path.name))
    return str(caught.value)


def test_a_whole_recipe(folder: Path) -> None:
    recipe = load(folder / "recipe.toml")
    assert recipe.base.characters[1].images == folder / "blue"
    assert recipe.target is not None
    assert recipe.target.training.resolution == (128, 128)
    assert recipe.target.training.buckets == Buckets(min=64, max=256)


def test_every_fault_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    path = folder / "recipe.toml"
    path.write_text(
        """\
format = 2
name = "../evil"
prest = "copier"
[checkpoint]
family = "sd3"
path = "x.safetensors"
sha256 = "12"
[[base.characters]]
images = "red"
trait = ["red hair"]
[base.training]
rank = "4"
alpha = 4
unet_lr = 1e-3
optimizer = "Adam"
resolution = [128, 100.5]
extra = { huggingface_token = "x", min_snr_gama = 5, seed = 3, sdpa = true, fp8_base = 1, loss_type = "l3" }
[target]
images = 3
[merge]
mode = "lod"
[trainer]
device = "gpu"
""",
        encoding="utf-8",
    )
    assert _faults(path, monkeypatch) == snapshot


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("steps = 2", "", "recipe.toml:16: base.training: found neither epochs nor steps, expected one of them"),
        ("steps = 2", "steps = 2\nepochs = 1", "found both epochs and steps"),
        ("resolution = 128", "resolution = 512", "outside the buckets (64 to 256)"),
        ("resolution = 128", "resolution = 100\nscheduler = 'linear'", "multiples of 8"),
        ("buckets = { min = 64, max = 256 }", "buckets = { min = 65, max = 256 }", "min"),
        ("buckets = { min = 64, max = 256 }", "buckets = { min = 256, max = 64 }", "above max"),
        ("steps = 2", "steps = 2\nscheduler = 'constant'\nwarmup_steps = 5", 'expected 0, or scheduler = "constant_with_warmup"'),
        ("rank = 4", "rank = 4.0", "found 4.0, expected a valid integer"),
        ("rank = 4", "rank = true", "found True, expected a valid integer"),
        ('name = "aoi"', 'name = "CON"', "it names files"),
        ('name = "aoi"', 'name = "aoi"\npreset = "emanom-2023"', "did you mean emanon-2023?"),
        ('family = "sd15"', 'family = "sdxl"\nclip_skip = 2', "it does nothing on sdxl"),
        ("steps = 2", "steps = 2\nextra = { cache_text_encoder_outputs = true }", "found an option for sdxl"),
        ("steps = 2", "steps = 2\nextra = { network_args = ['conv_dims=4'] }", "did you mean conv_dim?"),
        ("[target]", "[target", "not TOML"),
        ("alpha = 4", "alpha = inf", "found inf, expected a finite number"),
        ("steps = 2", "steps = 1" + "0" * 400, "less than or equal to 1000000"),
        ("rank = 4", "rank = 1" + "0" * 5000, "not TOML"),
        ("rank = 4", "rank = 0x1" + "0" * 5000, "found a number of thousands of digits"),
        ("steps = 2", "steps = " + "[" * 3000 + "]" * 3000, "not TOML"),
        ("buckets = { min = 64, max = 256 }", "buckets = { mn = 64, max = 256 }", "base.training.buckets.mn: found an unknown key; did you mean min?"),
        ("buckets = { min = 64, max = 256 }", "buckets = 'x'", "base.training.buckets: found 'x', expected a table"),
        ("buckets = { min = 64, max = 256 }", "buckets = { max = 64000000 }", "less than or equal to 4096"),
        ("[target]", "[base.Buckets]\n[target]", "base.Buckets: found an unknown key"),
        ("[target]", '["a] # b"]\n[target]', "recipe.toml:28: a] # b: found an unknown key"),
        ('traits = ["red hair", "short hair"]', 'traits = ["red hair, short hair"]', "expected one tag"),
        ('traits = ["red hair", "short hair"]', 'traits = []', "at least 1 entry"),
        ('images = "blue"', 'images = "red"', "two characters with the images of"),
        ('images = "blue"', 'images = "a\\nb"', "which holds a line break"),
        ('images = "blue"', "images = ''", "found '', expected a path"),
        ('images = "blue"', f'images = "{"x" * 300}"', "expected one that a disk can hold"),
        ("[target]", "[trainer]\nprocesses = 2\ndevice = 'cuda:1'\n[target]", 'expected "auto" or "cuda"'),
        ("[target]", "[trainer]\nprocesses = 2\ndevice = 'cpu'\n[target]", 'expected "auto" or "cuda"'),
        ("format = 1", "format = true", "found True, expected a valid integer"),
        ("[[base.characters]]\nimages = \"red\"", "[base]\nfrom = 'x.toml'\n[[base.characters]]\nimages = \"red\"", "found from and characters"),
    ],
)  # fmt: skip
def test_a_fault(edit: Edit, monkeypatch: pytest.MonkeyPatch, old: str, new: str, expected: str) -> None:
    assert expected in _faults(edit(old, new), monkeypatch)


def test_an_unknown_preset_is_one_fault(edit: Edit, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = edit('name = "aoi"', 'name = "aoi"\npreset = "x"')
    path.write_text(path.read_text("utf-8").split("[target.training]")[0], encoding="utf-8")
    assert _faults(path, monkeypatch).count("\n") == 0


def test_a_preset_fills_what_is_left_out(edit: Edit) -> None:
    path = edit('name = "aoi"', 'name = "aoi"\npreset = "emanon-2023"')
    text = path.read_text("utf-8").split("[base.training]")[0]
    path.write_text(text + '[base.training]\nsteps = 5\nrank = 8\n[target]\nimages = "aoi"\n', encoding="utf-8")
    recipe = load(path)
    assert recipe.base.training is not None
    assert recipe.target is not None
    assert (recipe.base.training.rank, recipe.base.training.alpha) == (8, 32)
    assert (recipe.base.training.steps, recipe.base.training.epochs) == (5, None)
    assert (recipe.target.training.rank, recipe.target.training.epochs) == (32, 10)


def _share(folder: Path, checkpoint: str) -> Path:
    text = (folder / "recipe.toml").read_text("utf-8")
    head, target = text.split("[target]")
    (folder / "bases").mkdir()
    base = folder / "bases" / "base.toml"
    base.write_text(
        head.replace('"red"', '"../red"').replace('"blue"', '"../blue"').replace('"checkpoint', '"../checkpoint'),
        encoding="utf-8",
    )
    path = folder / "mine.toml"
    path.write_text(
        f'format = 1\nname = "mine"\n{checkpoint}[base]\nfrom = "bases/base.toml"\n[target]{target}', encoding="utf-8"
    )
    return path


def test_a_shared_base_and_its_checkpoint(folder: Path) -> None:
    recipe = load(_share(folder, ""))
    assert recipe.base_name == "aoi"
    assert recipe.base.characters[0].images.resolve() == folder / "red"
    assert recipe.checkpoint.path.resolve() == folder / "checkpoint.safetensors"
    assert str(recipe.fault(("base", "characters", 0, "images"), "m")).startswith(f"{folder}/bases/base.toml:9:")


def test_two_checkpoints_that_differ_are_named_in_both_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _share(folder, '[checkpoint]\nfamily = "sd15"\npath = "other.safetensors"\n')
    told = _faults(path, monkeypatch)
    assert "bases/base.toml:4: checkpoint: and here" in told
    assert "mine.toml:3: checkpoint: found two checkpoints that differ" in told


def test_a_missing_base_recipe_is_named_where_it_stands(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _share(folder, "")
    (folder / "bases" / "base.toml").unlink()
    assert "mine.toml:4: base.from: found 'bases/base.toml' (No such file or directory)" in _faults(path, monkeypatch)


def test_a_base_recipe_of_a_base_recipe_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _share(folder, "")
    other = folder / "other.toml"
    other.write_text(path.read_text("utf-8").replace("bases/base.toml", "mine.toml"), encoding="utf-8")
    assert "expected the base itself" in _faults(other, monkeypatch)


def test_two_recipes_of_one_name(folder: Path) -> None:
    other = folder / "other.toml"
    other.write_text((folder / "recipe.toml").read_text("utf-8"), encoding="utf-8")
    with pytest.raises(RecipeError, match="found 'aoi', which"):
        load_all([folder / "recipe.toml", other])
    assert len(load_all([other, other])) == 1


@pytest.mark.parametrize("content", [b"\xff\xfe", b""])
def test_not_a_recipe(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    with pytest.raises(RecipeError):
        load(path)


_VALUES = st.sampled_from(
    [
        "inf",
        "nan",
        "-1",
        "0",
        "1e400",
        "1979-05-27",
        "''",
        "'\\u2028'",
        "[]",
        "{}",
        "[[]]",
        "[{}]",
        "true",
        "{ a = { b = 1 } }",
        "9" * 30,
        '"\\u0000"',
        "07:32:00",
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 40), _VALUES)
def test_no_value_gives_a_traceback(folder: Path, line: int, value: str) -> None:
    lines = RECIPE.splitlines()
    key, equals, _ = lines[line % len(lines)].partition(" = ")
    if not equals:
        return
    lines[line % len(lines)] = f"{key} = {value}"
    path = folder / "fuzzed.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    with contextlib.suppress(RecipeError):
        load(path)


def test_faults_of_a_recipe_and_of_its_base_come_together(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _share(folder, "wrong = 1\n")
    base = folder / "bases" / "base.toml"
    base.write_text(base.read_text("utf-8").replace("rank", "rnak"), encoding="utf-8")
    told = _faults(path, monkeypatch)
    assert "mine.toml:3: wrong: found an unknown key" in told
    assert "bases/base.toml:17: base.training.rnak: found an unknown key; did you mean rank?" in told


def test_a_byte_order_mark_is_no_fault(folder: Path) -> None:
    path = folder / "recipe.toml"
    path.write_text(path.read_text("utf-8"), encoding="utf-8-sig")
    assert load(path).name == "aoi"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a = " + "[" * 400 + "]" * 400, "expected 32 at most"),
        (".".join(["a"] * 500) + " = 1", "expected 32 at most"),
        ('[checkpoint]\npath = "~nosuchuser/x"', "whose user is not known here"),
        ("#" + "x" * 4_000_000, "larger than 4000000 bytes"),
    ],
)
def test_what_is_too_large_too_deep_or_nobodys(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(RecipeError, match=fault):
        load(tmp_path / "a.toml")


def test_a_recipe_that_is_a_device() -> None:
    with pytest.raises(RecipeError, match="not a file"):
        load(Path("/dev/zero"))


@pytest.mark.parametrize("prompt", ["# a prompt", "  #x", "1girl AND forest", "AND x", "a --n b", "{a|b}"])
@pytest.mark.parametrize("key", ["prompts", "unrelated"])
def test_prompts_that_the_sampler_reads_otherwise(folder: Path, prompt: str, key: str) -> None:
    path, more = folder / "recipe.toml", "" if key == "prompts" else 'prompts = ["1girl"]\n'
    path.write_text(path.read_text("utf-8") + f"\n[samples]\n{more}{key} = [{prompt!r}]\n", encoding="utf-8")
    with pytest.raises(RecipeError, match=rf"samples.{key}\[0\]: found .*, expected"):
        load(path)


def _based(folder: Path, base: str, own: str) -> Path:
    """A base recipe with a table more, and a target's recipe with another."""
    text = (folder / "recipe.toml").read_text("utf-8")
    head, _, target = text.partition("[target]\n")
    (folder / "bases").mkdir()
    moved = head.replace('images = "', 'images = "../').replace('path = "', 'path = "../').replace('"aoi"', '"base"')
    (folder / "bases" / "base.toml").write_text(moved + base, encoding="utf-8")
    path = folder / "own.toml"
    own_text = (
        f'format = 1\nname = "own"\n[base]\nfrom = "bases/base.toml"\n[target]\n{target.partition("[rules]")[0]}{own}'
    )
    path.write_text(own_text, encoding="utf-8")
    return path


def test_the_bases_own_trainer_and_merge_are_heeded(folder: Path) -> None:
    recipe = load(_based(folder, "[merge]\nstrength = 0.9\n[trainer]\nprocesses = 2\n", ""))
    assert (recipe.merge.strength, recipe.trainer.processes) == (0.9, 2)


@pytest.mark.parametrize(
    ("base", "own"),
    [
        ("[merge]\nstrength = 0.9\n", "[merge]\nstrength = 0.8\n"),
        ("[trainer]\nprocesses = 2\n", "[trainer]\nprocesses = 4\n"),
    ],
)
def test_a_table_that_differs_from_the_bases_is_refused(folder: Path, base: str, own: str) -> None:
    with pytest.raises(RecipeError, match=r"found another \[(merge|trainer)\] than in the base's recipe") as caught:
        load(_based(folder, base, own))
    assert {fault.path.name for fault in caught.value.faults} == {"own.toml", "base.toml"}


@pytest.mark.parametrize("table", ["samples", "control", "deliver", "distill"])
def test_a_table_of_a_target_in_the_recipe_of_a_base_is_refused(folder: Path, table: str) -> None:
    with pytest.raises(RecipeError, match=rf"base\.toml:\d+: {table}: found \[{table}\] in the recipe of a base alone"):
        load(_based(folder, f"[{table}]\n{_TABLES[table]}", ""))


_TABLES = {
    "samples": 'prompts = ["1girl"]',
    "control": "enabled = true",
    "deliver": "weight = 1.5",
    "distill": 'prompts = ["1girl"]',
}


def test_paths_of_a_rule_are_relative_to_the_recipe_that_they_stand_in(folder: Path) -> None:
    rule = '[rules]\nBAS001 = { severity = "ignore", reason = "a try", paths = ["../red/*"] }\n'
    path = _based(folder, rule, "")
    (folder / "red" / "full_front.txt").write_text("short hair, full body")
    assert "BAS001" in {finding.code for finding in check(scan(load(path))).ignored}
