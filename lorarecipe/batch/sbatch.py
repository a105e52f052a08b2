"""A plan as files for Slurm: a job for each base, an array of jobs for the results on it, and what submits them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from lorarecipe.batch.groups import Group
from lorarecipe.plan import Delivery


def sbatch_files(groups: Sequence[Group], folder: Path, options: Sequence[str] = ()) -> dict[str, str]:
    """Give the files by their names.

    Parameters
    ----------
    groups
        The results, with the recipes that they are of.
    folder
        Where their jobs work.
    options
        Words for ``lorarecipe run``, beside the recipe and the name of the result.
    """
    files = dict[str, str]()
    lines = list[str]()
    for number, group in enumerate(groups, 1):
        if group.first:
            files[f"base-{number}.sbatch"] = _job(f"base-{number}", _BASE, [group.first], folder, options)
        if group.others:
            files[f"results-{number}.sbatch"] = _job(f"results-{number}", _RESULTS, group.others, folder, options)
        lines += _submitted(number, group)
    return {"submit.sh": _SUBMIT + "\n".join(lines) + "\n", **files}


def _job(name: str, purpose: str, results: Sequence[Delivery], folder: Path, options: Sequence[str]) -> str:
    """Give the text of a job's file; an array's task makes the result of its number."""
    recipes = "".join(f"  {shlex.quote(str(folder / one.recipe.source))}\n" for one in results)
    names = "".join(f"  {shlex.quote(one.name)}\n" for one in results)
    lists = f"recipes=(\n{recipes})\nnames=(\n{names})\ntask=${{SLURM_ARRAY_TASK_ID:-0}}\n"
    words = "".join(f" {shlex.quote(word)}" for word in options)
    run = f'lorarecipe run "${{recipes[$task]}}"{words} --only "${{names[$task]}}" &\n'
    head = f"#!/bin/bash\n# {purpose}\n# submit.sh submits this file.\n#SBATCH --job-name=lorarecipe-{name}\n"
    return f"{head}{_OPTIONS}\ncd -- {shlex.quote(str(folder))} || exit\n{lists}\n{_JOB}\n{run}{_ENDING}"


def _submitted(number: int, group: Group) -> Iterator[str]:
    """Give the lines that submit a group."""
    after = ""
    if group.first:
        yield f'base=$(sbatch --parsable "${{resources[@]}}" base-{number}.sbatch)'
        yield f'echo "base-{number}: job ${{base%%;*}}"'
        after = '--dependency="afterok:${base%%;*}" '
    if group.others:
        array = f'--array="0-{len(group.others) - 1}%$at_once"'
        yield f'results=$(sbatch --parsable "${{resources[@]}}" {after}{array} results-{number}.sbatch)'
        yield f'echo "results-{number}: job ${{results%%;*}}"'


_BASE = "Trains a base, and makes one of the results on it. The others wait for this job."
_RESULTS = "Makes results side by side, one in each task of an array. A base that they share is in the store by then."

_OPTIONS = """\
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --kill-on-invalid-dep=yes
#SBATCH --signal=B:TERM@300
"""

_JOB = """\
job=${SLURM_ARRAY_JOB_ID:+${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID}
job=${job:-${SLURM_JOB_ID:-}}
ask() { [[ -z $job ]] || squeue --noheader --jobs="$job" --format="$1"; }
# A run is told to pause five minutes before its job's time is over: a shorter job would only begin, again and again.
if [[ $(ask %l) =~ ^[0-9]:..$ ]]; then
  echo "This job's time limit is less than ten minutes, and its run is told to pause five minutes before." >&2
  echo "Write a longer --time into submit.sh, and run it again." >&2
  exit 2
fi
"""

_ENDING = """\
run=$!
trap 'kill -TERM "$run"' TERM
wait "$run"
code=$?
# A signal ends `wait`, but not the run, which saves its state first.
while kill -0 "$run" 2> /dev/null; do
  wait "$run"
  code=$?
done

# 143: the run was paused, 75: another run was at work on the same stage. The job goes on later, unless cancelled.
# SIGNALING: the job still runs, and Slurm is not done with sending it the signal to pause.
if [[ ($code == 143 || $code == 75) && $(ask %T) =~ ^(RUNNING|SIGNALING)$ ]]; then
  scontrol requeue "$job"
fi
exit "$code"
"""

_SUBMIT = """\
#!/bin/bash
# Submits the jobs of this folder to Slurm: each base first, then the results that wait for it.
# LORARECIPE_HOME has to name a folder that all nodes share, and `lorarecipe` has to be on the PATH: jobs get both from
# the shell that submits them. Change the two settings below to what your cluster asks for.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

# what each job needs; add a partition or an account here: --partition=NAME --account=NAME
resources=(--gres=gpu:1 --time=12:00:00)
# how many results of one base are made at the same time
at_once=4

"""
