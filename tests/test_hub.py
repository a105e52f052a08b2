"""Files on a hub: addresses, what they mean, and fetching; with the real huggingface_hub and a stand-in of the hub."""

from __future__ import annotations

import os
import signal
import string
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from huggingface_hub.utils._xet_progress_reporting import XetDownloadProgressReporter
from hypothesis import given
from hypothesis import strategies as st

from lorarecipe import hub as ours
from lorarecipe.errors import NetworkFailed
from lorarecipe.files import home
from lorarecipe.hub import (
    Address,
    AddressError,
    NotOnTheHub,
    address_of,
    digested,
    fetch,
    fetched_bytes,
    hub_folder,
    read_address,
    resolve,
)
from lorarecipe.hub.address import Kind
from tests.hub import Hub
from tests.hub_repository import sha256

CONTENT = bytes(range(256)) * 4000
FILES = {
    "base.safetensors": CONTENT,
    "images/1.png": b"png",
    "images/1.txt": b"red hair, short hair",
    "images/deep/ü [1] #2.txt": b"odd",
    "README.md": b"",
}
TOKEN = "hf_of_the_test"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with Hub() as hub:
        hub.use(monkeypatch)
        yield hub


_names = st.from_regex(r"[A-Za-z0-9_]([A-Za-z0-9_.]{0,20}[A-Za-z0-9_])?", fullmatch=True)
_parts = st.text(st.characters(categories=("L", "N", "P", "S"), exclude_characters="/\\"), min_size=1, max_size=12)
_paths = st.lists(_parts.filter(lambda part: part not in {".", ".."}), max_size=4).map("/".join)
_revisions = st.text(string.ascii_letters + string.digits + "-_+#ü", min_size=1, max_size=20).filter(
    lambda text: not text.startswith("-")
) | st.sampled_from(["refs/pr/1", "v1.0", "a" * 40, "feature/x"])
_kinds: st.SearchStrategy[Kind] = st.sampled_from(["models", "datasets"])


@given(_kinds, _names, _names, _paths, _revisions)
def test_an_address_is_read_as_it_was_written(kind: Kind, owner: str, name: str, path: str, revision: str) -> None:
    if ".." in owner + name or name.endswith(".git") or owner in {"models", "datasets"}:
        return
    address = Address(kind, f"{owner}/{name}", path, revision)
    assert read_address(str(address)) == address


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        address = read_address(f"hf://{text}")
    except AddressError:
        return
    assert read_address(str(address)) == address
    assert not Path(address.path).is_absolute()
    assert ".." not in Path(address.path).parts


@pytest.mark.parametrize(
    ("text", "path", "revision"),
    [
        ("hf://aki/bases", "", "main"),
        ("hf://models/aki/bases/a.safetensors", "a.safetensors", "main"),
        ("hf://aki/bases/a/b.safetensors@v1.0", "a/b.safetensors", "v1.0"),
        ("hf://aki/bases@v1.0/a/b@2x.png", "a/b@2x.png", "v1.0"),
        ("hf://aki/bases/b@2x.png@refs/pr/1", "b@2x.png", "refs/pr/1"),
        ("hf://aki/bases@refs", "", "refs"),
    ],
)
def test_forms_of_addresses(text: str, path: str, revision: str) -> None:
    assert read_address(text) == Address("models", "aki/bases", path, revision)


_WRONG = [
    "",
    "aki",
    "aki/",
    "/bases",
    "a b/c",
    "aki/bases/../x",
    "aki/bases/a//x",
    "aki/bases/x@",
    "aki/b--c",
    "aki/b.git",
]
_WRONG += ["-aki/bases", "aki/bases-", "aki/bases.", "aki/bases@refs/pr/1/x", "aki/bases/a\\b", "aki/bases/x@a..b"]
_WRONG += ["aki/bases/\x1b[31m", "aki/bases/x@a b", "aki/" + "b" * 93]


