from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from lorarecipe.cli.formats import FORMATS, Report
from lorarecipe.rules import RULES, Finding, Fix

FINDINGS = [
    Finding(Path("renders/葵/a b,1.txt"), 1, 8, "found '1girl', 100 %\nof them", "TGT001", "error", Fix("1girl", "")),
    Finding(Path("recipe.toml"), 12, 1, "found 3", "SET005", "warning"),
]


@pytest.mark.parametrize("form", FORMATS)
def test_form(form: str, snapshot: SnapshotAssertion) -> None:
    assert FORMATS[form](Report(FINDINGS, 2, 40, 1)) == snapshot


REPORTS = st.builds(
    Finding,
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).map(Path),
    st.integers(1, 999),
    st.integers(1, 999),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from(sorted(RULES)),
    st.sampled_from(["error", "warning"]),
)


@given(st.lists(REPORTS, max_size=4))
def test_all_forms_say_the_same(findings: list[Finding]) -> None:
    report = Report(findings, 0, 1, 1)
    told = json.loads(FORMATS["json"](report))
    assert [one["message"] for one in told["findings"]] == [finding.message for finding in findings]
    [run] = json.loads(FORMATS["sarif"](report))["runs"]
    for finding, result in zip(findings, run["results"], strict=True):
        [place] = result["locations"]
        assert unquote(place["physicalLocation"]["artifactLocation"]["uri"]) == finding.path.as_posix()
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == finding.code
    lines = FORMATS["github"](report).split("\n")
    assert len(lines) == len(findings) + 1
    for finding, line in zip(findings, lines):
        properties, _, message = line.removeprefix(f"::{finding.severity} ").partition("::")
        assert unquote_github(message) == finding.message
        assert properties.count(",") == 3
    assert FORMATS["text"](replace(report, verbose=True)).count("\n") == len(findings) + len(report.next_steps)


def unquote_github(text: str) -> str:
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def test_many_of_a_kind_are_one_line_of_a_text() -> None:
    many = [Finding(Path(f"aoi/{number}.png"), 1, 1, "found x", "IMG010", "warning") for number in range(5)]
    few = [Finding(Path(f"red/{number}.png"), 1, 1, "found x", "IMG010", "warning") for number in range(3)]
    other = [Finding(Path("aoi/9.png"), 1, 1, "found y", "IMG009", "error")]
    lines = FORMATS["text"](Report([*many, *few, *other], 0, 9, 1)).splitlines()
    assert lines == [
        "aoi/0.png:1:1: IMG010 warning found x (and 4 more in this folder: --verbose)",
        *map(str, few),
        *map(str, other),
        "1 error, 8 warnings in 9 images of 1 recipe",
    ]
    assert len(FORMATS["text"](Report([*many, *few, *other], 0, 9, 1, verbose=True)).splitlines()) == 10
