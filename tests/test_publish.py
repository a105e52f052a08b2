"""What is published of real runs: the card and the sheet, whole; and the commit, by the real client on loopback."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import ModelCard, metadata_load
from PIL import Image
from syrupy.assertion import SnapshotAssertion

from lorarecipe.dataset import scan
from lorarecipe.demo import NANO
from lorarecipe.errors import CheckFailed
from lorarecipe.files import file_digest
from lorarecipe.hub import Address, Remote
from lorarecipe.plan import compile_plan
from lorarecipe.publish import Result, files_of, result_of, sheet_of, without_folders
from lorarecipe.recipe import load
from lorarecipe.rules import check
from lorarecipe.run import Arguments, Run, begin_run, find_run
from tests import test_alone as alone
from tests.hub import Hub
from tests.hub_faults import Answer, Request
from tests.renders import demo_renders
from tests.test_pictures import FINISHED_BASE, RECIPE, trained_base

ROOT = Path(__file__).parents[1]
TOKEN = "hf_" + "canary" * 5
COMMIT = "0123456789abcdef0123456789abcdef01234567"
_CHANGES = {
    FINISHED_BASE: trained_base(steps=2),
    "images = 2\n": "images = 1\n",
    "epochs = [1]\n": "",
    "enabled = true": "enabled = false",
    'negative = "beach"': "negative = 'a \"beach\"'",
}


def _call(place: Path, *words: str, **env: str) -> tuple[int, str, str]:
    surroundings = {"PYTHONPATH": str(ROOT), "LORARECIPE_HOME": str(place / "home"), "OMP_NUM_THREADS": "1"}
    argv = [sys.executable, "-m", "lorarecipe", *words]
    done = subprocess.run(
        argv, cwd=place, env=os.environ | surroundings | env, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a target on a base, with samples, and then one of a LoRA without a base, samples and buckets."""
    place = tmp_path_factory.mktemp("publish")
    demo_renders(place / "renders")
    text = RECIPE
    for old, new in _CHANGES.items():
        assert old in text
        text = text.replace(old, new)
    text += "\n[rules]\n" + "".join(
        f'{code} = {{ severity = "ignore", reason = "a test" }}\n' for code in ("SET005", "SET006", "SET007", "SET009")
    )
    (place / "aoi.toml").write_text(text, encoding="utf-8")
    plain = alone.RECIPE.replace('"aoi"', '"plain"').partition("[samples]")[0]
    (place / "plain.toml").write_text(plain, encoding="utf-8")
    for recipe in ("aoi.toml", "plain.toml"):
        code, _, err = _call(place, "run", recipe)
        assert code == 0, err
    return place


def _run(place: Path, name: str) -> Run:
    return find_run(place / "home" / "runs", {"aoi": "0001", "plain": "0002"}[name])


def _copy(place: Path, to: Path) -> Path:
    """Copy what the runs have left, but for the store."""
    for part in ("out", "home/runs"):
        shutil.copytree(place / part, to / part)
    for ledger in to.glob("home/runs/*/ledger.json"):
        ledger.write_text(ledger.read_text("utf-8").replace(str(place), str(to)), encoding="utf-8")
    return to


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as hub:
        hub.tokens = {TOKEN}
        yield hub


def _mask(text: str) -> str:
    """Leave out what another processor, or another version of a library, measures otherwise."""
    text = re.sub(r"(?<=^\| )(target|without|base) \|.*", r"\1 | <measured>", text, flags=re.MULTILINE)
    text = re.sub(r"(?<=begin with:\n).*", "<reason>", text)
    return re.sub(r"[0-9a-f]{64}", "<digest>", text)


