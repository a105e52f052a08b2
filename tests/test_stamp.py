"""What the delivered file says of itself, on the embedded trainer: ModelSpec, hashes, what is private, what lies beside it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import safetensors.torch
import torch
from diffusers import StableDiffusionPipeline
from diffusers.loaders import StableDiffusionLoraLoaderMixin, StableDiffusionXLLoraLoaderMixin
from PIL import Image
from safetensors import safe_open
from syrupy.assertion import SnapshotAssertion

from lorarecipe.dataset import scan
from lorarecipe.demo import NANO
from lorarecipe.errors import RecipeError
from lorarecipe.events import Delivered, Event, Started
from lorarecipe.inspection import inspect
from lorarecipe.plan import LORA, Plan, compile_plan, rehearsal_of
from lorarecipe.recipe import load
from lorarecipe.rules import check
from lorarecipe.run import Arguments, Here, begin_run, execute, is_ours, noted, write_results
from lorarecipe.run.privacy import reduced
from lorarecipe.run.thumbnail import thumbnail
from lorarecipe.store import Store
from lorarecipe.trainer import find_trainer
from tests.narrow import Narrow
from tests.renders import demo_renders
from tests.test_refine import RECIPE

#: a tag, a folder and a person that must not be told
TAG, FOLDER, PERSON = "canarytag", "canaryfolder", "canaryperson"
LEVELS = ("full", "public", "minimal")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe with two weights to advise by, in the folder of a person, with a tag of its own."""
    place = tmp_path_factory.mktemp("stamp") / PERSON
    demo_renders(place / "renders")
    (place / "renders" / "honey").rename(place / FOLDER)
    for caption in (place / FOLDER).glob("*.txt"):
        caption.write_text(f"{caption.read_text('utf-8').strip()}, {TAG}\n", encoding="utf-8")
    text = RECIPE.replace('"renders/honey"', f'"{FOLDER}"').replace("repeats = 3", f'allow = {{ "*" = ["{TAG}"] }}')
    text = text.replace("[checkpoint]\n", "[checkpoint]\nclip_skip = 2\n")
    text = text.replace('prompts = ["1girl"]', 'prompts = ["1girl", "1girl, forest"]\nnegative = "beach"')
    (place / "aoi.toml").write_text(text, encoding="utf-8")
    return place


def _recipe(place: Path, deliver: str = "", name: str = "aoi") -> Path:
    path = place / f"{name}-this.toml"
    text = (place / "aoi.toml").read_text("utf-8").replace('name = "aoi"', f'name = "{name}"')
    path.write_text(f"{text}\n[deliver]\n{deliver}\n", encoding="utf-8")
    return path


def _plan(recipe: Path) -> Plan:
    return compile_plan([check(scan(load(recipe)))])


def _worker(place: Path) -> Here:
    return Here(find_trainer("embedded"), Store(place / "store"))


def _run(recipe: Path, out: Path) -> list[Event]:
    return list(execute(_plan(recipe), _worker(recipe.parent), out))


def _recorded(recipe: Path, out: Path) -> list[str]:
    """Run with a record beside the result, and give the names in it."""
    plan = _plan(recipe)
    run = begin_run(recipe.parent / "runs", plan, Arguments(recipes=[], out=str(out)))
    for _ in noted(execute(plan, _worker(recipe.parent), out), run):
        pass
    [record] = write_results(run.record, plan, out)
    names: list[str] = json.loads(record.read_text("utf-8"))["names"]
    return names


@pytest.fixture(scope="module")
def results(place: Path) -> dict[str, Path]:
    """The result's folder at each level; all of one training."""
    folders = {}
    for level in LEVELS:
        deliver = f'metadata = "{level}"\nweight = 1.5\nauthor = "Aoi"\nlicense = "CC0-1.0"'
        events = _run(_recipe(place, deliver), place / f"out-{level}")
        assert bool([event for event in events if isinstance(event, Started)]) == (level == "full")
        folders[level] = place / f"out-{level}" / "aoi"
    return folders