@pytest.mark.parametrize("rest", _WRONG)
def test_what_is_no_address(rest: str) -> None:
    with pytest.raises(AddressError, match="expected an address like hf://OWNER/REPO/FILE"):
        read_address(f"hf://{rest}")


def test_a_path_beside_stays_in_the_repository() -> None:
    folder = Address("datasets", "aki/set", "recipes/a", "c" * 40)
    assert str(folder.beside("../renders/red")) == f"hf://datasets/aki/set/recipes/renders/red@{'c' * 40}"
    assert folder.beside("..\\..\\x").path == "x"
    with pytest.raises(AddressError, match="leads out of hf://datasets/aki/set/recipes/a@"):
        folder.beside("../../../x")
    place = folder.place
    assert address_of(place) == folder
    assert address_of(home()) is None
    assert address_of(hub_folder() / "datasets") is None


def test_an_address_means_a_commit_sizes_and_digests(hub: Hub) -> None:
    first = hub.add("models/aki/bases", FILES)
    hub["models/aki/bases"].refs["v1"] = first
    hub.add("models/aki/bases", {"base.safetensors": b"new"})
    found = resolve(read_address("hf://aki/bases/base.safetensors@v1"))
    assert (found.address.revision, found.is_folder, found.size) == (first, False, len(CONTENT))
    assert found.digest == sha256(CONTENT)
    hub.page = 2
    folder = resolve(read_address("hf://aki/bases/images@v1"))
    assert [file.path for file in folder.files] == ["1.png", "1.txt", "deep/ü [1] #2.txt"]
    assert [len(file.digest) for file in folder.files] == [64, 40, 40]
    assert resolve(read_address("hf://aki/bases@v1")).size == sum(map(len, FILES.values()))
    assert hub.count("GET", "/cdn/") == 0