@pytest.mark.parametrize("name", ["aoi", "plain"])
def test_the_card_and_the_sheet(place: Path, tmp_path: Path, name: str, snapshot: SnapshotAssertion) -> None:
    code, out, err = _call(
        place, "publish", _run(place, name).name, "--to", f"hf://me/{name}", "--dry-run", str(tmp_path / "dry")
    )
    assert code == 0, err
    card = (tmp_path / "dry" / "README.md").read_text("utf-8")
    sheet = (tmp_path / "dry" / "civitai.md").read_text("utf-8")
    assert _mask(card) == snapshot(name="card")
    assert _mask(sheet) == snapshot(name="sheet")
    assert out.replace(str(tmp_path), "<tmp>") == snapshot(name="files")
    assert err == snapshot(name="remarks")
    assert {*map(Path, out.splitlines())} == {path for path in (tmp_path / "dry").rglob("*") if path.is_file()}
    for text in (card, sheet, (tmp_path / "dry" / f"{name}.recipe.toml").read_text("utf-8")):
        assert str(place) not in text
        assert str(NANO.parent) not in text


def test_what_is_published_is_what_was_delivered(place: Path, tmp_path: Path) -> None:
    _call(place, "publish", "0001", "--dry-run", str(tmp_path / "dry"))
    folder = place / "out" / "aoi"
    assert (tmp_path / "dry" / "aoi.safetensors").read_bytes() == (folder / "aoi.safetensors").read_bytes()
    for picture in (tmp_path / "dry" / "images").iterdir():
        assert picture.read_bytes() == (folder / "samples" / picture.name).read_bytes()
        with Image.open(picture) as image:
            told = image.info["parameters"].splitlines()
        assert told[0] in {"1girl <lora:aoi:1>", "1girl, forest <lora:aoi:1>"}
        assert told[1] == 'Negative prompt: a "beach"'


def test_the_front_of_the_card_by_the_parser_of_the_hub(place: Path, tmp_path: Path) -> None:
    result = result_of(_run(place, "aoi"))
    path = str(result.setting("checkpoint", "path"))
    result.run.record.hub[path] = f"hf://demo/nano@{COMMIT}"
    content = files_of(result, "me/aoi", "cc-by-nc-4.0")["README.md"]
    assert isinstance(content, bytes)
    (tmp_path / "README.md").write_bytes(content)
    card = ModelCard.load(tmp_path / "README.md")
    assert card.content == content.decode()
    assert metadata_load(tmp_path / "README.md") == {
        "base_model": "demo/nano",
        "base_model_relation": "adapter",
        "library_name": "diffusers",
        "license": "cc-by-nc-4.0",
        "pipeline_tag": "text-to-image",
        "tags": ["text-to-image", "lora", "diffusers", "template:sd-lora", "stable-diffusion"],
        "widget": [
            {
                "text": prompt,
                "output": {"url": f"images/{file}"},
                "parameters": {"negative_prompt": 'a "beach"'},
            }
            for prompt, file in (("1girl", "00_1_1.png"), ("1girl, forest", "01_1_1.png"))
        ],
    }
    assert f'from_pretrained("demo/nano", revision="{COMMIT}", torch_dtype=dtype)' in card.text
    assert "`cc-by-nc-4.0`, as the author says." in card.text


def _drawn(folder: Path, card: str) -> bytes:
    """Run the program of a card, where the checkpoint and the repository are folders."""
    [program] = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    program = program.replace("pipeline(", "pipeline(generator=torch.Generator().manual_seed(1), prompt=")
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with Image.open(folder / "aoi.png") as image:
        return image.tobytes()


def test_the_program_of_the_card_draws_with_the_lora(place: Path, tmp_path: Path) -> None:
    (tmp_path / "nano").symlink_to(NANO)
    dry = tmp_path / "me" / "aoi"
    assert _call(place, "publish", "0001", "--to", "hf://me/aoi", "--dry-run", str(dry))[0] == 0
    card = (dry / "README.md").read_text("utf-8")
    at_one = _drawn(tmp_path, card)
    assert 'set_adapters("character", 1)' in card
    assert at_one != _drawn(tmp_path, card.replace('set_adapters("character", 1)', 'set_adapters("character", 0)'))


