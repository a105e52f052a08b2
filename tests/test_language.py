"""The program in Japanese: nothing lacks, what is laid out fits, and everything else stays English."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from babel.messages import Message
from hypothesis import given
from hypothesis import strategies as st

from lorarecipe.cli import main
from lorarecipe.cli.wording import folded
from lorarecipe.language import CATALOGUES, in_context, language, translated
from lorarecipe.measures.advice import advice
from lorarecipe.records import Leak, record_text
from lorarecipe.report.pages import page
from lorarecipe.rules import RULES
from lorarecipe.run import LEAK
from tests.catalogue import brought_up_to_date, compiled, key_of, read, texts
from tests.test_advice import BARE, _row
from tests.test_beside import _story

ROOT = Path(__file__).parents[1]
JAPANESE = CATALOGUES / "ja" / "LC_MESSAGES" / "lorarecipe.po"
SCRIPT = re.compile(r"[ぁ-んァ-ヶ一-龠、。]")
#: what a translation repeats letter for letter
LITERALS = re.compile(
    r"(?<![-\w])--[a-z]+[a-z-]*|\{\w+(?::[^{}]*)?\}|%\(\w+\)s|%%|</?\w+>|\bLORARECIPE_\w+|`[^`]+`|``[^`]+``"
)
CHOOSING = ("LORARECIPE_LANG", "LC_ALL", "LC_MESSAGES", "LANG")


#: gaps for values, and braces that are none
GAPS = re.compile(r"\{+\w*\}+")


def _messages() -> list[Message]:
    return [message for message in read(JAPANESE) if message.id]


def _key(message: Message) -> str:
    return key_of(str(message.id), message.context)


def _call(*words: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    surroundings = {name: value for name, value in os.environ.items() if name not in CHOOSING}
    return subprocess.run(
        [sys.executable, "-m", "lorarecipe", *words],
        env=surroundings | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"} | env,
        capture_output=True,
        check=False,
    )


def _said(*words: str, **env: str) -> str:
    done = _call(*words, **env)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode()


def test_no_text_lacks_a_translation() -> None:
    known = {_key(message) for message in _messages() if message.string}
    assert [f"{source}: {text}" for text, source in texts().items() if text not in known] == []


def test_no_translation_is_of_a_text_that_is_gone() -> None:
    assert {_key(message) for message in _messages()} - texts().keys() == set()


def test_the_compiled_catalogue_is_that_of_the_text() -> None:
    found = JAPANESE.with_suffix(".mo").read_bytes()
    assert found == compiled(brought_up_to_date(read(JAPANESE))), "run: python -m tests.catalogue"


def test_a_translation_is_japanese_and_keeps_what_is_no_language() -> None:
    for message in _messages():
        assert SCRIPT.search(str(message.string)), message.id
        english, japanese = (" ".join(str(text).split()) for text in (message.id, message.string))
        assert {*LITERALS.findall(japanese)} == {*LITERALS.findall(english)}, message.id


def test_a_rule_has_a_line_that_sums_it_up() -> None:
    japanese = {message.id: str(message.string) for message in _messages()}
    for rule in RULES.values():
        summary, blank, *_ = japanese[inspect.cleandoc(rule.__doc__ or "")].split("\n")
        assert summary.endswith("。")
        assert blank == ""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--help"], "画像とキャプションを検査します。"),
        (["-h"], "使い方: lorarecipe [OPTIONS] COMMAND [ARGS]..."),
        (["check", "--help"], "確実な修正だけを書き込みます。"),
        (["help", "check"], "確実な修正だけを書き込みます。"),
        (["store", "gc", "--help"], "それらを削除します。"),
        (["rules"], "TGT001  error    ターゲットのキャプション"),
        (["rule", "TGT001"], "TGT001 (error): ターゲットのキャプション"),
    ],
)
def test_the_program_in_japanese(words: list[str], expected: str) -> None:
    assert expected in _said(*words, LORARECIPE_LANG="ja")


@pytest.mark.parametrize("name", ["", *main.list_commands(main.context_class(main))])
def test_help_in_japanese_fits_a_terminal(name: str) -> None:
    words = [name, "--help"] if name else ["--help"]
    usage, _, rest = _said(*words, LORARECIPE_LANG="ja", COLUMNS="80").partition("\n")
    assert usage.startswith("使い方: ")
    assert "\nオプション:\n" in rest
    assert [line for line in rest.splitlines() if _columns(line) > 80] == []
    assert not re.search(r"^ *[、。」）)]", rest, re.MULTILINE)


def test_what_programs_read_stays_english() -> None:
    assert _said("rule", "TGT001", "--json", LORARECIPE_LANG="ja") == _said("rule", "TGT001", "--json")
    assert _said("rules", "--json", LORARECIPE_LANG="ja") == _said("rules", "--json")


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({}, "en"),
        ({"LANG": "ja_JP.UTF-8"}, "ja"),
        ({"LANG": "ja"}, "ja"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "ja_JP.eucJP"}, "ja"),
        ({"LANG": "ja_JP.UTF-8", "LC_MESSAGES": "en_US.UTF-8"}, "en"),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": "", "LC_MESSAGES": ""}, "ja"),
        ({"LANG": "jam_JM.UTF-8"}, "en"),
        ({"LANG": "ja_JP.UTF-8", "LORARECIPE_LANG": "en"}, "en"),
        ({"LANG": "en_US.UTF-8", "LORARECIPE_LANG": "ja"}, "ja"),
        ({"LANG": "de_DE.UTF-8", "LORARECIPE_LANG": "JA-jp"}, "ja"),
        ({"LANG": "ja_JP.UTF-8", "LORARECIPE_LANG": "tlh"}, "en"),
        ({"LORARECIPE_LANG": "../../etc"}, "en"),
    ],
)
def test_how_the_language_is_chosen(env: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CHOOSING:
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert language() == expected
    assert (translated("Options") == "オプション") == (expected == "ja")


def test_the_locale_of_a_process_chooses() -> None:
    assert "使い方" in _said("check", "--help", LC_ALL="ja_JP.UTF-8")
    english = _said("check", "--help")
    assert english.startswith("Usage: ")
    assert _said("check", "--help", LORARECIPE_LANG="tlh", LANG="ja_JP.UTF-8") == english


@pytest.mark.parametrize("words", [["--help"], ["rules"], ["rule", "TGT001"]])
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_pipe_that_cannot_carry_japanese(encoding: str, words: list[str]) -> None:
    assert "\\u" in _said(*words, LORARECIPE_LANG="ja", PYTHONIOENCODING=encoding) or encoding == "ascii"


def test_a_locale_without_an_encoding() -> None:
    assert "使い方" in _said("--help", LORARECIPE_LANG="ja", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")


@pytest.mark.parametrize("encoding", ["euc_jp", "cp932"])
def test_the_other_encodings_of_japanese(encoding: str) -> None:
    assert "使い方" in _call("--help", LORARECIPE_LANG="ja", PYTHONIOENCODING=encoding).stdout.decode(encoding)


def test_english_needs_no_catalogue() -> None:
    script = (
        "import sys, lorarecipe.language as l; assert l.translated('Options') == 'Options'; "
        "print('gettext' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout == b"False\n"


def test_advice_in_japanese(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [BARE, _row("target", 0.6, 0.1, 0.0, 15.0), _row("target", 0.8, 0.15, 0.1, 9.0, epoch=2)]
    advised = advice(rows)
    assert advised is not None
    assert translated(advised.use) == "Use epoch 2 at weight 0.8"
    monkeypatch.setenv("LORARECIPE_LANG", "ja")
    assert advice(rows) == advised  # a record is English
    assert translated(advised.use) == "エポック 2 を強度 0.8 で使ってください"
    why = translated(advised.reason)
    assert why.startswith("漏れの少ないものの中で、最もキャラクターに似ているためです（色のずれ 9.0, 3D っぽさ")
    assert why.endswith("白い縁 15%（LoRA なしでは 10%））")


def test_the_last_lines_of_a_run_have_the_advice_in_japanese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORARECIPE_LANG", "ja")
    advised = advice([BARE, _row("target", 0.6, 0.1, 0.0, 15.0)])
    said = translated(f"Advice  {advised}.")
    assert said.startswith("推奨    最後のエポックを強度 0.6 で使ってください: 漏れの少ないものの中で")
    assert said.endswith("。")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["chek"], "エラー: 'chek' というコマンドはありません（check のことですか？）"),
        (["check", "none.toml"], "none.toml:1: 'none.toml' を読めません"),
        (["check", "x", "--bogus"], "エラー: '--bogus' というオプションはありません。"),
    ],
)
def test_errors_in_japanese(words: list[str], expected: str) -> None:
    done = _call(*words, LORARECIPE_LANG="ja")
    assert done.returncode == 2
    assert expected in done.stderr.decode()


def test_a_page_is_in_one_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = (BARE, _row("target", 0.6, 0.1, 0.0, 15.0))
    (tmp_path / LEAK).write_text(record_text(Leak(("k",), advice(rows), rows, (), ())), "utf-8")
    drawn = {}
    for code in ("en", "ja"):
        monkeypatch.setenv("LORARECIPE_LANG", code)
        drawn[code] = page([_story(tmp_path)], tmp_path / "report.html").decode()
        assert f'<html lang="{code}">' in drawn[code]
    assert "<strong>Use the last epoch at weight 0.6</strong>: it is the most like the character" in drawn["en"]
    assert "without the LoRA). No number says by itself which is best: look at the pictures.</p>" in drawn["en"]
    assert re.search(r"<strong>[^<]*最後のエポック[^<]*強度 0.6[^<]*</strong>: 漏れの少ないものの中で", drawn["ja"])
    assert "））。どれが最良かは数値だけでは決まりません。" in drawn["ja"]
    for words in ("What leaks", "What aoi leaks", "how far the picture is", ">epoch<", "No number says", "Nothing is"):
        assert words in drawn["en"]
        assert words not in drawn["ja"]


def test_a_word_is_translated_where_it_is_known_to_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORARECIPE_LANG", "ja")
    assert in_context("weight", "column") == "強度"
    assert in_context("fail", "verdict") == "不合格"
    assert in_context("fail", "column") == translated("fail") == "fail"
    assert in_context("not made", "outcome") == translated("not made") != "not made"
    assert in_context("weight {name}", "column") == "weight {name}"
    monkeypatch.setenv("LORARECIPE_LANG", "en")
    assert in_context("weight", "column") == "weight"


@given(st.text("あア漢（、。」) aB-\n", max_size=80), st.integers(10, 40))
def test_folding_loses_nothing_and_keeps_the_width(text: str, width: int) -> None:
    lines = [line for line in folded(text, width).split("\n") if line != "\b"]
    assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", text)
    for line in lines:
        assert _columns(line) <= width or " " not in line.strip()


def _columns(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in line)
