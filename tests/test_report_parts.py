from __future__ import annotations

import math
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import jinja2
import pytest
from jinja2 import nodes

from lorarecipe.records import Sitting
from lorarecipe.report import pages
from lorarecipe.report.curves import drawings, smoothed
from lorarecipe.report.findings import by_rule
from lorarecipe.report.references import beside
from lorarecipe.report.times import length_of, moment, taken, times_of
from lorarecipe.rules import Finding
from lorarecipe.run import StageRecord


def test_curves_are_drawn_in_the_pages_colours() -> None:
    points = [(float(step), 1 / step) for step in range(1, 5000)]
    drawn = drawings({"loss/average": points, "loss/current": points, "lr/unet": points, "other": points})
    words = [plot.words.partition(":")[0] for plot in drawn]
    assert words == ["loss over 4999 steps", "learning rate over 4999 steps"]
    for plot in drawn:
        assert plot.svg.startswith("<svg")
        assert "currentColor" in plot.svg
        assert "var(--line-1)" in plot.svg
        assert "#0" not in plot.svg
        assert len(plot.svg) < 60_000


def test_a_loss_is_smoothed_and_says_how() -> None:
    noisy = [(float(step), 1.0 + (-1) ** step) for step in range(1000)]
    [plot] = drawings({"loss/current": noisy})
    assert "the mean of the 41 logged steps around it" in plot.caption
    assert "The pale line behind it is the loss as logged." in plot.caption
    assert plot.svg.count("var(--line-1)") >= 2
    means = [value for _, value in smoothed(noisy, 41)]
    assert len(means) == 1000
    assert all(abs(value - 1) < 0.1 for value in means)
    [few] = drawings({"loss/average": noisy[:4]})
    assert few.caption == "Loss, as logged: too few steps to smooth."


def test_smoothing_leaves_out_what_is_no_number() -> None:
    points = [(0.0, 1.0), (1.0, math.nan), (2.0, 3.0), (3.0, 5.0)]
    assert smoothed(points, 3) == [(0.0, 1.0), (1.0, 2.0), (2.0, 4.0), (3.0, 4.0)]


@pytest.mark.parametrize(
    ("prompt", "numbers"),
    [
        ("1girl, forest, full body", [0]),
        ("1girl, from behind, full body", [1]),
        ("1girl, beach, upper body", [2]),
        ("1girl", [0, 2]),
        ("", [0, 2]),
    ],
)
def test_renders_beside_a_prompt(prompt: str, numbers: list[int]) -> None:
    captions = ["full body", "from behind, full body", "upper body", "from behind, upper body"]
    assert beside(prompt, captions) == numbers
    assert beside(prompt, []) == []


def test_findings_by_their_rules() -> None:
    findings = [
        Finding(Path("b.txt"), 1, 8, "found a", "TGT001", "error"),
        Finding(Path("recipe.toml"), 12, 1, "found 3", "SET005", "warning"),
        Finding(Path("a.txt"), 1, 1, "found b: 1:2: SET005", "TGT001", "error"),
    ]
    groups = by_rule([str(finding) for finding in findings])
    assert [(group.code, len(group.findings)) for group in groups] == [("SET005", 1), ("TGT001", 2)]
    assert groups[0].summary == "The base has fewer than four characters."
    assert groups[1].findings == [str(findings[0]), str(findings[2])]
    assert [group.code for group in by_rule(["some other line"])] == [""]


def test_times_of_a_stage() -> None:
    stage = StageRecord(key="k", title="base", kind="train", outcome="made")
    assert times_of(stage) == []
    assert times_of(stage.model_copy(update={"outcome": "reused"})) == ["when it was made was not written down"]
    stage.sittings = [
        Sitting("2026-11-27T22:01:30+00:00", 75.2),
        Sitting("2026-11-27T23:00:00+00:00", None, "epoch 2"),
        Sitting("2026-11-28T08:00:00+00:00", 4.25, "epoch 3 and 5 steps"),
    ]
    assert times_of(stage) == [
        "2026-11-27 22:01:30 UTC: began, took 0:01:15",
        "2026-11-27 23:00:00 UTC: went on after epoch 2, how long it took is not known, as the process was killed",
        "2026-11-28 08:00:00 UTC: went on after epoch 3 and 5 steps, took 4.2 s",
    ]
    assert taken([stage], "made") == "1 made (0:01:19)"
    assert taken([stage], "reused") == ""
    assert (length_of(9.96), moment("yesterday")) == ("10.0 s", "yesterday")