def test_the_baked_file_is_the_one_to_use(place: Path, tmp_path: Path) -> None:
    home = _copy(place, tmp_path / "copy")
    assert _call(home, "bake", "0001", "--weight", "1.25")[0] == 0
    result = result_of(_run(home, "aoi"))
    assert [lora.name for lora in result.loras] == ["aoi.safetensors", "aoi-baked.safetensors"]
    assert (result.use.file.name, result.use.weight, result.use.drawn.weight) == ("aoi-baked.safetensors", 1.0, 1.25)
    card = files_of(result, "me/aoi", None)["README.md"]
    assert isinstance(card, bytes)
    assert "its weight 1 is weight 1.25 of that file" in card.decode()
    assert "<lora:aoi-baked:1>" in card.decode()
    dry = tmp_path / "me" / "aoi"
    assert _call(home, "publish", "0001", "--to", "hf://me/aoi", "--dry-run", str(dry))[0] == 0
    (tmp_path / "nano").symlink_to(NANO)
    baked = _drawn(tmp_path, card.decode())
    text = card.decode().replace('"aoi-baked.safetensors"', '"aoi.safetensors"')
    assert _farthest(baked, _drawn(tmp_path, text.replace('"character", 1)', '"character", 1.25)'))) <= 1


def _farthest(one: bytes, other: bytes) -> int:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def test_the_epoch_that_is_advised_goes_along(place: Path, tmp_path: Path) -> None:
    home = _copy(place, tmp_path / "copy")
    record = home / "out" / "aoi" / "leak.json"
    told = json.loads(record.read_text("utf-8"))
    told["advice"] |= {"epoch": 1, "weight": 0.75}
    record.write_text(json.dumps(told), encoding="utf-8")
    result = result_of(_run(home, "aoi"))
    assert [lora.name for lora in result.loras] == ["aoi.safetensors", "aoi-000001.safetensors"]
    card = files_of(result, "me/aoi", None)["README.md"]
    assert isinstance(card, bytes)
    assert "Use `aoi-000001.safetensors` at weight 0.75." in card.decode()
    assert "1girl <lora:aoi-000001:0.75>" in card.decode()
    assert result.pictures == ()  # none were drawn with it
    (home / "out" / "aoi" / "aoi-000001.safetensors").write_bytes(b"another")
    with pytest.raises(CheckFailed, match=r"aoi-000001\.safetensors is no longer the file that 0001-"):
        result_of(_run(home, "aoi"))


def _as(result: Result, **values: object) -> Result:
    """Give a result of other settings of the checkpoint."""
    settings = result.run.record.settings["aoi"]
    result.run.record.settings["aoi"] = [
        replace(one, value=json.dumps(values[one.name])) if one.table == "checkpoint" and one.name in values else one
        for one in settings
    ]
    return result


@pytest.mark.parametrize(
    ("values", "address", "lines"),
    [
        (
            {"family": "sdxl", "path": "models/noob v.safetensors", "v_prediction": True},
            "",
            [
                "from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline",
                'StableDiffusionXLPipeline.from_single_file("noob v.safetensors", torch_dtype=dtype)  # the path of the',
                'EulerDiscreteScheduler.from_config(pipeline.scheduler.config, prediction_type="v_prediction")',
            ],
        ),
        (
            {"path": "store/nai.safetensors", "clip_skip": 2},
            f"hf://demo/nai/a/nai.safetensors@{COMMIT}",
            [
                f'from_single_file("https://huggingface.co/demo/nai/blob/{COMMIT}/a/nai.safetensors", torch_dtype=dtype)',
                "guidance_scale=7, clip_skip=1).images[0]",
            ],
        ),
    ],
)
def test_the_program_for_other_checkpoints(
    place: Path, values: dict[str, object], address: str, lines: list[str]
) -> None:
    result = _as(result_of(_run(place, "aoi")), **values)
    if address:
        result.run.record.hub[str(values["path"])] = address
    card = files_of(result, "me/aoi", None)["README.md"]
    assert isinstance(card, bytes)
    [program] = re.findall(r"```python\n(.*?)```", card.decode(), re.DOTALL)
    compile(program, "card", "exec")
    assert [line for line in lines if line not in program] == []
    assert ("Clip skip 2" in card.decode()) == ("clip_skip" in values)
    assert ("predicts velocity" in card.decode()) == ("v_prediction" in values)


