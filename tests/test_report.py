from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from string import ascii_letters
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from lorarecipe import language
from lorarecipe.demo import Figure, draw
from lorarecipe.events import Event
from lorarecipe.phrases import CONTEXT, Phrases
from lorarecipe.report import page as draw_page
from lorarecipe.report import stories_of, write
from lorarecipe.report.thumbs import small_copy
from lorarecipe.run import find_run
from lorarecipe.run.form import FileRecord, RecipeRecord
from lorarecipe.store import Store
from lorarecipe.trainer import find_trainer
from tests import test_alone as alone
from tests.catalogue import texts
from tests.renders import demo_renders
from tests.test_pictures import FINISHED_BASE, RECIPE, trained_base

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parent.parent
BAKED = "aoi-baked.safetensors at weight 1.0 is aoi.safetensors at weight 1.25."
#: Debian's, or any other that is there
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


_WIDE = {ord(letter): ord(letter) + 0xFEE0 for letter in ascii_letters}
#: what a translation keeps
_KEPT = re.compile(r"(\{[^{}]*\}|%\(\w+\)s|%%|<[^>]*>)")
#: what a page shows in every language: names, tags, units
_DATA = """\
aoi base nano toml lr group girl red green hair long short blue yellow dress forest beach white background arms at sides full upper body from behind
lorarecipe LoRA UTC px SET warning""".split()
#: all that a page says, but for what is no language: commands, recipes, settings, files
_SAID = """
() => {
  const apart = "script, style, pre, code, #check details:not(.findings), h4 + ul, #made > details";
  const said = [document.title];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) if (!walker.currentNode.parentElement.closest(apart)) said.push(walker.currentNode.data);
  for (const name of ["alt", "aria-label", "aria-valuetext", "title", "placeholder"])
    for (const one of document.querySelectorAll(`[${name}]`)) if (!one.closest(apart)) said.push(one.getAttribute(name));
  return said.filter((text) => !text.startsWith("image/svg"));
}
"""


