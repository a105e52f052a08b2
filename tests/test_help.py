"""``lorarecipe help``: pages in the package, the README beside them, and what shells complete."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from lorarecipe.cli import main
from lorarecipe.help import page, topics
from lorarecipe.rules import RULES

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "lorarecipe" / "help"
PROGRAM = Path(sys.executable).with_name("lorarecipe")


def _run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, words)
    return done.exit_code, done.output


def test_topics_are_listed_with_their_titles() -> None:
    code, output = _run("help")
    assert code == 0
    for name, title in topics().items():
        assert re.search(rf"^{name} +{re.escape(title)}$", output, re.MULTILINE)


@pytest.mark.parametrize("topic", topics())
def test_a_page_is_printed_as_it_is(topic: str) -> None:
    code, output = _run("help", topic)
    assert (code, output) == (0, page(topic).rstrip() + "\n")
    assert "[[[" not in output
    assert output.startswith("# ")


def test_the_help_of_a_command() -> None:
    assert _run("help", "check") == _run("check", "--help")


def test_an_unknown_topic_names_what_was_perhaps_meant() -> None:
    code, output = _run("help", "recipee")
    assert code == 2
    assert "'recipee' is neither a topic nor a command; did you mean recipe?" in output
    assert "run `lorarecipe help` for the list" in _run("help", "qqqq")[1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["chek"], "'chek' is no command; did you mean check?"),
        (["qqqq"], "'qqqq' is no command"),
        (["rule", "tgt01"], "'tgt01' is no rule; did you mean TGT001?"),
    ],
)
def test_a_slip_names_what_was_perhaps_meant(words: list[str], message: str) -> None:
    code, output = _run(*words)
    assert code == 2
    assert message in output


def test_the_readme_is_short_and_links_each_page() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert len(readme.encode()) <= 10 * 1024
    assert all(f"(lorarecipe/help/{name}.md)" in readme for name in topics())


@pytest.mark.parametrize("document", [ROOT / "README.md", *PAGES.glob("*.md")], ids=lambda path: path.stem)
def test_links_lead_to_files(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", document.read_text("utf-8"))
    assert [link for link in links if "://" not in link and not (document.parent / link).exists()] == []


def test_the_japanese_page_names_the_commands_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    code = re.findall(r"```\w*\n(.*?)```|`([^`\n]+)`", page("japanese"), re.DOTALL)
    commands = [block or inline for block, inline in code if "lorarecipe " in (block or inline)]
    assert len(commands) > 15
    assert [one for one in commands if one not in readme and one not in _ELSEWHERE] == []


#: commands of the Japanese page that the README shows in its tables
_ELSEWHERE = {"lorarecipe help promises", "lorarecipe help", "lorarecipe rule CODE", "lorarecipe doctor"}


def _completed(line: str, home: Path) -> list[str]:
    words = line.split(" ")
    asked = {"_LORARECIPE_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    done = subprocess.run(
        [PROGRAM], env=os.environ | asked | {"LORARECIPE_HOME": str(home)}, capture_output=True, text=True, check=True
    )
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


def test_commands_rules_topics_and_runs_are_completed(tmp_path: Path) -> None:
    (tmp_path / "runs" / "2026-11-27-akane").mkdir(parents=True)
    assert _completed("lorarecipe ch", tmp_path) == ["check"]
    assert _completed("lorarecipe rule tgt", tmp_path) == [code for code in RULES if code.startswith("TGT")]
    assert _completed("lorarecipe help prom", tmp_path) == ["promises"]
    assert _completed("lorarecipe show aka", tmp_path) == ["2026-11-27-akane"]
    assert _completed("lorarecipe diff last ", tmp_path) == ["last", "2026-11-27-akane"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_the_script_of_each_shell(shell: str, tmp_path: Path) -> None:
    done = subprocess.run([PROGRAM, "completion", shell], capture_output=True, text=True, check=True)
    assert "_LORARECIPE_COMPLETE" in done.stdout
    assert "lorarecipe" in done.stdout
    script = tmp_path / "script"
    script.write_text(done.stdout, encoding="utf-8")
    if shell != "powershell" and shutil.which(shell):
        subprocess.run([shell, "-n", script], check=True)


def test_powershell_gets_a_line_for_each_completion() -> None:
    asked = {"_LORARECIPE_COMPLETE": "powershell_complete", "COMP_WORDS": "lorarecipe ru", "COMP_CWORD": "ru"}
    done = subprocess.run([PROGRAM], env=os.environ | asked, capture_output=True, text=True, check=True)
    assert [line.split("\t")[:2] for line in done.stdout.splitlines()] == [
        ["plain", "rule"],
        ["plain", "rules"],
        ["plain", "run"],
        ["plain", "runs"],
    ]