#: what a page says in every language, and what only its script reads
_NAMES = {"LoRA", "lorarecipe", "SHA", "px", "yes", "no"}
_SHOWN = {"alt", "aria-label", "aria-valuetext", "content", "placeholder", "title"}


class _Texts(HTMLParser):
    """Collects what a person reads of a page: texts, and attributes that are read out."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._apart = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._apart = tag in {"script", "style", "pre"}
        if tag != "meta":
            self.texts += [value or "" for name, value in attrs if name in _SHOWN]

    def handle_endtag(self, tag: str) -> None:
        self._apart = False

    def handle_data(self, data: str) -> None:
        if not self._apart:
            self.texts.append(data)


def _constants(node: nodes.Node) -> Iterator[str]:
    """Give the words that an expression may be shown as, but for those that are translated."""
    match node:
        case nodes.Const(value=str(value)):
            yield value
        case nodes.Output() | nodes.And() | nodes.Or() | nodes.CondExpr() | nodes.Concat():
            for inner in node.iter_child_nodes(exclude=["test"]):
                yield from _constants(inner)


def _unmarked(source: str) -> list[str]:
    """Give the texts of a template that stay as they are in every language."""
    tree = pages._template().environment.parse(source)
    texts = _Texts()
    texts.feed("".join(data.data for data in tree.find_all(nodes.TemplateData)))
    texts.close()
    shown = [*texts.texts, *(word for output in tree.find_all(nodes.Output) for word in _constants(output))]
    return [text.strip() for text in shown if {*re.findall("[A-Za-z]{2,}", text)} - _NAMES]


@pytest.mark.parametrize(
    ("source", "unmarked"),
    [
        ("<p>None.</p>", ["None."]),
        ('<p>{{ _("None.") }} {% trans %}None.{% endtrans %}</p>', []),
        ('<b title="of {{ name }}">{{ epoch or "last" }}</b>', ["of", "last"]),
        ('{{ "finding" if one == "a" else pgettext("some", "findings") }}<style>a</style>', ["finding"]),
    ],
)
def test_what_is_unmarked_is_found(source: str, unmarked: list[str]) -> None:
    assert _unmarked(source) == unmarked


def test_every_text_of_the_templates_is_translated() -> None:
    for path in Path(pages.__file__).parent.rglob("*.j2"):
        assert _unmarked(path.read_text("utf-8")) == [], path


def test_the_scripts_of_a_page_say_nothing_by_themselves() -> None:
    """What they say stands in the page, under names that they know, and all of it is said."""
    folder = Path(pages.__file__).parent
    scripts = "".join(
        re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.DOTALL) for path in folder.glob("*.js")
    )
    names = {*re.findall(r'^  "([^"]+)":', (folder / "parts" / "texts.html.j2").read_text("utf-8"), re.MULTILINE)}
    said = {*re.findall(r'say\("([^"]+)"', scripts)}
    built = {"seeds", "renders", "arms", "weights", "epochs", "by arms", "by weights", "by epochs"}
    assert said | built == names
    quoted = re.findall(r'"[^"\n]*"|`[^`]*`', scripts)
    prose = [text for text in quoted if re.search(r"[A-Za-z]{2,} [A-Za-z]{2,}", re.sub(r"\$\{[^}]*\}", "", text))]
    assert {text.strip('"') for text in prose} - names == {"use strict"}


def test_every_filter_of_the_templates_is_there() -> None:
    """Within a condition, jinja looks for a filter only when it gets there."""
    environment = pages._template().environment
    folder = Path(pages.__file__).parent
    for path in folder.rglob("*.j2"):
        tree = environment.parse(path.read_text("utf-8"))
        used = {node.name for node in tree.find_all(jinja2.nodes.Filter)}
        assert used <= environment.filters.keys(), path
