"""Recipes that name files on a hub."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lorarecipe.dataset import scan
from lorarecipe.demo import NANO
from lorarecipe.errors import NetworkFailed, RecipeError
from lorarecipe.events import Started
from lorarecipe.files import file_digest, home
from lorarecipe.hub import hub_folder
from lorarecipe.plan import FetchStage, MergeStage, compile_plan
from lorarecipe.recipe import Recipe, load
from lorarecipe.rules import check
from lorarecipe.run import Here, execute, plan_changes
from lorarecipe.run.changes import planned
from lorarecipe.store import Store
from lorarecipe.trainer import Installation
from lorarecipe.weights import Folder
from tests.conftest import RECIPE
from tests.hub import Hub

Edit = Callable[[str, str], Path]
CHECKPOINT = 'path = "checkpoint.safetensors"'
AT = "hf://aki/bases/checkpoint.safetensors"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[Hub]:
    """With the checkpoint and everything else of ``folder``."""
    with Hub() as hub:
        hub.use(monkeypatch)
        hub.add("models/aki/bases", {"checkpoint.safetensors": (folder / "checkpoint.safetensors").read_bytes()})
        hub.add("datasets/aki/set", {f"recipes/{name}": content for name, content in content_of(folder).items()})
        yield hub


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def faults_of(path: Path) -> list[str]:
    with pytest.raises(RecipeError) as refused:
        load(path)
    return [f"{fault.path.name}:{fault.line}: {fault.where}: {fault.message}" for fault in refused.value.faults]


def test_a_checkpoint_is_promised_and_not_fetched(hub: Hub, folder: Path, edit: Edit) -> None:
    """Its stages are those of the same file on this disk."""
    before = compile_plan([check(scan(load(folder / "recipe.toml")))])
    recipe = load(edit(CHECKPOINT, f'path = "{AT}"'))
    checked = check(scan(recipe))
    assert not [finding for finding in checked.findings if "checkpoint" in finding.message]
    plan = compile_plan([checked])
    (fetch,) = (stage for stage in plan.stages if isinstance(stage, FetchStage))
    assert plan.stages[0] is fetch
    assert {stage.key for stage in plan.stages} - {fetch.key} == {stage.key for stage in before.stages}
    assert fetch.file(Store(home() / "store").path) == recipe.checkpoint.path
    merge = next(stage for stage in plan.stages if isinstance(stage, MergeStage))
    assert merge.size == fetch.size == len(hub.large[recipe.remotes[recipe.checkpoint.path].digest])
    assert hub.count("GET", "/cdn/") == 0


def test_the_digest_of_the_recipe_is_compared_before_anything_is_fetched(hub: Hub, folder: Path, edit: Edit) -> None:
    digest = file_digest(folder / "checkpoint.safetensors")
    load(edit(CHECKPOINT, f'path = "{AT}"\nsha256 = "{digest}"'))
    (fault,) = faults_of(edit(digest, "a" * 64))
    assert fault.startswith(f"recipe.toml:7: checkpoint.sha256: found {'a' * 64}, but {AT}@")
    assert fault.endswith(f" has {digest}")
    assert hub.count("GET", "/cdn/") == 0


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("hf://aki/bases/other.safetensors", "expected a path that aki/bases has at this revision"),
        ("hf://aki/bases/checkpoint.safetensors@v9", "expected a branch, a tag or a commit of aki/bases"),
        ("hf://aki/none/checkpoint.safetensors", "expected a repository that is there"),
        ("hf://aki", "expected an address like hf://OWNER/REPO/FILE.safetensors@REVISION"),
        ("https://huggingface.co/aki/bases", "expected a path, or an address like hf://OWNER/REPO/FILE@REVISION"),
        ("hf://aki/bases", "expected a .safetensors file or a Diffusers folder (model_index.json is missing)"),
    ],
)
def test_a_checkpoint_that_is_not_there(hub: Hub, edit: Edit, path: str, message: str) -> None:
    (fault,) = faults_of(edit(CHECKPOINT, f'path = "{path}"'))
    assert fault.startswith("recipe.toml:6: checkpoint.path: found ")
    assert message in fault


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("model.ckpt", 6, "expected a .safetensors file (others can hold code); run: lorarecipe convert"),
        ("nano", 6, 'a folder, expected one .safetensors file for engine = "sd-scripts"'),
    ],
)
def test_a_checkpoint_of_another_form_is_refused_before_it_is_fetched(
    hub: Hub, edit: Edit, name: str, line: int, message: str
) -> None:
    nano = {f"nano/{path}": content for path, content in content_of(NANO).items()}
    hub.add("models/aki/forms", {"model.ckpt": b"pickle" * 9, **nano})
    recipe = load(edit(CHECKPOINT, f'path = "hf://aki/forms/{name}"'))
    with pytest.raises(RecipeError) as refused:
        scan(recipe)
    (fault,) = refused.value.faults
    assert (fault.line, fault.where) == (line, "checkpoint.path")
    assert f"'hf://aki/forms/{name}@" in fault.message
    assert message in fault.message
    assert hub.count("GET", "/cdn/") == 0


def test_a_vae_is_promised_too(hub: Hub, folder: Path, edit: Edit) -> None:
    edit(CHECKPOINT, f'{CHECKPOINT}\nvae = "hf://aki/bases/checkpoint.safetensors"')
    recipe = load(folder / "recipe.toml")
    plan = compile_plan([check(scan(recipe))])
    assert [stage.kind for stage in plan.stages].count("fetch") == 1
    assert recipe.checkpoint.vae in recipe.remotes


def test_of_a_diffusers_folder_what_makes_the_checkpoint(hub: Hub, folder: Path, edit: Edit) -> None:
    """Other precisions and pickles are left there; stages are those of the same folder on this disk."""
    nano = content_of(NANO)
    more = {
        "unet/diffusion_pytorch_model.fp16.safetensors": b"half",
        "unet/diffusion_pytorch_model.bin": b"pickle",
        "README.md": b"read",
        "tokenizer/.hidden": b"x",
        "safety_checker/model.safetensors": b"large",
    }
    hub.add("models/aki/nano", nano | more)
    recipe = edit(CHECKPOINT, f'path = "{NANO}"')
    recipe.write_text(recipe.read_text("utf-8") + '\n[trainer]\nengine = "embedded"\ndevice = "cpu"\n', "utf-8")
    before = compile_plan([check(scan(load(recipe)))])
    recipe = edit(f'path = "{NANO}"', f'path = "hf://aki/nano"\nsha256 = "{Folder(NANO).digest}"')
    loaded = load(recipe)
    plan = compile_plan([check(scan(loaded))])
    (fetch,) = (stage for stage in plan.stages if isinstance(stage, FetchStage))
    assert {stage.key for stage in plan.stages} - {fetch.key} == {stage.key for stage in before.stages}
    assert {file.path for file in fetch.remote.files} == {str(p.relative_to(NANO)) for p in Folder(NANO).files}
    (fault,) = faults_of(edit(Folder(NANO).digest, "b" * 64))
    assert fault.endswith(f" has {Folder(NANO).digest}")


def test_a_base_recipe_with_its_images_comes_from_a_repository(hub: Hub, folder: Path, edit: Edit) -> None:
    """Its relative paths, also those that climb, are of the repository at the same commit."""
    base = RECIPE[: RECIPE.index("[target]")].replace('name = "aoi"', 'name = "base"')
    base = base.replace('images = "red"', 'images = "../renders/red"').replace(
        'images = "blue"', 'images = "../renders/blue"'
    )
    base += RECIPE[RECIPE.index("[rules]") :]
    renders = {f"renders/{name}": content for name, content in content_of(folder).items() if name[:3] in {"red", "blu"}}
    first = hub.add("datasets/aki/base", {"recipes/base.toml": base.encode(), **renders})
    checkpoint = content_of(folder)["checkpoint.safetensors"]
    first = hub.add(
        "datasets/aki/base", {**hub["datasets/aki/base"].files(), "recipes/checkpoint.safetensors": checkpoint}
    )
    target = RECIPE[RECIPE.index("[target]") : RECIPE.index("[rules]")]
    mine = folder / "mine.toml"
    mine.write_text(
        'format = 1\nname = "mine"\n[base]\nfrom = "hf://datasets/aki/base/recipes/base.toml@main"\n' + target, "utf-8"
    )
    recipe = load(mine)
    place = hub_folder() / "datasets" / "aki--base" / first
    assert recipe.base.characters[0].images == place / "renders" / "red"
    assert recipe.target
    assert recipe.target.images == folder / "aoi"
    assert recipe.checkpoint.path in recipe.remotes
    plan = compile_plan([check(scan(recipe))])
    assert plan.stages[0].kind == "fetch"
    local = compile_plan([check(scan(load(folder / "recipe.toml")))])
    assert {stage.key for stage in plan.stages} - {plan.stages[0].key} == {stage.key for stage in local.stages}
    asked = len(hub.requests)
    load(mine)
    assert len(hub.requests) == asked


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ("/etc", "found '/etc' in a recipe from aki/set, expected a path of that repository"),
        ("~/renders", "in a recipe from aki/set, expected a path of that repository"),
        ("C:/renders", "in a recipe from aki/set, expected a path of that repository"),
        ("C:renders", "in a recipe from aki/set, expected a path of that repository"),
        ("../../../etc", "which leads out of hf://datasets/aki/set/recipes@"),
        ("..\\\\..\\\\etc", "which leads out of hf://datasets/aki/set/recipes@"),
        ("nothing", "expected a path that aki/set has at this revision"),
    ],
)
def test_a_recipe_that_was_fetched_names_nothing_outside(hub: Hub, folder: Path, images: str, message: str) -> None:
    text = RECIPE.replace('images = "red"', f'images = "{images}"')
    hub.add("datasets/aki/set", hub["datasets/aki/set"].files() | {"recipes/recipe.toml": text.encode()})
    mine = folder / "mine.toml"
    target = RECIPE[RECIPE.index("[target]") : RECIPE.index("[rules]")]
    mine.write_text(
        'format = 1\nname = "m"\n[base]\nfrom = "hf://datasets/aki/set/recipes/recipe.toml"\n' + target, "utf-8"
    )
    (fault,) = faults_of(mine)
    assert fault.startswith("recipe.toml:9: base.characters[0].images: ")
    assert message in fault


def test_every_key_that_names_a_path(hub: Hub, folder: Path, edit: Edit) -> None:
    models = {"tagger/model.onnx": b"1", "tagger/selected_tags.csv": b"2", "ccip/model_feat.onnx": b"3"}
    models |= {"ccip/model_metrics.onnx": b"4"}
    hub.add("models/aki/models", models)
    for name in ("red", "blue", "aoi"):
        edit(f'images = "{name}"', f'images = "hf://datasets/aki/set/recipes/{name}"')
    edit(
        "[rules]",
        '[samples]\nprompts = ["1girl"]\ntagger = "hf://aki/models/tagger"\nccip = "hf://aki/models/ccip"\n\n[rules]',
    )
    recipe = load(folder / "recipe.toml")
    assert recipe.samples
    assert recipe.samples.tagger
    assert recipe.samples.ccip
    assert (recipe.samples.tagger / "model.onnx").read_bytes() == b"1"
    assert (recipe.samples.ccip / "model_metrics.onnx").read_bytes() == b"4"
    assert not recipe.remotes
    shutil.rmtree(folder / "red")
    assert not check(scan(recipe)).errors
    for name, there in content_of(folder).items():
        if name.startswith(("blue", "aoi")):
            assert (
                content_of(hub_folder() / "datasets" / "aki--set")[
                    f"{hub['datasets/aki/set'].refs['main']}/recipes/{name}"
                ]
                == there
            )


def test_a_finished_base_comes_from_a_hub(hub: Hub, folder: Path, edit: Edit) -> None:
    lora = (folder / "checkpoint.safetensors").read_bytes()
    hub.add("models/aki/lora", {"base.safetensors": lora})
    text = (folder / "recipe.toml").read_text("utf-8")
    head, rest = text[: text.index("[[base")], text[text.index("[target]") :]
    (folder / "recipe.toml").write_text(f'{head}[base]\nweights = "hf://aki/lora/base.safetensors"\n\n{rest}', "utf-8")
    recipe = load(folder / "recipe.toml")
    assert recipe.base.weights
    assert recipe.base.weights.read_bytes() == lora


def test_the_network_fails_while_a_recipe_is_read(hub: Hub, edit: Edit) -> None:
    path = edit(CHECKPOINT, f'path = "{AT}"')
    hub.fail(500)
    with pytest.raises(NetworkFailed, match="HTTP 500"):
        load(path)
    told = said("check", path)
    assert (told.returncode, told.stdout) == (6, "")
    assert told.stderr == f"{AT}@main: the hub answered with HTTP 500; run the same command again later\n"
    hub.heal()
    assert said("check", path).returncode == 0


def said(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lorarecipe", *map(str, words)], capture_output=True, text=True, check=False
    )


def test_commands_before_the_checkpoint_is_here(hub: Hub, edit: Edit, folder: Path) -> None:
    path, commit = edit(CHECKPOINT, f'path = "{AT}"'), hub["models/aki/bases"].refs["main"]
    told = said("plan", path).stdout.splitlines()
    assert told[0].startswith("fetch-")
    assert told[0].endswith("  checkpoint.safetensors from hf://aki/bases")
    assert told[1:3] == ["  runs: not made before", f"  {AT}@{commit}, 0.0 MB"]
    assert json.loads(said("plan", path, "--json").stdout)["stages"][0]["kind"] == "fetch"
    assert said("plan", path, "--commands").returncode == 0
    assert said("check", path).returncode == 0
    doctor = said("doctor", path, "--out", folder / "out").stdout
    assert "ok    files of the recipe" in doctor
    assert "is not there" not in doctor
    new = said("new", folder, "--checkpoint", AT)
    assert (new.returncode, hub.count("GET", "/cdn/")) == (2, 0)
    assert f"{AT} is on a hub, expected a file on this machine" in new.stderr


def test_a_branch_that_moved_is_told_as_a_change(hub: Hub, folder: Path, edit: Edit) -> None:
    """As `diff` and `rerun` do: by the digest, and not as another stage."""
    path = edit(CHECKPOINT, f'path = "{AT}@v1"')
    plans = []
    for branch, change in (("v1", b""), ("v2", b" ")):
        content = content_of(folder)["checkpoint.safetensors"] + change
        hub.add("models/aki/bases", {"checkpoint.safetensors": content}, branch)
        path = edit("@v1", "@v2") if change else path
        plan = compile_plan([check(scan(load(path)))])
        plans.append([planned(stage, plan.title(stage)) for stage in plan.stages])
    told = [line for line in plan_changes(*plans) if "from hf://aki/bases" in line]
    assert len(told) == 1
    assert told[0].startswith("checkpoint.safetensors from hf://aki/bases: digest was ")


def test_the_faults_of_a_recipe_are_told_without_a_network(hub: Hub, folder: Path, edit: Edit) -> None:
    edit(CHECKPOINT, f'path = "{AT}"')
    mine = folder / "mine.toml"
    mine.write_text('format = 1\nname = "m"\nwrong = 1\n[base]\nfrom = "recipe.toml"\n', "utf-8")
    hub.fail(500)
    (fault,) = faults_of(mine)
    assert fault.startswith("mine.toml:3: wrong: ")


def test_a_plan_fetches_what_it_needs(hub: Hub, edit: Edit, fake_trainer: Installation) -> None:
    """Also where no command has done so before: `execute` is called by programs too."""
    recipe: Recipe = load(edit(CHECKPOINT, f'path = "{AT}"'))
    plan = compile_plan([check(scan(recipe))])
    store = Store(home() / "store")
    events = list(execute(plan, Here(fake_trainer, store), home() / "out"))
    assert isinstance(events[0], Started)
    assert events[0].kind == "fetch"
    assert recipe.checkpoint.path.is_file()
    assert hub.count("GET", "/cdn/") == 1
