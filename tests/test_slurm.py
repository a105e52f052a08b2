"""The files for Slurm, submitted to a Slurm of one node: it takes a minute, and is skipped where there is no Slurm."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from lorarecipe.cli import main
from lorarecipe.run import find_run
from tests.faults.world import RECIPE, World

pytestmark = pytest.mark.slurm

_PROGRAMS = ("unshare", "ip", "hostname", "munged", "slurmctld", "slurmd", "sbatch")
_MISSING = [program for program in _PROGRAMS if not shutil.which(program)]

#: Submits, pauses the first of the array and cancels the second, both while they train, and waits for the end.
_STEPS = """\
set -eu
bash jobs/submit.sh
until [ "$(squeue -h -r -o '%T' --name=lorarecipe-results-1 | grep -c RUNNING)" = 2 ]; do sleep 0.2; done
until [ "$(find home/store/making -maxdepth 1 -name 'train-*' | wc -l)" = 2 ]; do sleep 0.2; done
sleep 2
scancel --batch --signal=TERM 2_0
until squeue -h -r -o '%i %T' | grep -q '2_0 PENDING'; do sleep 0.2; done
echo "2_0 is back in the queue"
scancel 2_1
while [ -n "$(squeue -h)" ]; do
  scontrol update JobId=2_0 StartTime=now 2> /dev/null || true
  sleep 0.5
done
"""


@pytest.fixture
def ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which a base and three targets were submitted, of which one was paused and one cancelled."""
    if _MISSING or os.geteuid():
        pytest.skip(f"no Slurm can be started here: {', '.join(_MISSING) or 'it needs root'}")
    root = tmp_path / "an author"
    root.mkdir()
    World.made(root)
    target, trainer, samples, rules = (RECIPE.index(f"[{name}]") for name in ("target", "trainer", "samples", "rules"))
    base = RECIPE[:target] + RECIPE[trainer:samples] + RECIPE[rules:]
    (root / "base.toml").write_text(base.replace('name = "aoi"', 'name = "base"'), encoding="utf-8")
    recipes = {"aoi": "my aoi.toml", "mio": "my mio.toml", "akane": "朱音's.toml"}
    for rank, (name, path) in enumerate(recipes.items(), 2):
        text = RECIPE.replace('name = "aoi"', f'name = "{name}"').replace("rank = 2", f"rank = {rank}")
        (root / path).write_text(text.replace("epochs = 4", "epochs = 60"), encoding="utf-8")
    monkeypatch.chdir(root)
    monkeypatch.setenv("LORARECIPE_HOME", str(root / "home"))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert CliRunner().invoke(main, ["plan", "--sbatch", "jobs", "base.toml", *recipes.values()]).exit_code == 0
    namespaces = ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"]
    slurm: list[str | Path] = [
        Path(__file__).with_name("one_node_slurm.sh"),
        tmp_path / "slurm",
        "timeout",
        "300",
        "bash",
        "-c",
        _STEPS,
    ]
    done = subprocess.run([*namespaces, "bash", *slurm], capture_output=True, text=True, check=False)
    if "base-1: job" not in done.stdout and (done.returncode == 77 or "unshare: " in done.stderr):
        pytest.skip(f"no Slurm can be started here: {done.stderr}")
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["2_0 is back in the queue"]), done.stderr
    return root


def test_a_paused_job_goes_on_a_cancelled_one_does_not_and_the_base_is_trained_once(ended: Path) -> None:
    out = ended / "out"
    delivered = {path.stem for path in out.glob("*/*.safetensors") if path.stem == path.parent.name}
    assert delivered == {"base", "aoi", "akane"}
    logs = {path.name: path.read_text("utf-8") for path in (ended / "jobs").glob("slurm-*.out")}
    assert sorted(logs) == ["slurm-1.out", "slurm-2_0.out", "slurm-2_1.out", "slurm-2_2.out"]
    assert "to go on, run" in logs["slurm-2_0.out"]
    assert "CANCELLED" in logs["slurm-2_1.out"]
    ledger = ended / "home" / "runs"
    runs = [find_run(ledger, path.name).record for path in sorted(ledger.iterdir())]
    # whether the run or its trainer is first to hear that the job is cancelled differs
    states = [run.state for run in runs]
    assert (len(states), states.count("finished")) == (5, 3)
    assert {*states} - {"finished", "failed", "interrupted"} == {"paused"}
    trained = [stage.key for run in runs for stage in run.stages if stage.kind == "train" and stage.outcome == "made"]
    assert len(trained) == len({*trained}) == 3
