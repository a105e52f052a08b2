"""The checkpoint that is shipped: its size, its form, and what it draws."""

from __future__ import annotations

import json

import pytest

from lorarecipe.demo import NANO
from lorarecipe.demo.judge import QUESTIONS, load_judge
from lorarecipe.demo.quality import measure
from lorarecipe.families import FAMILIES, trained_modules
from lorarecipe.weights import Folder, Weights


def test_it_is_small() -> None:
    assert sum(path.stat().st_size for path in NANO.rglob("*")) < 12_000_000


def test_it_is_sd1_in_float16() -> None:
    folder = Folder(NANO)
    assert {folder.dtype(name) for name in folder.names} == {"F16"}
    assert len(trained_modules(folder.shapes, FAMILIES["sd15"], text_encoder=True)) == 96


@pytest.fixture(scope="module")
def quality() -> dict[str, float]:
    """What was measured when it was made."""
    told = Weights(NANO / "unet" / "diffusion_pytorch_model.safetensors").metadata["lorarecipe.quality"]
    read: dict[str, float] = json.loads(told)
    return read


@pytest.mark.parametrize("question", list(QUESTIONS))
def test_nine_of_ten_prompted_attributes_are_read_back(quality: dict[str, float], question: str) -> None:
    assert quality[question] >= 0.9
    assert quality[f"judge {question}"] >= 0.98


def test_the_figures_are_not_of_another_checkpoint(quality: dict[str, float]) -> None:
    """A hundred pictures: each share within what chance allows."""
    now = measure(NANO, load_judge(), 100)
    assert all(abs(now[name] - quality[name]) < 0.15 for name in quality), now