def _metadata(path: Path) -> dict[str, str]:
    with safe_open(path, "numpy") as opened:
        read: dict[str, str] = opened.metadata()
    return read


def _tensor_bytes(path: Path) -> bytes:
    content = path.read_bytes()
    return content[8 + int.from_bytes(content[:8], "little") :]


def _as_the_trainer_hashes(path: Path, metadata: dict[str, str]) -> str:
    """Compute ``sshs_model_hash`` as ``precalculate_safetensors_hashes`` of sd-scripts does: with torch, of a copy."""
    about = {name: value for name, value in metadata.items() if name.startswith("ss_")}
    copy = BytesIO(safetensors.torch.save(safetensors.torch.load_file(path), about))
    copy.seek(8 + int.from_bytes(copy.read(8), "little"))
    return hashlib.sha256(copy.read()).hexdigest()


def _steady(value: str) -> str:
    """Leave out of a value what differs between two trainings."""
    value = re.sub(r"[0-9a-f]{16,}", "HEX", re.sub(r"base64,.*", "base64,PICTURE", value))
    return re.sub(r"\d{10}\.\d+|\d{4}-\d\d-\d\dT[\d:+]+", "TIME", value)


def _all_of(metadata: dict[str, str]) -> dict[str, str]:
    chance = {"ss_session_id", "ss_sd_model_hash"} & metadata.keys()
    return {name: _steady(value) for name, value in sorted(metadata.items())} | dict.fromkeys(chance, "HEX")


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", ["aoi", "aoi-000001", "aoi-baked"])
def test_everything_that_a_file_says(
    results: dict[str, Path], level: str, name: str, snapshot: SnapshotAssertion
) -> None:
    metadata = _metadata(results[level] / f"{name}.safetensors")
    assert _all_of(metadata) == snapshot


@pytest.mark.parametrize("level", LEVELS)
def test_the_tensors_are_those_that_were_trained(place: Path, results: dict[str, Path], level: str) -> None:
    trained = Store(place / "store").path(_plan(_recipe(place)).deliveries[0].stage.short)
    assert _tensor_bytes(results[level] / "aoi.safetensors") == _tensor_bytes(trained / LORA)
    before = safetensors.torch.load_file(trained / LORA)
    baked = safetensors.torch.load_file(results[level] / "aoi-baked.safetensors")
    assert before.keys() == baked.keys()
    assert {name for name in before if not torch.equal(before[name], baked[name])} == {
        name for name in before if name.endswith(".alpha")
    }


@pytest.mark.parametrize("name", ["aoi", "aoi-000001", "aoi-baked"])
@pytest.mark.parametrize("level", ["full", "public"])
def test_the_hashes_are_true(results: dict[str, Path], level: str, name: str) -> None:
    path = results[level] / f"{name}.safetensors"
    metadata = _metadata(path)
    assert metadata["modelspec.hash_sha256"] == f"0x{hashlib.sha256(_tensor_bytes(path)).hexdigest()}"
    assert metadata["sshs_model_hash"] == _as_the_trainer_hashes(path, metadata)
    assert "sshs_legacy_hash" not in metadata


def test_nothing_private_is_told(results: dict[str, Path]) -> None:
    canaries = [word.encode() for word in (TAG, FOLDER, PERSON)]
    for level in ("public", "minimal"):
        for path in results[level].glob("*.safetensors"):
            assert [word for word in canaries if word in path.read_bytes()] == [], path
    assert TAG in _metadata(results["full"] / "aoi.safetensors")["ss_tag_frequency"]  # there was something to tell


