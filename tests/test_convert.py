from __future__ import annotations

import os
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
    with pytest.raises(CheckFailed, match="nothing was run or written"):
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
