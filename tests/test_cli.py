"""Commands as processes: whole output, exit codes, and nothing changed on the disk."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from syrupy.assertion import SnapshotAssertion

from lorarecipe.cli import check as check_command
from lorarecipe.cli import options
from lorarecipe.errors import Interrupted
from lorarecipe.recipe import Overrides
from lorarecipe.rules import Checked
from tests.test_rules import _base, _lora

Edit = Callable[[str, str], Path]
Result = tuple[int, str, str]


def _call(folder: Path, *words: str, **env: str) -> Result:
    done = subprocess.run(
        [sys.executable, "-m", "lorarecipe", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, **env},
        check=False,
    )
    return done.returncode, _mask(done.stdout), _mask(done.stderr)


def _mask(text: str) -> str:
    text = text.replace(os.environ["LORARECIPE_HOME"], "<home>").replace(sys.executable, "<python>")
    text = text.replace(str(Path(__file__).parent.parent), "<lorarecipe>")
    text = re.sub(r"trainers/[0-9a-f]{16}", "trainers/<id>", text)
    text = re.sub(r"/\S*/mine/", "<work>/", text)
    return re.sub(r"--num_cpu_threads_per_process \d+", "--num_cpu_threads_per_process <cpus>", text)


def _tree(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["check", "--help"],
        ["plan", "--help"],
        ["run", "--help"],
        ["setup", "--help"],
        ["caption", "--help"],
        ["rules"],
        ["rule", "tgt001"],
    ],
)
def test_help(folder: Path, words: list[str], snapshot: SnapshotAssertion) -> None:
    assert _call(folder, *words) == snapshot


@pytest.mark.parametrize(
    "words", [["rule", "X1"], ["nothing"], ["check"], ["check", "none.toml"], ["run", "--rank", "4"]]
)
def test_wrong_usage(folder: Path, words: list[str], snapshot: SnapshotAssertion) -> None:
    result = _call(folder, *words)
    assert result[0] == 2
    assert result == snapshot


def test_check_a_clean_set(folder: Path) -> None:
    for path in folder.rglob("*.png"):
        os.utime(path, (time.time() + 60,) * 2)  # so young that it is not remembered yet, however slow the machine
    before = _tree(folder)
    assert _call(folder, "check", "recipe.toml") == (
        0,
        "0 errors, 0 warnings in 12 images of 1 recipe; 3 ignored\n",
        "",
    )
    assert _tree(folder) == before
    assert not Path(os.environ["LORARECIPE_HOME"]).exists()


def test_check_findings(folder: Path, snapshot: SnapshotAssertion) -> None:
    (folder / "aoi" / "full_front.txt").write_text("1girl, white background, full body\n")
    (folder / "aoi" / "upper_front.txt").unlink()
    (folder / "red" / "note.md").touch()
    result = _call(folder, "check", "recipe.toml")
    assert result[0] == 3
    assert result == snapshot


def test_check_mends_captions(folder: Path, snapshot: SnapshotAssertion) -> None:
    path = folder / "aoi" / "full_front.txt"
    path.write_text("1girl, White_Background, arms at sides, full body\n", encoding="utf-8")
    before = _tree(folder)
    assert _call(folder, "check", "recipe.toml", "--diff") == snapshot(name="diff")
    assert _tree(folder) == before
    assert _call(folder, "check", "recipe.toml", "--fix") == snapshot(name="fix")
    after = _tree(folder)
    assert {name for name in after if after[name] != before.get(name)} == {
        str(path),
        str(path.parent / ".originals" / "full_front.e20df43f.txt"),
    }
    assert _call(folder, "check", "recipe.toml", "--fix") == snapshot(name="again")
    assert _tree(folder) == after


@pytest.mark.parametrize("form", ["json", "github", "sarif"])
def test_check_for_programs(folder: Path, form: str, snapshot: SnapshotAssertion) -> None:
    (folder / "aoi" / "full_front.txt").write_text(
        "1girl, white background, arms at sides, full body\n", encoding="utf-8"
    )
    code, out, errors = _call(folder, "check", "recipe.toml", "--format", form)
    assert (code, errors) == (3, "")
    assert out.count("TGT001") >= 1
    assert out == snapshot


def test_rules_for_programs(folder: Path) -> None:
    code, out, _ = _call(folder, "rules", "--json")
    told = json.loads(out)
    assert code == 0
    assert [rule["code"] for rule in told["rules"] if not rule["may_be_set"]] == ["NEV001", "SET012"]
    assert all(rule["explanation"].startswith(rule["summary"]) for rule in told["rules"])


def test_captions_from_names(folder: Path, edit: Edit, snapshot: SnapshotAssertion) -> None:
    edit('images = "aoi"', 'images = "aoi"\ncaptions = { pattern = "{zoom}_{view}" }')
    (folder / "aoi" / "full_front.txt").unlink()
    (folder / "aoi" / "full_back.txt").write_text("mine")
    before = _tree(folder)
    assert _call(folder, "caption", "recipe.toml", "--diff") == snapshot(name="diff")
    assert _tree(folder) == before
    assert _call(folder, "caption", "recipe.toml") == snapshot(name="written")
    assert (folder / "aoi" / "full_back.txt").read_text() == "mine"
    assert _call(folder, "caption", "recipe.toml", "--replace") == snapshot(name="replaced")
    assert _call(folder, "check", "recipe.toml")[0] == 0


def test_a_watch_checks_again(folder: Path) -> None:
    command = [sys.executable, "-m", "lorarecipe", "check", "recipe.toml", "--watch"]
    output = subprocess.PIPE
    with subprocess.Popen(command, cwd=folder, stdout=output, stderr=output, text=True) as watching:
        assert watching.stdout
        assert watching.stderr
        assert watching.stdout.readline() == "0 errors, 0 warnings in 12 images of 1 recipe; 3 ignored\n"
        assert watching.stderr.readline() == "watching 4 folders; Ctrl-C ends it\n"
        (folder / "aoi" / "full_front.txt").write_text("white background, arms at sides, full body, solo")
        assert watching.stdout.readline() == "\n"
        assert "TGT001" in watching.stdout.readline()
        watching.send_signal(signal.SIGINT)
        assert watching.wait(60) == 130


def test_what_is_saved_during_a_check_is_checked_after_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []

    def check_all(paths: tuple[Path, ...], overrides: Overrides) -> tuple[Checked, ...]:
        checked = options.check_all(paths, overrides)
        seen.append([finding.code for one in checked for finding in one.findings])
        if len(seen) == 2:  # the first one only tells which folders there are
            (folder / "aoi" / "full_front.txt").write_text("white background, arms at sides, full body, solo")
        if len(seen) == 3:
            raise Interrupted(2)
        return checked

    monkeypatch.setattr(check_command, "check_all", check_all)
    with pytest.raises(Interrupted):
        check_command._watch((folder / "recipe.toml",), Overrides())
    assert ["TGT001" in codes for codes in seen] == [False, False, True]


def test_the_hook_runs_the_check(folder: Path) -> None:
    manifest = Path(__file__).parent.parent / ".pre-commit-hooks.yaml"
    [hook] = yaml.safe_load(manifest.read_text("utf-8"))
    program, *words = hook["entry"].split()
    assert program == "lorarecipe"
    assert _call(folder, *words, "recipe.toml")[0] == 0


def test_plan(folder: Path, snapshot: SnapshotAssertion) -> None:
    before = _tree(folder)
    assert _call(folder, "plan", "recipe.toml") == snapshot
    assert _tree(folder) == before


def test_plan_with_commands(folder: Path, snapshot: SnapshotAssertion) -> None:
    assert _call(folder, "plan", "--commands", "recipe.toml") == snapshot


def test_what_may_be_allowed(folder: Path) -> None:
    for code in ("NEV001", "TGT999"):
        number, _, err = _call(folder, "run", "recipe.toml", "--allow", code)
        assert number == 2
        assert f"'{code}' is no rule that can be allowed" in err
    (folder / "aoi" / "full_front.txt").write_text("white background, arms at sides, full body, standing")
    assert _call(folder, "run", "recipe.toml")[0] == 3
    number, _, err = _call(folder, "run", "recipe.toml", "--allow", "TGT001")
    assert (number, err) == (4, "the trainer is not set up; run: lorarecipe setup\n")


def test_demo(folder: Path) -> None:
    code, out, err = _call(folder, "demo", "new place")
    names = ("demo", "demo-auburn", "demo-control", "demo-distill", "demo-plain")
    assert (code, out.splitlines()) == (0, [str(Path("new place", f"{name}.toml")) for name in names])
    assert "lorarecipe run 'new place/demo.toml'" in err
    written = _tree(folder)
    assert _call(folder, "demo", "new place")[0] == 0
    assert _tree(folder) == written


@pytest.mark.parametrize("name", ["demo/red/mine.png", "demo/honey/upper-body_front.txt", "demo.toml"])
def test_demo_overwrites_nothing_of_the_users(folder: Path, name: str) -> None:
    (folder / "demo" / "red").mkdir(parents=True)
    (folder / "demo" / "honey").mkdir(parents=True)
    shutil.copy(folder / "red" / "full_front.png", folder / name)
    before = _tree(folder)
    code, out, err = _call(folder, "demo")
    assert (code, out) == (2, "")
    assert f"{name} is there and is not what the demo writes" in err
    assert _tree(folder) == before


def test_run_without_a_trainer(folder: Path) -> None:
    code, out, err = _call(folder, "run", "recipe.toml")
    assert (code, out) == (4, "")
    assert err == "the trainer is not set up; run: lorarecipe setup\n"


@pytest.mark.parametrize("home", ["/dev/null", "/dev/null/x", "/x" + "y" * 300])
def test_a_home_that_cannot_be(folder: Path, home: str) -> None:
    code, _, err = _call(folder, "plan", "recipe.toml", LORARECIPE_HOME=home)
    assert code == 4
    assert "LORARECIPE_HOME" in err
    assert "Traceback" not in err


def test_names_forge_no_lines(folder: Path) -> None:
    (folder / "aoi" / "x.md\nred.txt:1:1: TGT001 error forged").touch()
    (folder / "aoi" / os.fsdecode(b"\xff.md")).touch()
    code, out, _ = _call(folder, "check", "recipe.toml", PYTHONIOENCODING="utf-8:strict")
    assert code == 0
    assert len(out.splitlines()) == 3


def test_faults_of_all_recipes_come_together(folder: Path) -> None:
    for name in ("one", "two"):
        text = (folder / "recipe.toml").read_text("utf-8").replace('name = "aoi"', f'name = "{name}"')
        (folder / f"{name}.toml").write_text(text.replace('images = "aoi"', f'images = "no-{name}"'), encoding="utf-8")
    code, _, err = _call(folder, "check", "one.toml", "two.toml")
    assert code == 2
    assert [line.split(":")[0] for line in err.splitlines()] == ["one.toml", "two.toml"]


# --- what must end before any training, with the right code and one clear message ---


def _foreign_base(folder: Path) -> None:
    _base(_lora("lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q"))(folder)


def _empty_folder(folder: Path) -> None:
    shutil.rmtree(folder / "aoi")
    (folder / "aoi").mkdir()


def _missing_caption(folder: Path) -> None:
    (folder / "aoi" / "full_front.txt").unlink()


def _girl(folder: Path) -> None:
    path = folder / "aoi" / "full_front.txt"
    path.write_text(f"1girl, {path.read_text()}")


def _misspelt(folder: Path) -> None:
    path = folder / "recipe.toml"
    path.write_text(path.read_text().replace("unet_lr", "unet_rl", 1))


def _no_checkpoint(folder: Path) -> None:
    (folder / "checkpoint.safetensors").unlink()


@pytest.mark.parametrize(
    ("harm", "code", "message"),
    [
        (_foreign_base, 3, r"base\.safetensors:1:1: TRN001 error found 1 of 1 modules that .* has no weight for"),
        (_empty_folder, 3, r"aoi:1:1: SET001 error found no image"),
        (_missing_caption, 3, r"aoi/full_front\.png:1:1: SET002 error found no caption, expected full_front\.txt"),
        (_girl, 3, r"aoi/full_front\.txt:1:1: TGT001 error found '1girl', which is not on the closed list"),
        (_misspelt, 2, r"recipe\.toml:19: base\.training\.unet_rl: found an unknown key; did you mean unet_lr\?"),
        (_no_checkpoint, 2, r"recipe\.toml:6: checkpoint\.path: found 'checkpoint\.safetensors', which is not there"),
    ],
)  # fmt: skip
def test_what_is_wrong_ends_before_any_training(
    folder: Path, harm: Callable[[Path], None], code: int, message: str
) -> None:
    harm(folder)
    before = _tree(folder)
    found, out, err = _call(folder, "run", "recipe.toml")
    assert found == code
    assert len(re.findall(message, err)) == 1
    assert "Traceback" not in err
    assert out == ""
    assert not (Path(os.environ["LORARECIPE_HOME"]) / "store").exists()
    assert _tree(folder) == before


@pytest.mark.parametrize("name", ["aoi.safetensors", "report.html", "run.json", "aoi-000001.safetensors"])
def test_nothing_is_left_beside_what_is_refused(folder: Path, name: str) -> None:
    place = folder / "out" / "rehearsal" / "aoi"
    place.mkdir(parents=True)
    (place / name).write_text("mine")
    before = _tree(folder)
    code, out, err = _call(folder, "run", "--rehearse", "recipe.toml")
    assert (code, out) == (2, "")
    assert "is not lorarecipe's; move it away, or use another name or --out" in err
    assert _tree(folder) == before


def test_start_is_light() -> None:
    code = (
        "import sys, lorarecipe.cli as c; c.main.main(['--help'], standalone_mode=False); print(*sorted(sys.modules))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"torch", "pydantic", "rich", "numpy", "PIL", "psutil", "safetensors", "toml", "filelock"}
    assert not heavy & set(loaded)