def test_nothing_private_that_sd_scripts_writes_is_told() -> None:
    """Its keys as its train_network.py has them, and keys that it may have one day."""
    folder, tag, person = FOLDER, TAG, f"/home/{PERSON}/a.safetensors"
    private = {
        "ss_datasets": json.dumps([{"subsets": [{"image_dir": folder}], "tag_frequency": {folder: {tag: 4}}}]),
        "ss_dataset_dirs": json.dumps({folder: {"n_repeats": 1}}),
        "ss_reg_dataset_dirs": json.dumps({folder: {"n_repeats": 1}}),
        "ss_tag_frequency": json.dumps({folder: {tag: 4}}),
        "ss_training_comment": f"made by {PERSON}",
        "ss_optimizer": f"a.B(path={person})",
        "ss_network_args": json.dumps({"weights": f"C:\\Users\\{PERSON}\\a"}),
        "ss_bucket_info": f"~{PERSON}/a",
        "ss_of_next_year": folder,
        "of_nobody": tag,
    }
    files = {"ss_sd_model_name": person, "ss_vae_name": f"C:\\Users\\{PERSON}\\vae.pt"}
    kept = {"ss_optimizer_args": "x", "ss_seed": "42", "ss_network_dim": "4", "lorarecipe.key": "k"}
    whole = private | files | kept
    assert reduced(whole, "full") == whole
    names = {"ss_sd_model_name": "a.safetensors", "ss_vae_name": "vae.pt"}
    assert reduced(whole, "public") == names | {"ss_seed": "42", "ss_network_dim": "4", "lorarecipe.key": "k"}
    assert reduced(whole, "minimal") == {"ss_network_dim": "4", "lorarecipe.key": "k"}


def test_the_thumbnail_is_the_sample_at_the_weight(results: dict[str, Path]) -> None:
    path = results["full"] / "aoi.safetensors"
    assert int.from_bytes(path.read_bytes()[:8], "little") < 1 << 18
    head, _, data = _metadata(path)["modelspec.thumbnail"].partition(",")
    assert head == "data:image/jpeg;base64"
    leak = json.loads((results["full"] / "leak.json").read_text("utf-8"))
    shown = [shot for shot in leak["pictures"] if (shot["arm"], shot["weight"]) == ("target", 1)]
    best = min(shown, key=lambda shot: shot["measured"]["palette"])
    with (
        Image.open(BytesIO(base64.b64decode(data))) as small,
        Image.open(results["full"] / best["path"]) as sample,
        Image.open(results["full"] / "aoi.preview.png") as preview,
    ):
        small.load()
        assert max(small.size) <= 256
        assert preview.info["parameters"] == sample.info["parameters"]
        assert preview.tobytes() == sample.tobytes()
        apart = np.abs(np.asarray(small, "float32") - np.asarray(sample.convert("RGB"), "float32"))
        assert apart.mean() < 10  # of 255: it is a JPEG


def test_a_large_picture_becomes_a_small_one(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1216, 832, 3), "uint8")
    Image.fromarray(noise).save(tmp_path / "a.png")
    uri = thumbnail(tmp_path / "a.png")
    assert len(uri) < 100_000
    with Image.open(BytesIO(base64.b64decode(uri.partition(",")[2]))) as small:
        assert small.size == (175, 256)


def test_diffusers_loads_it(results: dict[str, Path]) -> None:
    pipeline = StableDiffusionPipeline.from_pretrained(NANO).to(torch.float32)
    pipeline.set_progress_bar_config(disable=True)

    def drawn() -> npt.NDArray[np.float32]:
        size = {"width": 64, "height": 64, "num_inference_steps": 2, "output_type": "np"}
        picture: npt.NDArray[np.float32] = pipeline("1girl", generator=torch.Generator().manual_seed(1), **size).images
        return picture

    without = drawn()
    for level in LEVELS:
        with_it = []
        for name in ("aoi", "aoi-baked"):
            pipeline.load_lora_weights(results[level], weight_name=f"{name}.safetensors")
            with_it.append(drawn())
            pipeline.unload_lora_weights()
        assert np.abs(with_it[0] - without).max() > 0
        assert np.abs(with_it[1] - with_it[0]).max() > 0
        assert (drawn() == without).all()


def test_two_targets_have_two_names(place: Path, results: dict[str, Path]) -> None:
    assert results
    _run(_recipe(place, name="rin"), place / "out-full")
    files = [*results["full"].glob("*.safetensors"), *(place / "out-full" / "rin").glob("*.safetensors")]
    names = [_metadata(path)["ss_output_name"] for path in files]
    assert len({*names}) == len(names) == 5