def test_the_ledger_says_where_a_checkpoint_came_from(place: Path, tmp_path: Path) -> None:
    plan = compile_plan([check(scan(load(place / "plain.toml")))])
    [delivery] = plan.deliveries
    remote = Remote(Address("models", "demo/nano", "", COMMIT), (), is_folder=True)
    recipe = replace(delivery.recipe, remotes={delivery.recipe.checkpoint.path: remote})
    plan = replace(plan, deliveries=(replace(delivery, recipe=recipe),))
    asked = Arguments(recipes=["plain.toml"], out=str(place / "out"))
    run = find_run(tmp_path, begin_run(tmp_path, plan, asked).name)
    assert run.record.hub == {str(NANO): f"hf://demo/nano@{COMMIT}"}


@pytest.mark.parametrize(
    ("checkpoint", "preset", "label", "partly"),
    [
        ("ponyDiffusionV6XL.safetensors", "illustrious", "Pony", "Illustrious, NoobAI, Pony, SDXL 1.0"),
        ("noobaiXL_illustrious.safetensors", "", "NoobAI", "Illustrious, NoobAI, Pony, SDXL 1.0"),
        ("mine.safetensors", "illustrious", "Illustrious", "Illustrious, NoobAI, Pony, SDXL 1.0"),
        ("mine.safetensors", "sdxl", "SDXL 1.0", "if the checkpoint was made from Pony, Illustrious or NoobAI"),
    ],
)
def test_base_models_in_the_spelling_of_civitai(
    place: Path, checkpoint: str, preset: str, label: str, partly: str
) -> None:
    result = _as(result_of(_run(place, "aoi")), family="sdxl", path=f"models/{checkpoint}")
    sheet = sheet_of(replace(result, recipe_text=f'preset = "{preset}"\n{result.recipe_text}'))
    assert f"| Base model | {label} |" in sheet
    assert partly in sheet


def test_nudity_in_captions_is_told(place: Path) -> None:
    result = result_of(_run(place, "aoi"))
    data = next(stage for stage in result.run.record.plan if stage.title == "images of aoi")
    data.identity.groups[0][0] = (data.identity.groups[0][0][0], "white background, completely_nude")
    assert "| yes: captions or prompts hold `nude` |" in sheet_of(result)


@pytest.mark.parametrize(
    ("text", "published", "count"),
    [
        ('path = "/home/anna/nano"', 'path = "nano"', 1),
        (r"path = 'C:\Users\anna\x.safetensors'", 'path = "x.safetensors"', 1),
        (r'path = "C:\\Users\\anna\\x y.safetensors" # mine', 'path = "x y.safetensors" # mine', 1),
        ('path = """/home/anna/nano"""', 'path = "nano"', 1),
        ('path = "~/models/x"', 'path = "x"', 1),
        (r'path = "\u002Fhome/anna/x"', 'path = "x"', 1),
        ("# see /home/anna/x, and C:\\anna\\y", "# see x, and y", 2),
        ('prompts = ["1girl, a/b", "# /no/comment"]', 'prompts = ["1girl, a/b", "# /no/comment"]', 0),
        ('path = "hf://me/x/y.safetensors" # https://a.org/b', 'path = "hf://me/x/y.safetensors" # https://a.org/b', 0),
        ('path = "../models/x" # 1/2 and/or', 'path = "../models/x" # 1/2 and/or', 0),
        ("a = '''\n/not/at/the/start'''", 'a = "start"', 1),
    ],
)
def test_a_recipe_without_folders(text: str, published: str, count: int) -> None:
    assert without_folders(text) == (published, count)


def _publish(place: Path, hub: Hub, *words: str, token: str = TOKEN, to: str = "hf://me/aoi") -> tuple[int, str, str]:
    env = hub.environment(token) | {"HF_HOME": str(place / "hf"), "TMPDIR": str(place / "tmp")}
    (place / "tmp").mkdir(exist_ok=True)
    return _call(place, "publish", "0001", "--to", to, *words, **env)


def _tree(place: Path) -> dict[Path, str]:
    return {path: file_digest(path) for path in place.rglob("*") if path.is_file()}


