from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from lorarecipe.errors import CheckFailed
from lorarecipe.weights.convert import convert
from tests.test_cli import _call


class _Trap:
    """What a hostile pickle holds: a call."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch trapped",)


def test_tensors_are_kept_and_the_rest_is_named(tmp_path: Path) -> None:
    shared = torch.arange(6.0).reshape(2, 3)
    inner = {"a": shared, "b": shared.T, "half": torch.ones(2, dtype=torch.float16), "note": "x"}
    torch.save({"state_dict": inner, "epoch": 3}, tmp_path / "a.ckpt")
    assert convert(tmp_path / "a.ckpt", tmp_path / "a.safetensors") == (3, ["epoch", "note"])
    written = load_file(tmp_path / "a.safetensors")
    assert all(torch.equal(written[name], inner[name]) for name in ("a", "b", "half"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.ckpt", "a.safetensors"]


def test_code_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"a": torch.ones(1), "trap": _Trap()}, "trap.pt")
    with pytest.raises(CheckFailed, match=r"it needs \w+\.system to be run\); nothing was run or written"):
        convert(Path("trap.pt"), Path("trap.safetensors"))
    assert [path.name for path in tmp_path.iterdir()] == ["trap.pt"]


@pytest.mark.parametrize("content", [b"", b"no pickle", b"\x80\x04N.", b"PK\x03\x04torn"])
def test_what_is_no_pickle_of_tensors(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.bin").write_bytes(content)
    with pytest.raises(CheckFailed):
        convert(tmp_path / "a.bin", tmp_path / "a.safetensors")


def test_the_command(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(2)}, tmp_path / "a.pt")
    assert _call(tmp_path, "convert", "a.pt") == (0, "a.safetensors\n", "1 tensor\n")
    code, _, errors = _call(tmp_path, "convert", "a.pt")
    assert (code, "a.safetensors exists" in errors) == (2, True)
    code, _, errors = _call(tmp_path, "convert", "a.pt", "missing/a.safetensors")
    assert (code, "missing: found no such folder" in errors) == (2, True)
    os.mkfifo(tmp_path / "pipe.pt")
    code, _, errors = _call(tmp_path, "convert", "pipe.pt")
    assert (code, "not a regular file" in errors) == (4, True)


@pytest.mark.parametrize(
    ("held", "found"),
    [
        ({"a": torch.eye(3).to_sparse()}, "layout torch.sparse_coo"),
        ({"a": torch.ones(2, device="meta")}, "without numbers"),
        ({"a": torch.ones(2, dtype=torch.complex128)}, "torch.complex128"),
        ({"state_dict": [torch.ones(2)]}, "no tensors by name"),
        ({"state_dict": torch.ones(2)}, "no tensors by name"),
        ([torch.ones(2)], "no tensors by name"),
        ({1: torch.ones(2), "1": torch.ones(2)}, "two tensors of one name"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*[Ss]parse")
def test_what_safetensors_cannot_hold(tmp_path: Path, held: object, found: str) -> None:
    torch.save(held, tmp_path / "a.pt")
    with pytest.raises(CheckFailed, match=found):
        convert(tmp_path / "a.pt", tmp_path / "a.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["a.pt"]


def test_a_disk_without_room(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(300_000)}, tmp_path / "a.pt")
    code, _, errors = _limited(tmp_path, "convert", "a.pt")
    assert (code, "a.safetensors: cannot be written" in errors) == (4, True)
    assert [path.name for path in tmp_path.iterdir()] == ["a.pt"]


def _limited(folder: Path, *words: str) -> tuple[int, str, str]:
    """Run a command whose process may write no file of more than a megabyte."""
    program = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20));"
        "from lorarecipe.cli import entry; entry()"
    )
    done = subprocess.run([sys.executable, "-c", program, *words], cwd=folder, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr
