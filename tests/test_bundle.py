"""The archive for a bug report: what is in it, and that nothing private is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import unicodedata
import zipfile
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorarecipe.doctor import bundle as bundle_module
from lorarecipe.doctor.private import Private
from lorarecipe.files import home

_NOISE = st.text(st.sampled_from("abz 09_-/\\.:=\"'{}<>\n\té赤🦊"), max_size=12)
_NAMES = st.text(st.sampled_from("abcXYZ019 _-.'éü赤🦊"), min_size=3, max_size=12).filter(
    lambda name: name.strip(" .") == name and any(letter.isalnum() for letter in name)
)
_TOKENS = st.text(st.sampled_from("abcdefXYZ0123456789"), min_size=20, max_size=40)


def _escaped(text: str) -> list[str]:
    """A text as logs, records, addresses and programs write it."""
    once = json.dumps(text)[1:-1]
    ways = [text, once, json.dumps(once)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1]]
    return [*ways, ascii(text)[1:-1], quote(text), quote(text, safe=""), str(text.encode())[2:-1]]


def _written(name: str) -> list[str]:
    """A name as people and systems write it, too."""
    forms = [unicodedata.normalize("NFD", name), unicodedata.normalize("NFC", name)]
    return [*_escaped(name), *forms, name.upper(), name.lower(), name.replace("\\", "/"), name.replace("/", "\\")]


def _same(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


@given(_NAMES, st.sampled_from(["/home/{}", "/data/people/{}", "C:\\Users\\{}", "D:\\me\\{}"]), st.data())
def test_no_home_folder_survives(name: str, form: str, data: st.DataObject) -> None:
    own = form.format(name)
    private = Private(homes=(own,), users=(name,))
    written = data.draw(st.sampled_from(_written(own)))
    before, after = data.draw(_NOISE), data.draw(st.sampled_from(["", "/", "\\", "/x", "\\\\x", '"', " ", "\n", ":3"]))
    redacted = private.redacted(f"{before}{written}{after}")
    assert _same(written) not in _same(redacted)
    for part in _written(name):
        assert not re.search(rf"(?<![^\W_]){re.escape(_same(part))}(?![^\W_])", _same(redacted))


@given(_NAMES, _NAMES, st.data())
def test_no_name_of_a_user_or_host_survives(user: str, host: str, data: st.DataObject) -> None:
    private = Private(users=(user,), hosts=(host,))
    for name in (user, host):
        written = data.draw(st.sampled_from(_written(name)))
        before = data.draw(
            st.sampled_from(["", "\\n", "\\\\t", "%20", "\x1b[32m", "\\u001b[0m", "\\x1b[1m", "/mnt/", "_"])
        )
        redacted = private.redacted(f"by {before}{written}@there, {written}_1: {written}")
        assert not re.search(rf"(?<![^\W_]){re.escape(_same(written))}(?![^\W_])", _same(redacted))


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=8, max_size=40), st.data())
def test_no_value_of_a_secret_variable_survives(secret: str, data: st.DataObject) -> None:
    written = data.draw(st.sampled_from(_escaped(secret)))
    assert written not in Private(secrets=(secret,)).redacted(f"{data.draw(_NOISE)}|{written}|{data.draw(_NOISE)}")


_FORMS = (
    *("hf_{}", "sk-{}", "sk-proj-{}", "ghp_{}", "github_pat_{}", "glpat-{}", "xoxb-{}", "eyJ{0}.{0}.{0}", "r8_{}"),
    *("Authorization: Bearer {}", "bearer {}", "Authorization: Basic {}", '{{"api_key": "{}"}}', "API-KEY={}"),
    *("--huggingface_token={}", "--huggingface_token {}", "WANDB_API_KEY='{}'", '{{\\"token\\": \\"{}\\"}}'),
    *("https://me:{}@example.org/x", "https://{}@example.org/x", "password: {}", "Cookie: session={}", "X-Api-Key: {}"),
    *("\\nhf_{}", "\x1b[1msk-{}", "%20npm_{}", '["--hf-token", "{}"]'),
)


@pytest.mark.parametrize("form", _FORMS)
@given(token=_TOKENS, before=_NOISE, after=_NOISE)
def test_no_token_survives(form: str, token: str, before: str, after: str) -> None:
    redacted = Private().redacted(f"{before} {form.format(token)} {after}")
    assert token not in redacted
    assert "<secret>" in redacted


@given(st.text(st.sampled_from("0123456789abcdef"), min_size=32, max_size=64))
def test_long_numbers_of_an_environment_go_and_digests_stay(digits: str) -> None:
    private = Private()
    assert digits not in private.redacted(f"LICENCE={digits}\n")
    assert digits not in private.redacted(json.dumps({"LICENCE": digits}))
    record = json.dumps({"sha256": digits, "key": digits})
    assert private.redacted(record) == record


def test_what_is_not_private_stays() -> None:
    text = "lr=1e-4, tokenizer: openai, home/renders, token count 75, a sketch of root causes, max_token_length = 225"
    text += ", mask-figure-by-area, network_alpha_scale, /rooted, task-1234567890, [rooms]"
    assert Private(homes=("/root",), users=("oo",), hosts=("lr2",)).redacted(text) == text


def test_home_folders_of_others_go_too() -> None:
    text = r"/home/anna/x C:\Users\Anna B\x D:\\Users\\bo\\y /Users/cy: file:///home/dee"
    redacted = Private().redacted(text)
    assert not re.search("(?i)anna|bo|cy|dee", redacted)


@pytest.fixture
def owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of somebody with a name, with a token in two places."""
    own = tmp_path / "hm" / "Zoé Quux"
    (own / ".cache" / "huggingface").mkdir(parents=True)
    (own / ".cache" / "huggingface" / "token").write_text("filetokenfiletoken\n")
    monkeypatch.setenv("HOME", str(own))
    monkeypatch.setenv("USER", "zoequux")
    monkeypatch.setenv("MY_SECRET", "opensesame!")
    monkeypatch.setenv("HF_TOKEN", "hf_" + "q" * 30)
    monkeypatch.setenv("LORARECIPE_HOME", str(own / "lora"))
    monkeypatch.setenv("LICENCE", "0123456789abcdef0123")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    return own