def test_one_commit(place: Path, hub: Hub, tmp_path: Path) -> None:
    before = _tree(place)
    code, out, err = _publish(place, hub)
    assert code == 0, err
    repository = hub["models/me/aoi"]
    assert repository.private
    [(head, *_)] = repository.log
    first, commit = repository.trees
    assert head["value"]["parentCommit"] == first
    assert head["value"]["summary"] == "Publish aoi with lorarecipe"
    assert out == f"{hub.url}/me/aoi/commit/{commit}\n"
    assert err.splitlines()[-1] == "Only you can see me/aoi: it is private."
    assert _call(place, "publish", "0001", "--to", "hf://me/aoi", "--dry-run", str(tmp_path / "dry"))[0] == 0
    wanted = {
        path.relative_to(tmp_path / "dry").as_posix(): path.read_bytes()
        for path in (tmp_path / "dry").rglob("*")
        if path.is_file() and path.name != "civitai.md"
    }
    assert repository.files() == wanted | {".gitattributes": b"* text=auto\n"}
    assert _tree(place) == before
    assert TOKEN not in out + err
    assert {request.token for request in hub.requests if request.path.startswith("/api/")} == {TOKEN}


def test_what_else_a_repository_holds_stays(place: Path, hub: Hub) -> None:
    first = hub.add("models/me/aoi", {"notes.md": b"mine", "README.md": b"old"}, private=True)
    assert _publish(place, hub)[0] == 0
    repository = hub["models/me/aoi"]
    assert repository.files()["notes.md"] == b"mine"
    assert repository.files()["README.md"].startswith(b"---\nlibrary_name: diffusers\n")
    assert repository.log[0][0]["value"]["parentCommit"] == first
    assert _publish(place, hub)[0] == 0
    assert len(repository.log) == 1  # nothing differs


def test_who_can_see_it(place: Path, hub: Hub) -> None:
    assert _publish(place, hub, "--public")[2].endswith("Everybody can see me/aoi: it is public.\n")
    assert not hub["models/me/aoi"].private
    code, out, err = _publish(place, hub)
    assert (code, out) == (6, "")
    assert "me/aoi is public, so everybody could see what is uploaded; where that is meant, add --public" in err
    hub.add("models/me/mine", {}, private=True)
    code, _, err = _publish(place, hub, "--public", to="hf://me/mine")
    assert code == 0
    assert err.endswith("Only you can see me/mine: it is private.\n")


@pytest.mark.parametrize(
    ("status", "path", "message"),
    [
        (401, "/api/models/me/aoi$", "log in"),
        (403, "/commit/", "log in with a token that allows it"),
        (
            409,
            "/commit/",
            "the repository was changed at the same time (HTTP 409); look at it, then run the same again",
        ),
        (
            412,
            "/commit/",
            "the repository was changed at the same time (HTTP 412); look at it, then run the same again",
        ),
        (
            429,
            "/commit/",
            "the hub refuses more requests for now (HTTP 429); run the same command again in some minutes",
        ),
        (500, "/commit/", "the hub answered with HTTP 500; run the same command again later"),
        (403, "/lfs/", "log in with a token that allows it"),
        (400, "validate-yaml", "the hub refuses the model card; change what it says"),
    ],
)
def test_what_the_hub_refuses(place: Path, hub: Hub, status: int, path: str, message: str) -> None:
    before, head = _tree(place), hub.add("models/me/aoi", {"notes.md": b"mine"}, private=True)
    answer = hub.answer
    refusal = Answer(b'{"error": "the test wants it so"}', status)
    hub.answer = lambda request: refusal if re.search(path, request.path) else answer(request)  # type: ignore[method-assign]
    code, out, err = _publish(place, hub)
    assert (code, out) == (6, ""), err
    assert message in err
    assert TOKEN not in err
    assert "Traceback" not in err
    assert [*hub["models/me/aoi"].trees] == [head]
    assert _tree(place) == before


def test_a_repository_that_changes_meanwhile(place: Path, hub: Hub) -> None:
    hub.add("models/me/aoi", {"notes.md": b"mine"}, private=True)
    answer = hub.answer

    def changed(request: Request) -> Answer:
        if "/preupload/" in request.path:
            hub.add("models/me/aoi", {"notes.md": b"another's"})
        return answer(request)

    hub.answer = changed  # type: ignore[method-assign]
    code, _, err = _publish(place, hub)
    assert code == 6
    assert "the repository was changed at the same time (HTTP 412)" in err
    assert hub["models/me/aoi"].files() == {"notes.md": b"another's"}