def test_the_notes_of_web_uis(results: dict[str, Path], snapshot: SnapshotAssertion) -> None:
    text = (results["public"] / "aoi.json").read_text("utf-8")
    notes = json.loads(_steady(text))
    assert notes["notes"].count("The leak test: Use the last epoch at weight 1: ") == 1
    assert notes | {"notes": re.sub(r"(weight 1): .*", r"\1: REASON", notes["notes"])} == snapshot
    assert is_ours(results["public"] / "aoi.json")


def test_the_weight_is_the_advised_one(place: Path, results: dict[str, Path]) -> None:
    assert results
    _run(_recipe(place), place / "out-advised")
    out = place / "out-advised" / "aoi"
    advice = json.loads((out / "leak.json").read_text("utf-8"))["advice"]
    notes = json.loads((out / "aoi.json").read_text("utf-8"))
    assert notes["preferred weight"] == advice["weight"]
    assert advice["reason"] in notes["notes"]
    hint = _metadata(out / "aoi.safetensors")["modelspec.usage_hint"]
    assert hint.startswith(f"Use it alone at weight {advice['weight']:g}, ")


def test_notes_that_a_person_has_edited_are_kept(place: Path, results: dict[str, Path]) -> None:
    assert results
    recipe = _recipe(place)
    out = place / "out-edited"
    _run(recipe, out)
    path = out / "aoi" / "aoi.json"
    notes = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(notes), encoding="utf-8")  # as another program writes the same
    assert is_ours(path)
    _run(recipe, out)
    path.write_text(json.dumps(notes | {"activation text": "aoi"}), encoding="utf-8")
    edited = path.read_bytes()
    with pytest.raises(RecipeError, match=r"aoi\.json is not lorarecipe's; move it away"):
        _run(recipe, out)
    assert path.read_bytes() == edited


@pytest.mark.parametrize("name", ["aoi.json", "aoi.preview.png"])
def test_a_file_of_the_authors_is_refused_before_anything_is_trained(place: Path, tmp_path: Path, name: str) -> None:
    mine = tmp_path / "out" / "aoi" / name
    mine.parent.mkdir(parents=True)
    if name.endswith(".json"):
        mine.write_text('{"description": "mine", "notes": "Written by hand"}', encoding="utf-8")
    else:
        Image.new("RGB", (4, 4)).save(mine)
    before, store = mine.read_bytes(), Store(tmp_path / "store")
    with pytest.raises(RecipeError, match="is not lorarecipe's; move it away"):
        list(execute(_plan(_recipe(place)), Here(find_trainer("embedded"), store), tmp_path / "out"))
    assert mine.read_bytes() == before
    assert not store.root.exists()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[" * 100_000,
        '{"notes": NaN}',
        '{"notes": 1}',
        '{"a": NaN, "notes": "x\\nWritten by lorarecipe 1 (checksum 0123456789abcdef)."}',
        '{"a": 1%s, "notes": "x\\nWritten by lorarecipe 1 (checksum 0123456789abcdef)."}' % ("0" * 400),
    ],
)
def test_what_is_no_notes_of_ours(tmp_path: Path, content: str) -> None:
    (tmp_path / "aoi.json").write_text(content, encoding="utf-8")
    assert not is_ours(tmp_path / "aoi.json")


def test_what_lies_beside_goes_with_its_result(place: Path, results: dict[str, Path]) -> None:
    """It is in the record, and removed where a later run does not have it; what is not ours stays."""
    assert results
    recipe, out = _recipe(place), place / "out-stale"
    names = _recorded(recipe, out)
    assert {"aoi.json", "aoi.preview.png", "aoi.safetensors"} <= {*names}
    text = recipe.read_text("utf-8")
    recipe.write_text(text.partition("[samples]")[0], encoding="utf-8")
    assert "aoi.preview.png" not in _recorded(recipe, out)
    assert not (out / "aoi" / "aoi.preview.png").exists()
    assert "modelspec.thumbnail" not in _metadata(out / "aoi" / "aoi.safetensors")
    assert (out / "aoi" / "aoi.json").is_file()


