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

#: Submits; while they train, pauses the first of the array, cancels the second, and takes the node from the third.
#: Slurm waits two minutes before it begins a job again: two seconds do, so that its clock tells the two tries apart.
_STEPS = """\
set -eu
bash jobs/submit.sh
PATH="$PWD/stand-in:$PATH" bash busy/submit.sh
sed 's/--time=[0-9:]*/--time=9/' busy/submit.sh > busy/short.sh
bash busy/short.sh
until squeue -h -j 3 -o '%T %r' | grep -q 'PENDING BeginTime'; do sleep 0.2; done
sleep 2
scontrol update JobId=3 StartTime=now
until [ "$(squeue -h -r -o '%T' --name=lorarecipe-results-1 | grep -c RUNNING)" = 2 ]; do sleep 0.2; done
until [ "$(find home/store/making -maxdepth 1 -name 'train-*' | wc -l)" = 2 ]; do sleep 0.2; done
sleep 2
scancel --batch --signal=TERM 2_0
scancel 2_1
until squeue -h -r -o '%i %T' | grep -q '2_0 PENDING'; do sleep 0.2; done
echo "2_0 is back in the queue"
until [ "$(find home/store/making -maxdepth 1 -name 'train-*' | wc -l)" = 3 ]; do sleep 0.2; done
kill -9 $(pgrep '^slurm(step)?d$') $(grep -lz '^SLURM_JOB_ID=' /proc/[0-9]*/environ | cut -d/ -f3)
while pgrep '^slurm(step)?d$' > /dev/null; do sleep 0.1; done
scontrol update NodeName="$(hostname -s)" State=DOWN Reason=lost
until squeue -h -r -o '%i %T' | grep -q '2_2 PENDING'; do sleep 0.2; done
echo "2_2 is back in the queue"
slurmd
sleep 2
while [ -n "$(squeue -h)" ]; do
  for job in 2_0 2_2; do scontrol update JobId=$job StartTime=now 2> /dev/null || true; done
  sleep 0.5
done
"""

#: stands for a run that finds another one at work on its stage, the first time
_BUSY = """\
#!/bin/sh
echo "begun again: ${SLURM_RESTART_COUNT:-0}"
[ -n "${SLURM_RESTART_COUNT:-}" ] || exit 75
"""


@pytest.fixture
def ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose base and three targets were submitted: one was paused, one cancelled, and one lost its node."""
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
        (root / path).write_text(text.replace("epochs = 4", "epochs = 40"), encoding="utf-8")
    monkeypatch.chdir(root)
    monkeypatch.setenv("LORARECIPE_HOME", str(root / "home"))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert CliRunner().invoke(main, ["plan", "--sbatch", "jobs", "base.toml", *recipes.values()]).exit_code == 0
    assert CliRunner().invoke(main, ["plan", "--sbatch", "busy", "base.toml"]).exit_code == 0
    (root / "stand-in").mkdir()
    (root / "stand-in" / "lorarecipe").write_text(_BUSY, encoding="utf-8")
    (root / "stand-in" / "lorarecipe").chmod(0o755)
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
    told = [line for line in done.stdout.splitlines() if line.endswith("queue")]
    assert (done.returncode, told) == (0, [f"{job} is back in the queue" for job in ("2_0", "2_2")]), done.stderr
    return root


def test_what_was_paused_or_lost_its_node_goes_on_and_what_was_cancelled_does_not(ended: Path) -> None:
    """A run that ends with 75 goes on too, and the base is trained once."""
    out = ended / "out"
    delivered = {path.stem for path in out.glob("*/*.safetensors") if path.stem == path.parent.name}
    assert delivered == {"base", "aoi", "akane"}
    logs = {path.name: path.read_text("utf-8") for path in ended.glob("*/slurm-*.out")}
    assert sorted(logs) == [f"slurm-{job}.out" for job in ("1", "2_0", "2_1", "2_2", "3", "4")]
    assert "to go on, run" in logs["slurm-2_0.out"]
    assert "CANCELLED" in logs["slurm-2_1.out"]
    assert logs["slurm-2_2.out"].count("started  target akane") == 2
    assert [line for line in logs["slurm-3.out"].splitlines() if line.startswith("begun")] == [
        "begun again: 0",
        "begun again: 1",
    ]
    assert "less than ten minutes" in logs["slurm-4.out"]
    ledger = ended / "home" / "runs"
    runs = [find_run(ledger, path.name).record for path in sorted(ledger.iterdir())]
    # whether the run or its trainer is first to hear that the job is cancelled differs
    states = [run.state for run in runs]
    assert (len(states), states.count("finished")) == (6, 3)
    # nobody outside the node can tell at once that a run ended with it
    assert {*states} - {"finished", "failed", "interrupted"} == {"paused", "running"}
    trained = [stage.key for run in runs for stage in run.stages if stage.kind == "train" and stage.outcome == "made"]
    assert len(trained) == len({*trained}) == 3