def test_without_a_token_or_a_hub(place: Path, hub: Hub) -> None:
    code, _, err = _publish(place, hub, token="")
    assert code == 6
    assert "hf auth login" in err
    env = hub.environment(TOKEN) | {"HF_ENDPOINT": "http://127.0.0.1:9"}
    code, _, err = _call(place, "publish", "0001", "--to", "hf://me/aoi", **env)
    assert code == 6
    assert "the hub cannot be reached" in err
    code, _, err = _call(place, "publish", "0001", "--to", "hf://me/aoi", HF_HUB_OFFLINE="1", **hub.environment(TOKEN))
    assert code == 6
    assert "HF_HUB_OFFLINE" in err
    assert not hub.repositories


def test_wrong_usage(place: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "README.md").write_text("mine")
    dry = ("--dry-run", str(tmp_path / "dry"))
    for words, message in (
        ((), "found neither --to nor --dry-run, expected --to hf://OWNER/REPO or --dry-run FOLDER"),
        (("--to", "me/aoi"), "found 'me/aoi', expected hf://OWNER/REPO"),
        (("--to", "hf://datasets/me/aoi"), "expected hf://OWNER/REPO"),
        (("--to", "hf://me/aoi/x"), "expected hf://OWNER/REPO"),
        (("--to", "hf://me/aoi@v1"), "expected hf://OWNER/REPO"),
        (("--license", "My own", *dry), "found 'My own', expected the hub's name of a license"),
        (("--name", "ai", *dry), "found 'ai', expected a result of"),
        (("--dry-run", str(tmp_path / "mine")), "is there already, and is not overwritten"),
    ):
        code, out, err = _call(place, "publish", "0001", *words)
        assert (code, out) == (2, ""), words
        assert message in " ".join(err.split()), words
    assert (tmp_path / "mine" / "README.md").read_text() == "mine"
    assert not (tmp_path / "dry").exists()


def test_what_is_not_published(tmp_path: Path) -> None:
    """A rehearsal, a base, a LoRA that a later run has written over, and one that was edited or removed."""
    demo_renders(tmp_path / "renders")
    plain = alone.RECIPE.partition("[samples]")[0]
    (tmp_path / "aoi.toml").write_text(plain, encoding="utf-8")
    base = RECIPE.partition("[base]")[0].replace('"aoi"', '"base"') + trained_base(steps=2)
    base += '[base.gate]\nmode = "off"\n[trainer]\nengine = "embedded"\ndevice = "cpu"\n[rules]\n'
    base += "".join(
        f'{code} = {{ severity = "ignore", reason = "a test" }}\n' for code in ("SET005", "SET006", "SET007", "SET009")
    )
    (tmp_path / "base.toml").write_text(base, encoding="utf-8")
    dry = ("--dry-run", str(tmp_path / "dry"))
    for recipe, *more in (("aoi.toml", "--rehearse"), ("base.toml",), ("aoi.toml",)):
        code, _, err = _call(tmp_path, "run", recipe, *more)
        assert code == 0, err
    (tmp_path / "aoi.toml").write_text(plain.replace("steps = 2", "steps = 3"), encoding="utf-8")
    assert _call(tmp_path, "run", "aoi.toml")[0] == 0
    for run, message in (
        ("0001", "is a rehearsal, and its LoRA is not for use"),
        ("0002", "base is a base, and draws nothing by itself"),
        ("0003", "aoi.safetensors is no longer the file that 0003-"),
    ):
        code, out, err = _call(tmp_path, "publish", run, *dry)
        assert (code, out) == (3, ""), run
        assert message in err
    assert _call(tmp_path, "publish", "0004", *dry)[0] == 0
    (tmp_path / "out" / "aoi" / "aoi.safetensors").unlink()
    code, _, err = _call(tmp_path, "publish", "0004", "--dry-run", str(tmp_path / "again"))
    assert code == 3
    assert "this LoRA is not there; make it again: lorarecipe rerun 0004-" in err
    assert not (tmp_path / "again").exists()