def _call(folder: Path, *words: str) -> tuple[int, str, str]:
    argv = [sys.executable, "-m", "lorarecipe", "doctor", *words]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


_LEAKS = (
    "zoé quux",
    "zo\\u00e9 quux",
    "zo%c3%a9",
    "zoequux",
    "opensesame",
    "qqqq",
    "filetoken",
    "0123456789abcdef0123",
)


def test_a_bundle(folder: Path, owner: Path) -> None:
    """Of a run that failed and a bug: their logs, the recipe and the facts are there, and nothing private is."""
    work = owner / "renders"
    folder.rename(work)
    run = home() / "runs" / "0001-20261101-abcd"
    run.mkdir(parents=True)
    recipe = (work / "recipe.toml").read_text("utf-8")
    (work / "recipe.toml").write_text(
        f"# of {os.environ['USER']}, {os.environ['HF_TOKEN']}\n{recipe}", encoding="utf-8"
    )
    record = {
        "began": "2026-11-01",
        "arguments": {"recipes": [str(work / "recipe.toml")], "out": str(work / "out")},
        "versions": {},
        "recipes": [],
        "plan": [],
        "message": f"{os.environ['MY_SECRET']} at {quote(str(owner))}",
    }
    (run / "ledger.json").write_text(json.dumps(record))
    (run / "train-0123.log").write_text(f"Traceback at {owner}/x.py\nBearer {'q' * 20}\nfiletokenfiletoken\n" * 3)
    (home() / "bug.log").write_text(f"arguments: ['{owner}']\nLICENCE=0123456789abcdef0123\n", encoding="utf-8")
    code, out, _ = _call(work, "recipe.toml", "--bundle", "report.zip")
    assert code == 4
    with zipfile.ZipFile(work / "report.zip") as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert [*texts] == [
        "doctor.json",
        "packages.txt",
        "bug.log",
        "recipe.toml",
        "run/ledger.json",
        "run/train-0123.log",
    ]
    assert all(f"  {name}  " in out for name in texts)
    for text in texts.values():
        assert not [leak for leak in _LEAKS if leak in _same(text)]
    assert json.loads(texts["doctor.json"])["ready"] is False
    assert json.loads(texts["run/ledger.json"])["arguments"]["out"] == "<home>/renders/out"
    assert texts["recipe.toml"] == f"# of <user>, <secret>\n{recipe}"
    assert "Traceback at <home>/x.py" in texts["run/train-0123.log"]
    assert re.search(r"^pydantic==", texts["packages.txt"], re.MULTILINE)


def test_nothing_is_overwritten(folder: Path) -> None:
    (folder / "mine.zip").write_text("mine")
    (folder / "link.zip").symlink_to("nowhere")
    for name in ("mine.zip", "link.zip"):
        code, out, err = _call(folder, "--bundle", name)
        assert (code, out) == (2, "")
        assert "is there already, and is not overwritten" in err
    assert (folder / "mine.zip").read_text() == "mine"
    assert not (folder / "nowhere").exists()
    with pytest.raises(FileExistsError):
        bundle_module.write_bundle(folder / "mine.zip", None, ())


def test_json_is_alone_on_the_output(folder: Path) -> None:
    code, out, err = _call(folder, "--json", "--bundle", "report.zip")
    assert (code, json.loads(out)["schema_version"]) == (0, 1)
    assert "packages.txt" in err


def test_the_end_of_a_long_log_begins_with_a_whole_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a token would not be known as one."""
    home().mkdir()
    token = "hf_" + "q" * 40
    (home() / "bug.log").write_text(f"{token}\n{'x' * 20}\n")
    monkeypatch.setattr(bundle_module, "_MOST", 42)
    bundle_module.write_bundle(folder / "report.zip", None, ())
    with zipfile.ZipFile(folder / "report.zip") as archive:
        assert archive.read("bug.log").decode() == f"{'x' * 20}\n"
