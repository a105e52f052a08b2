"""The last lines of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from lorarecipe.dataset import scan
from lorarecipe.events import Delivered, Event, Gated, Measured
from lorarecipe.live import Outcome, last_lines
from lorarecipe.plan import Delivery, compile_plan
from lorarecipe.recipe import Overrides, load
from lorarecipe.records import Check, Verdict
from lorarecipe.rules import check

ADVICE = Measured("aoi", (), "Use the last epoch at weight 1: it is the most like the character")


@pytest.fixture
def delivery(folder: Path) -> Delivery:
    recipe = load(folder / "recipe.toml", Overrides(sets=("base.gate.mode=report",)))
    return compile_plan([check(scan(recipe))]).deliveries[0]


def _gated(delivery: Delivery, of: str, verdict: Verdict) -> Gated:
    checks = (Check("white background", 3, 34, verdict), Check("upright", 31, 34, "pass"))
    return Gated(delivery.gate[of == "merged"].key, "aoi", of, verdict, checks)


def _lines(delivery: Delivery, page: Path, *happened: Event) -> list[str]:
    outcome = Outcome()
    for event in happened:
        outcome.add(event)
    return [*last_lines([delivery], outcome, {"aoi": page})]


def test_what_to_do_with_a_lora(delivery: Delivery, tmp_path: Path) -> None:
    lora = Delivered("aoi", str(tmp_path / "aoi.safetensors"), "00")
    assert _lines(delivery, tmp_path / "a b.html", _gated(delivery, "base", "pass"), lora, ADVICE) == [
        "",
        "Gate    The base aoi passed.",
        f"LoRA    {tmp_path / 'aoi.safetensors'}",
        "Prompt  1girl, <lora:aoi:1>",
        "Advice  Use the last epoch at weight 1: it is the most like the character.",
        f"Page    {(tmp_path / 'a b.html').as_uri()} (open it in a browser)",
    ]


def test_a_base_that_fails_never_ends_in_advice_to_use_the_result(delivery: Delivery, tmp_path: Path) -> None:
    lora = Delivered("aoi", str(tmp_path / "aoi.safetensors"), "00")
    said = "\n".join(
        _lines(
            delivery,
            tmp_path / "p.html",
            _gated(delivery, "base", "fail"),
            _gated(delivery, "merged", "pass"),
            lora,
            ADVICE,
        )
    )
    assert "Gate    The base aoi failed: white background (3 of 34). Train the base for more steps" in said
    assert 'mode = "stop"' in said
    assert "Do not use this LoRA" in said
    assert "<lora:" not in said
    assert "Use the last epoch" not in said


def test_the_worse_verdict_counts(delivery: Delivery, tmp_path: Path) -> None:
    lines = _lines(
        delivery, tmp_path / "p.html", _gated(delivery, "base", "pass"), _gated(delivery, "merged", "doubtful")
    )
    assert lines[1] == "Gate    The base aoi is doubtful: white background (3 of 34). Look at its pictures on the page."
    assert not any(line.startswith("LoRA") for line in lines)


def test_a_baked_file_goes_before_the_other(delivery: Delivery, tmp_path: Path) -> None:
    files = [Delivered("aoi", str(tmp_path / name), "00") for name in ("aoi.safetensors", "aoi-baked.safetensors")]
    said = _lines(delivery, tmp_path / "p.html", *files, ADVICE)
    assert f"LoRA    {tmp_path / 'aoi-baked.safetensors'} (its weight 1 is another weight of aoi.safetensors)" in said
    assert "Prompt  1girl, <lora:aoi-baked:1>" in said
    assert "Advice  Of aoi.safetensors: Use the last epoch at weight 1: it is the most like the character." in said