def _lorarecipe(place: Path, *words: str, code: int = 0) -> str:
    env = os.environ | {"PYTHONPATH": str(ROOT), "LORARECIPE_HOME": str(place / "home"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "lorarecipe", *words], cwd=place, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of a target with a control arm, samples of two epochs and a gate; the second changes the weights."""
    place = tmp_path_factory.mktemp("report")
    demo_renders(place / "renders")
    text = RECIPE.replace(FINISHED_BASE, trained_base(steps=4))
    text = text.replace("weights = [0, 1]", "weights = [0, 0.8, 1]")
    text += "\n[deliver]\nweight = 1.25\n\n[rules]\n" + "".join(
        f'{code} = {{ severity = "ignore", reason = "a test" }}\n' for code in ("SET005", "SET006", "SET007", "SET009")
    )
    (place / "aoi.toml").write_text(text, encoding="utf-8")
    told = _lorarecipe(place, "run", "aoi.toml").splitlines()
    assert told[-1] == "out/aoi/report.html"
    return place


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    binary = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    if not binary:
        pytest.skip("no Chromium here, with which the page is tested; apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, place: Path) -> Iterator[Page]:
    """The page, opened; at the end, there was no error and no request off the machine."""
    told, asked = [], []
    page = browser.new_page(viewport={"width": 1100, "height": 900})
    page.on("console", lambda message: told.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((place / "out" / "aoi" / "report.html").as_uri())
    yield page
    page.close()
    assert told == []
    assert {url.partition(":")[0] for url in asked} <= {"file", "data"}
    assert not [url for url in asked if url.startswith("file") and not url.endswith((".html", ".png"))]


def _value(page: Page, script: str) -> str:
    return str(page.evaluate(script))


def test_sliders_by_keyboard(page: Page) -> None:
    assert page.locator("#weight-text").inner_text() == "1"
    assert page.locator("#epoch-text").inner_text() == "last"
    page.focus("#weight")
    page.keyboard.press("ArrowLeft")
    assert page.locator("#weight-text").inner_text() == "0.8"
    page.focus("#epoch")
    page.keyboard.press("ArrowLeft")
    assert page.locator("#epoch-text").inner_text() == "1"
    heads = page.locator("#grid thead th").all_inner_texts()
    # the control arm and the base have no other weight and epoch than they were drawn with
    assert {*heads} == {
        "seed",
        "renders",
        "without",
        "base, weight 1, epoch last",
        "control, weight 0.8, epoch 1",
        "target, weight 0.8, epoch 1",
    }
    page.reload()
    assert page.locator("#weight-text").inner_text() == "0.8"


def test_columns_of_the_grid(page: Page) -> None:
    """A group of rows for each prompt, a row for each seed; what the columns share stands above them."""
    for way, title, heads in (
        ("weights", "Each column is a weight of target, epoch last", ["weight 0.8", "weight 1"]),
        ("epochs", "Each column is an epoch of target at weight 1", ["epoch 1", "epoch last"]),
    ):
        page.select_option("#columns", way)
        assert page.locator("#grid caption").inner_text() == title
        assert page.locator("#grid thead th").all_inner_texts() == ["seed", "renders", *heads]
        prompts = page.locator("#grid tbody").filter(has=page.locator("th[scope=rowgroup]"))
        assert prompts.count() == page.locator("#grid tbody").count() == 3
        rows = page.locator("#grid tbody tr:has(th[scope=row])")
        assert [rows.nth(at).locator("td > a img").count() for at in range(rows.count())] == [2] * rows.count()


def test_the_heads_stay_in_sight(page: Page) -> None:
    page.locator("#size").fill("512")
    page.select_option("#columns", "weights")
    page.locator(".sheet").evaluate("sheet => sheet.scrollTo(300, 600)")
    left, top = page.locator(".sheet").evaluate(
        "sheet => { const b = sheet.getBoundingClientRect(); return [b.x, b.y]; }"
    )
    head = page.locator("#grid thead th").nth(3).bounding_box()
    seed = page.locator("#grid thead th").first.bounding_box()
    assert head
    assert seed
    assert abs(head["y"] - top) < 3  # the border of the sheet
    assert abs(seed["x"] - left) < 3


def test_renders_stand_beside_what_is_judged_against_them(page: Page) -> None:
    strip = page.locator(".renders[data-story] img").evaluate_all("images => images.map(image => image.src)")
    assert len(strip) == 4
    for place in ("#compare-renders", "#grid tbody:first-of-type .references"):
        shown = page.locator(f"{place} .reference img")
        assert {*shown.evaluate_all("images => images.map(image => image.src)")} <= {*strip}
        assert (shown.first.get_attribute("alt") or "").startswith("render of aoi: ")
    page.locator(".dot").first.focus()
    assert page.locator(".point-pictures .reference img").count() >= 1
    page.locator("#gate summary").first.click()
    assert page.locator("#gate details[open] .renders img").count() == 8  # the base's own


def test_likeness_against_leak(page: Page) -> None:
    """Every use that was drawn is a point; the pictures of one are shown by keyboard and by mouse."""
    dots = page.locator(".dot")
    named = [dots.nth(at).get_attribute("aria-label") or "" for at in range(dots.count())]
    uses = {name.partition(":")[0] for name in named}
    assert {"target, last epoch, weight 1", "target, epoch 1, weight 0.8", "control, last epoch, weight 1"} <= uses
    assert sum("recommended" in name for name in named) == page.locator(".ring").count() == 1
    assert not [name for name in named if name.startswith("control") and "front" in name]
    at = next(at for at, name in enumerate(named) if name.startswith("target, last epoch, weight 1:"))
    dots.nth(at).focus()
    assert page.locator(".point").inner_text() == named[at]
    shown = page.locator(".point-pictures a img")
    assert shown.count() == page.locator("#grid tbody th[scope=row]").count()
    assert "target, weight 1:" in (shown.first.get_attribute("alt") or "")
    other = next(at for at, name in enumerate(named) if name.startswith("control, last epoch, weight 1:"))
    dots.nth(other).dispatch_event("pointerenter")  # two uses may stand at one point
    assert page.locator(".point").inner_text() == named[other]


def test_the_divider_by_mouse_and_keyboard(page: Page) -> None:
    at = "document.querySelector('.stack').style.getPropertyValue('--at')"
    assert _value(page, at) == "50%"
    page.locator(".stack").scroll_into_view_if_needed()
    box = page.locator(".stack").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    assert 22 <= int(_value(page, at).rstrip("%")) <= 28
    page.focus("#divider")
    page.keyboard.press("Home")
    assert _value(page, at) == "0%"
    page.keyboard.press("ArrowRight")
    assert _value(page, at) == "1%"
    page.select_option("#left", "without")
    assert page.locator("#left-picture").get_attribute("alt") == "without, weight 0: 1girl"
    assert page.locator("#compare-text").inner_text() == "without | target: 1girl, seed 1"


@pytest.mark.parametrize(("width", "scheme"), [(1100, "light"), (1100, "dark"), (390, "light"), (390, "dark")])
def test_everybody_can_use_it(page: Page, width: int, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    for details in page.locator("details").all():
        details.evaluate("element => element.open = true")
    found = Axe().run(page).response["violations"]
    grave = [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in {"serious", "critical"}]
    assert grave == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_what_it_tells(page: Page, place: Path) -> None:
    text = page.locator("body").inner_text()
    for told in (
        "finished",
        "Gate: is the base good?",
        "What leaks",
        "4 images x 1 repeat",
        "tensorboard --logdir",
        BAKED,
    ):
        assert told in text
    assert page.locator("#curves figure.plot").count() == 2 * 3  # loss and rate of base, target and control
    assert "each of its points is the mean of" not in text  # two steps are not smoothed
    links = page.locator("#grid a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert all((place / "out" / "aoi" / link).is_file() for link in links)
    assert "samples/control/00_1_1.png" in links


def test_of_several_runs(browser: Browser, place: Path) -> None:
    _lorarecipe(place, "run", "aoi.toml")
    names = [run.split()[0] for run in _lorarecipe(place, "runs").splitlines()]
    assert len(names) == 2
    assert _lorarecipe(place, "report", *names).splitlines() == ["report.html"]
    page = browser.new_page()
    page.goto((place / "report.html").as_uri())
    arms = page.locator("#left option").all_inner_texts()
    assert len(arms) == 8
    assert {arm.split(" ")[0] for arm in arms} == {*names}
    assert page.locator("#left").input_value() != page.locator("#right").input_value()
    page.close()
    (place / "mine.html").write_text("<p>mine</p>", encoding="utf-8")
    _lorarecipe(place, "report", *names, "--to", "mine.html", code=4)
    assert (place / "mine.html").read_text("utf-8") == "<p>mine</p>"


def test_long_names_wrap_on_a_phone(browser: Browser, place: Path) -> None:
    run, store = find_run(place / "home" / "runs", "last"), Store(place / "home" / "store")
    long = f"/home/me/{'renders_of_a_character_' * 12}/image.png"
    findings = [f"{long}:1:1: SET005 warning found {number}, {'x' * 200}" for number in range(3)]
    run.record.findings = [*findings, "a line of no rule"]
    run.record.files["aoi"].append(FileRecord(path=long, sha256="0" * 64))
    run.record.recipes.append(RecipeRecord(path=long, sha256="0" * 64, text=long))
    stories = stories_of(run, find_trainer("embedded"), store)
    path = place / "out" / "aoi" / "long.html"
    path.write_bytes(draw_page(stories, path))
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(path.as_uri())
    summaries = page.locator(".findings summary").all_inner_texts()
    assert summaries == [
        "1 finding of no known rule",
        "3 findings of SET005: The base has fewer than four characters.",
    ]
    assert not page.locator(".findings li").first.is_visible()
    for details in page.locator("details").all():
        details.evaluate("element => element.open = true")
    assert page.locator(".findings li").count() == 4
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()


@pytest.fixture
def wide_language(monkeypatch: pytest.MonkeyPatch) -> None:
    """A language that says everything in letters of full width."""

    def widened(text: str) -> str:
        parts = enumerate(_KEPT.split(text))
        return "".join(part if at % 2 else part.translate(_WIDE) for at, part in parts)

    phrases = Phrases({text: widened(text.rpartition(CONTEXT)[2]) for text in texts()})
    monkeypatch.setenv("LORARECIPE_LANG", "ja")
    monkeypatch.setattr(language, "_phrases", lambda _: phrases)


def test_everything_on_it_is_in_the_language_of_the_user(browser: Browser, place: Path, wide_language: None) -> None:
    run, store = find_run(place / "home" / "runs", "last"), Store(place / "home" / "store")
    run.record.findings = ["aoi.toml:12:1: SET005 warning found 3 characters, expected 4"]
    path = place / "out" / "aoi" / "wide.html"
    path.write_bytes(draw_page(stories_of(run, find_trainer("embedded"), store), path))
    page = browser.new_page()
    page.goto(path.as_uri())
    page.locator(".dot").first.focus()
    said = []
    for way in ("arms", "weights", "epochs"):
        page.select_option("#columns", way)
        said += page.evaluate(_SAID)
    page.locator("button.copy").first.dispatch_event("click")
    page.wait_for_function("document.querySelector('button.copy').textContent !== 'Ｃｏｐｙ'")
    said += page.evaluate(_SAID)
    page.close()
    assert len(said) > 1000
    english = {text for text in said if {*re.findall(r"[A-Za-z]{2,}", text)} - {*_DATA}}
    assert english == set()


def test_settings_by_their_tables(page: Page) -> None:
    tables = page.locator("#check summary").all_inner_texts()
    assert any(table.startswith("[target.training]: ") and "buckets" in table for table in tables)
    page.locator("#check summary", has_text="[merge]").click()
    rows = page.locator("#check details[open] tbody tr")
    assert rows.all_inner_texts() == ['mode\t"checkpoint"\tdefault', "strength\t1\tdefault"]
    page.locator("#check summary", has_text="[deliver]").click()
    assert page.locator("tr.differs:visible").all_inner_texts() == ["weight\t1.25\tdiffers from default: not set"]


def test_what_was_reused_says_when_it_was_made(browser: Browser, place: Path) -> None:
    _lorarecipe(place, "run", "aoi.toml")
    page = browser.new_page()
    page.goto((place / "out" / "aoi" / "report.html").as_uri())
    stages = page.locator(".stages > li")
    told = stages.all_inner_texts()
    assert all("reused" in text for text in told)
    times = stages.locator(".times").all_inner_texts()
    assert len(times) == len(told)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC: began, took [\d.:]+( s)?", text) for text in times)
    page.close()


def test_pictures_to_pick_from(browser: Browser, tmp_path: Path) -> None:
    """They stand below the renders of the character; what is marked becomes a table of the recipe."""
    demo_renders(tmp_path / "renders")
    text = alone.RECIPE.replace('"plain"', '"distill"') + alone.DISTILL
    (tmp_path / "aoi.toml").write_text(text, encoding="utf-8")
    _lorarecipe(tmp_path, "run", "aoi.toml")
    page = browser.new_page()
    page.goto((tmp_path / "out" / "aoi" / "report.html").as_uri())
    assert page.locator(".pick .renders img").count() == 4
    assert page.locator(".pick .picks").inner_text() == "[distill]\npicks = []"
    page.locator(".pick input").nth(1).check()
    assert page.locator(".pick .picks").inner_text() == '[distill]\npicks = ["00_0.5_2.png"]'
    page.close()


def test_drawn_again(place: Path) -> None:
    report = place / "out" / "aoi" / "report.html"
    before = report.read_text("utf-8")
    report.unlink()
    assert _lorarecipe(place, "report", "last").splitlines() == [str(report)]
    assert len(report.read_text("utf-8")) == pytest.approx(len(before), rel=0.2)
    report.write_text("<p>mine</p>", encoding="utf-8")
    assert _lorarecipe(place, "report", "last") == ""
    assert report.read_text("utf-8") == "<p>mine</p>"


@pytest.mark.parametrize(("seconds", "apart"), [(0.25, 30), (2.0, 100)])
def test_pages_take_a_fiftieth_of_the_time_at_most(
    monkeypatch: pytest.MonkeyPatch, seconds: float, apart: float
) -> None:
    now, begun = 0.0, list[float]()

    def draw_page(*_: object) -> None:
        nonlocal now
        begun.append(now)
        now += seconds

    def events() -> Iterator[Event]:
        nonlocal now
        for _ in range(500):
            now += 1
            yield Event()

    monkeypatch.setattr(write, "time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(write, "write_report", draw_page)
    nothing: Any = None
    assert len(list(write.refreshed(events(), nothing, nothing, nothing))) == 500
    gaps = [later - before - seconds for before, later in pairwise(begun)]
    assert begun[0] == 31
    assert gaps
    assert all(apart < gap <= apart + 1 for gap in gaps)


def test_the_passport(place: Path) -> None:
    told = json.loads((place / "out" / "aoi" / "passport.json").read_text("utf-8"))
    assert [gate["of"] for gate in told["gate"]] == ["base", "merged"]
    assert told["cast"] == [
        {"traits": ["red hair", "long hair", "blue dress"], "images": 4, "repeats": 1},
        {"traits": ["green hair", "short hair", "yellow dress"], "images": 4, "repeats": 1},
    ]
    assert told["network"] == {"module": "networks.lora", "modules": 84, "rank": 2, "alpha": 2.0}
    assert told["captions"]["full body"] == 4
    places = [picture["path"] for gate in told["gate"] for picture in gate["pictures"]]
    assert len(places) == 6
    assert all((place / "out" / "aoi" / path).is_file() for path in places)


def test_a_hundred_small_copies_are_small(tmp_path: Path) -> None:
    sizes = []
    for number in range(10):
        path = tmp_path / f"{number}.png"
        draw(Figure("red hair", "long hair", background="forest"), "3d", 512, number).save(path)
        sizes.append(len(small_copy(path) or ""))
    noise = Image.effect_noise((512, 512), 60).convert("RGB")
    noise.save(tmp_path / "noise.png")
    assert sum(sizes) * 10 < 1_000_000
    assert len(small_copy(tmp_path / "noise.png") or "") * 100 < 6_000_000  # which no picture is
    assert small_copy(tmp_path / "none.png") is None