def test_a_result_that_is_called_like_a_record(place: Path, results: dict[str, Path]) -> None:
    assert results
    recipe = _recipe(place, name="run")
    names = _recorded(recipe, place / "out-named")
    assert "run.json" not in names
    assert "stages" in json.loads((place / "out-named" / "run" / "run.json").read_text("utf-8"))
    assert "Delivered" in {type(event).__name__ for event in _run(recipe, place / "out-named")}


def test_an_author_of_two_lines_is_refused(place: Path) -> None:
    with pytest.raises(RecipeError, match="expected a text on one line"):
        load(_recipe(place, 'author = "a\\nb"'))


def test_a_rehearsal_says_so(place: Path) -> None:
    [small], _ = rehearsal_of([check(scan(load(_recipe(place))))])
    plan = compile_plan([small])
    files = [event for event in execute(plan, _worker(place), place / "out-small") if isinstance(event, Delivered)]
    assert files
    metadata = _metadata(place / "out-small" / "aoi" / "aoi.safetensors")
    assert metadata["modelspec.usage_hint"] == "Do not use it."
    assert metadata["modelspec.description"].startswith("A rehearsal, ")


@pytest.mark.sd_scripts
@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_the_file_of_sd_scripts(narrow: Narrow, tmp_path: Path, family: str, snapshot: SnapshotAssertion) -> None:
    """One step of the real script, on a U-Net a tenth as wide: what the file says, its hashes, and nothing private."""
    (tmp_path / "checkpoint.safetensors").symlink_to(narrow.checkpoint(family))
    demo_renders(tmp_path / PERSON)
    recipe = tmp_path / "aoi.toml"
    out, worker = tmp_path / "out", Here(narrow.trainer, Store(tmp_path / "store"))
    for level in ("full", "public"):
        recipe.write_text(
            'format = 1\nname = "aoi"\nmethod = "plain"\n'
            f'[checkpoint]\nfamily = "{family}"\npath = "checkpoint.safetensors"\n'
            f'[target]\nimages = "{PERSON}/honey"\n[target.training]\nrank = 2\nalpha = 2\nunet_lr = 1e-3\nsteps = 1\n'
            'resolution = 64\nbuckets = false\n[trainer]\ndevice = "cpu"\n'
            f'[deliver]\nmetadata = "{level}"\nweight = 1.5\n',
            encoding="utf-8",
        )
        list(execute(_plan(recipe), worker, out))
        for name in ("aoi", "aoi-baked"):
            path = out / "aoi" / f"{name}.safetensors"
            metadata = _metadata(path)
            assert metadata["modelspec.hash_sha256"] == f"0x{hashlib.sha256(_tensor_bytes(path)).hexdigest()}"
            assert metadata["sshs_model_hash"] == _as_the_trainer_hashes(path, metadata)
            assert "sshs_legacy_hash" not in metadata
            assert PERSON.encode() not in path.read_bytes()
            found = inspect(path)
            assert (found.family.by_tensors, found.family.by_metadata, found.not_finite) == (family, family, ())
            assert [claim.name for claim in found.claims if claim.is_true] == [
                "sshs_model_hash",
                "modelspec.hash_sha256",
            ]
            assert found.hashes.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert _all_of(metadata) == snapshot(name=level)
    trained = worker.store.path(_plan(recipe).deliveries[0].stage.short) / LORA
    assert _tensor_bytes(out / "aoi" / "aoi.safetensors") == _tensor_bytes(trained)
    assert json.loads((out / "aoi" / "aoi.json").read_text("utf-8"))["sd version"] == {"sd15": "SD1"}.get(
        family, "SDXL"
    )
    loader = StableDiffusionLoraLoaderMixin if family == "sd15" else StableDiffusionXLLoraLoaderMixin
    loaded = loader.lora_state_dict(out / "aoi", weight_name="aoi.safetensors")[0]
    assert len(loaded) == 2 * sum(name.endswith(".alpha") for name in safetensors.torch.load_file(trained))