def test_a_branch_that_moved_means_another_commit_but_not_within_a_process(hub: Hub) -> None:
    """Two processes; one and the same process keeps what it learned, so that a run has one checkpoint."""
    first = hub.add("models/aki/bases", {"base.safetensors": b"1"})
    address = read_address("hf://aki/bases/base.safetensors")
    assert resolve(address).address.revision == first
    second = hub.add("models/aki/bases", {"base.safetensors": b"2"})
    assert resolve(address).address.revision == first
    script = (
        "from lorarecipe.hub import *; print(resolve(read_address('hf://aki/bases/base.safetensors')).address.revision)"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == second


def test_what_an_address_meant_is_known_offline(hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    first = hub.add("models/aki/bases", FILES)
    address = read_address("hf://aki/bases/images")
    found = resolve(address)
    fetch(found, found.address.place)
    asked = len(hub.requests)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert resolve(address) == resolve(address.at(first)) == found
    fetch(found, found.address.place)
    for another in ("hf://aki/bases/README.md", "hf://aki/bases/images@v2"):
        with pytest.raises(NetworkFailed, match="not on this machine, and HF_HUB_OFFLINE forbids the network"):
            resolve(read_address(another))
    monkeypatch.delenv("HF_HUB_OFFLINE")
    assert resolve(address.at(first)) == found  # a commit means the same for ever
    assert len(hub.requests) == asked


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff", b'{"address": 1}', b'{"files": []}'])
def test_a_memory_that_is_damaged_is_asked_for_again(hub: Hub, damage: bytes) -> None:
    first = hub.add("models/aki/bases", FILES)
    address = read_address("hf://aki/bases/base.safetensors").at(first)
    script = f"from lorarecipe.hub import *; resolve(read_address('{address}'))"
    subprocess.run([sys.executable, "-c", script], check=True)
    (memory,) = (hub_folder() / "resolved").iterdir()
    memory.write_bytes(damage)
    assert resolve(address).digest == sha256(CONTENT)


def test_a_file_and_a_folder_are_fetched_once(hub: Hub) -> None:
    hub.add("models/aki/bases", FILES)
    for text in ("hf://aki/bases/base.safetensors", "hf://aki/bases/images/deep", "hf://aki/bases/images"):
        found = resolve(read_address(text))
        fetch(found, found.address.place)
        fetch(found, found.address.place)
    assert hub.count("GET", "/cdn/") == 2  # the checkpoint and an image
    assert hub.count("GET", "/resolve/") == 2  # two texts
    whole = resolve(read_address("hf://aki/bases"))
    fetch(whole, whole.address.place)  # of which a part is there
    there = {
        path.relative_to(whole.address.place).as_posix(): path.read_bytes() for path in _files(whole.address.place)
    }
    assert there == FILES
    _nothing_left_over()


def test_how_much_has_come_is_told(hub: Hub, tmp_path: Path) -> None:
    hub.add("models/aki/bases", FILES)
    found = resolve(read_address("hf://aki/bases"))
    hub.fail("slow", path="/cdn/")
    told = [*fetched_bytes(found, tmp_path / "target", tmp_path / "drafts")]
    assert len(told) > 2
    assert told == sorted(told)
    assert told[-1] == found.size


def test_a_transfer_by_xet_is_counted_once(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its servers have no stand-in, so this goes as far as the real report of its progress."""

    def by_xet(repo: str, path: str, tqdm_class: type, **keywords: object) -> str:
        with XetDownloadProgressReporter(
            reconstruction_desc="",
            total=len(CONTENT),
            log_level=0,
            name="huggingface_hub.xet_get",
            tqdm_class=tqdm_class,
        ) as progress:
            for part in (1, 2):
                report = type("Report", (), dict.fromkeys(_OF_XET, len(CONTENT) * part // 2))
                progress.update_progress(report)
        came = tmp_path / "came"
        came.write_bytes(CONTENT)
        return str(came)

    hub.add("models/aki/bases", FILES)
    found = resolve(read_address("hf://aki/bases/base.safetensors"))
    monkeypatch.setattr("huggingface_hub.hf_hub_download", by_xet)
    counted = [*fetched_bytes(found, tmp_path / "target", tmp_path / "drafts")]
    assert counted[-1] == len(CONTENT)


_OF_XET = (
    *("total_bytes", "total_bytes_completed", "total_transfer_bytes_completed"),
    *("total_bytes_completion_rate", "total_transfer_bytes_completion_rate"),
)


def test_a_body_that_drops_once_is_taken_up_there(hub: Hub) -> None:
    hub.add("models/aki/bases", FILES)
    hub.fail("drop", path="/cdn/", times=1)
    found = resolve(read_address("hf://aki/bases/base.safetensors"))
    fetch(found, found.address.place)
    assert found.address.place.read_bytes() == CONTENT
    assert hub.count("GET", "/cdn/") == 2


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("short", "the hub cannot be reached, or the transfer broke off \\(Consistency check failed"),
        ("wrong", "came with another digest than the hub promised"),
        (401, "the hub refuses access \\(HTTP 401\\); log in with a token that allows it: hf auth login"),
        (403, "the hub refuses access \\(HTTP 403\\)"),
        (404, "the hub answered with HTTP 404"),
        (409, "changed at the same time \\(HTTP 409\\)"),
    ],
)
def test_what_does_not_come_whole_is_not_there(hub: Hub, how: int, message: str) -> None:
    """The same again, without the fault, fetches it."""
    hub.add("models/aki/bases", FILES)
    found = resolve(read_address("hf://aki/bases"))
    hub.fail(how, method="GET", path="/cdn/")
    with pytest.raises(NetworkFailed, match=message):
        fetch(found, found.address.place)
    assert not list(found.address.place.glob("*.safetensors"))
    _nothing_left_over()
    hub.heal()
    fetch(found, found.address.place)
    assert len(_files(found.address.place)) == len(FILES)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (401, "the hub refuses access \\(HTTP 401\\); log in with a token that allows it: hf auth login"),
        (403, "the hub refuses access \\(HTTP 403\\)"),
        (404, "the hub answered with HTTP 404"),
        (429, "the hub refuses more requests for now \\(HTTP 429\\); run the same command again in some minutes"),
        (500, "the hub answered with HTTP 500; run the same command again later"),
    ],
)
def test_what_the_hub_answers_is_said(hub: Hub, how: int, message: str) -> None:
    hub.add("models/aki/bases", FILES)
    hub.fail(how, headers={"Retry-After": "1"})
    with pytest.raises(NetworkFailed, match=message):
        resolve(read_address("hf://aki/bases"))


@pytest.mark.parametrize("how", [429, 500])
def test_a_hub_that_is_busy_for_a_while_is_asked_again(hub: Hub, how: int) -> None:
    hub.add("models/aki/bases", FILES)
    found = resolve(read_address("hf://aki/bases/base.safetensors"))
    hub.fail(how, method="HEAD", times=2, headers={"Retry-After": "0"})
    fetch(found, found.address.place)
    assert found.address.place.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hf://aki/other", "expected a repository that is there"),
        ("hf://datasets/aki/bases", "expected a repository that is there"),
        ("hf://aki/bases@v9", "expected a branch, a tag or a commit of aki/bases"),
        ("hf://aki/bases/nothing", "expected a path that aki/bases has at this revision"),
        ("hf://aki/private", "expected a repository that is there; if it is private, log in first"),
    ],
)
def test_what_is_not_there(hub: Hub, text: str, message: str) -> None:
    hub.add("models/aki/bases", FILES)
    hub.add("models/aki/private", FILES, private=True)
    with pytest.raises(NotOnTheHub, match=message):
        resolve(read_address(text))


def test_a_private_repository_is_fetched_with_a_token_that_the_cdn_does_not_get(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add("models/aki/private", FILES, private=True)
    hub.use(monkeypatch, TOKEN)
    found = resolve(read_address("hf://aki/private/base.safetensors"))
    fetch(found, found.address.place)
    assert found.address.place.read_bytes() == CONTENT
    assert {request.token for request in hub.requests if request.path.startswith("/cdn/")} == {""}
    assert {request.token for request in hub.requests if not request.path.startswith("/cdn/")} == {TOKEN}


def test_a_repository_whose_owner_asks_for_an_agreement(hub: Hub) -> None:
    hub.add("models/aki/bases", FILES)
    hub["models/aki/bases"].gated = True
    found = resolve(read_address("hf://aki/bases/base.safetensors"))
    with pytest.raises(NetworkFailed, match="the owner of aki/bases asks for an agreement; accept it on its page"):
        fetch(found, found.address.place)


def test_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    with Hub() as hub:
        hub.use(monkeypatch)
        hub.add("models/aki/bases", FILES)
        found = resolve(read_address("hf://aki/bases/base.safetensors"))
    with pytest.raises(NetworkFailed, match="the hub cannot be reached, or the transfer broke off"):
        resolve(read_address("hf://aki/bases"))
    script = "from lorarecipe.hub import *; resolve(read_address('hf://aki/bases/base.safetensors'))"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "to use what was fetched before, set HF_HUB_OFFLINE=1" in told.stderr
    assert found


def test_something_else_answers(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.add("models/aki/bases", {"page.html": b"<html>Log in to the network of this hotel</html>"})
    monkeypatch.setenv("HF_ENDPOINT", f"{hub.url}/aki/bases/resolve/main/page.html?")
    with pytest.raises(NetworkFailed, match="found an answer that is none of a hub; check the network and HF_ENDPOINT"):
        resolve(read_address("hf://aki/bases"))
    monkeypatch.setenv("HF_ENDPOINT", "no address")
    with pytest.raises(NetworkFailed, match="the hub cannot be reached"):
        resolve(read_address("hf://aki/bases"))


def test_a_name_that_leads_out_of_the_folder_is_refused(hub: Hub) -> None:
    hub.add("models/aki/bases", {"images/../../../evil.png": b"x"})
    with pytest.raises(NetworkFailed, match=r"found a file of the name '\.\./\.\./\.\./evil.png'"):
        resolve(read_address("hf://aki/bases/images"))


def test_small_files_get_the_digest_that_they_have_on_a_disk(hub: Hub) -> None:
    """Also when somebody wrote into what was fetched of them."""
    hub.add("models/aki/bases", FILES)
    found = resolve(read_address("hf://aki/bases"))
    wanted = {path: sha256(content) for path, content in FILES.items()}
    for _ in range(2):
        assert {file.path: file.digest for file in digested(found).files} == wanted
        (found.address.place / "README.md").write_text("mine")
    assert not (found.address.place / "base.safetensors").exists()


def test_the_disk_is_not_blamed_on_the_hub(hub: Hub, tmp_path: Path) -> None:
    hub.add("models/aki/bases", FILES)
    found = resolve(read_address("hf://aki/bases/base.safetensors"))
    (tmp_path / "drafts").write_text("a file")
    with pytest.raises(FileExistsError):
        [*fetched_bytes(found, tmp_path / "target", tmp_path / "drafts")]


_FETCH = """
from lorarecipe.hub import *
from lorarecipe.signals import install
install()
found = resolve(read_address("hf://aki/bases"))
fetch(found, found.address.place)
"""


def test_two_processes_at_once(hub: Hub) -> None:
    hub.add("models/aki/bases", FILES)
    hub.fail("slow", path="/cdn/")
    running = [subprocess.Popen([sys.executable, "-c", _FETCH]) for _ in range(2)]
    assert [process.wait(60) for process in running] == [0, 0]
    place = resolve(read_address("hf://aki/bases")).address.place
    assert {path.relative_to(place).as_posix(): path.read_bytes() for path in _files(place)} == FILES
    _nothing_left_over()


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_stopped_in_the_middle_and_repeated(hub: Hub, signum: signal.Signals) -> None:
    """A hub that sends no more does not keep a program that is stopped."""
    hub.add("models/aki/bases", FILES)
    hub.fail("hold", path="/cdn/")
    running = subprocess.Popen([sys.executable, "-c", _FETCH], stderr=subprocess.PIPE, text=True)
    while hub.count("GET", "/cdn/") < 2 or len(_files(hub_folder() / "models")) < 3:
        time.sleep(0.02)
        assert running.poll() is None
    start = time.monotonic()
    running.send_signal(signum)
    _, told = running.communicate(timeout=30)
    assert time.monotonic() - start < 5
    assert signum == signal.SIGKILL or "Interrupted" in told
    hub.heal()
    found = resolve(read_address("hf://aki/bases"))
    assert not (found.address.place / "base.safetensors").exists()
    asked = hub.count("GET", "/resolve/")
    fetch(found, found.address.place)
    assert hub.count("GET", "/resolve/") == asked  # the small files had come
    assert (found.address.place / "base.safetensors").read_bytes() == CONTENT
    _nothing_left_over()


def test_many_files_come_side_by_side(hub: Hub) -> None:
    hub.add("datasets/aki/set", {f"renders/{number:03}.txt": b"%d" % number for number in range(40)})
    found = resolve(read_address("hf://datasets/aki/set/renders"))
    hub.fail("hold", method="GET")
    transfer = Thread(target=fetch, args=(found, found.address.place))
    transfer.start()
    while hub.count("GET", "/resolve/") < 8:
        time.sleep(0.02)
        assert transfer.is_alive()
    hub.heal()
    transfer.join()
    assert len(_files(found.address.place)) == 40


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _nothing_left_over() -> None:
    assert [*(hub_folder() / "drafts").iterdir()] == []


def test_nothing_is_said_but_by_us(hub: Hub, capfd: pytest.CaptureFixture[str]) -> None:
    """What huggingface_hub says of a transfer names addresses that let anybody in."""
    hub.add("models/aki/bases", FILES)
    hub.fail("drop", path="/cdn/", times=2)
    found = resolve(read_address("hf://aki/bases/base.safetensors"))
    fetch(found, found.address.place)
    assert capfd.readouterr() == ("", "")


def test_the_face_of_the_room() -> None:
    assert all(hasattr(ours, name) for name in ours.__all__)
    assert os.environ["LORARECIPE_HOME"] in str(hub_folder())
