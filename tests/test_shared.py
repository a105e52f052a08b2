"""The shared store, by real servers of S3 and of Google's buckets behind a proxy with faults, and in a folder."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from lorarecipe.errors import MachineNotReady, NetworkFailed
from lorarecipe.shared import DamagedStage, SharedAddress, SharedStore, shared_address, shared_store
from lorarecipe.shared.failures import tried
from lorarecipe.store import Store
from tests.gs import GoogleBucket
from tests.s3 import Bucket, stage_files

IDENTITY = {"a": 1}
NAME = "train-1"


@pytest.fixture(scope="module", params=[Bucket, GoogleBucket], ids=["s3", "gs"])
def bucket(request: pytest.FixtureRequest) -> Iterator[Bucket]:
    with request.param() as one:
        yield one


@pytest.fixture(autouse=True)
def _sound(request: pytest.FixtureRequest) -> None:
    """Have the proxy pass everything on, where a test uses it."""
    if "bucket" in request.fixturenames:
        proxy = request.getfixturevalue("bucket").proxy
        proxy.refused, proxy.status, proxy.cuts, proxy.puts, proxy.short = set(), 403, 0, None, False


@pytest.fixture
def remote(bucket: Bucket, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> SharedStore:
    """A shared store in the bucket, with a prefix of the test's own."""
    bucket.use(monkeypatch, request.node.name.translate({ord(letter): "-" for letter in "[]/ "}))
    return _shared()


@pytest.fixture
def here(tmp_path: Path) -> SharedStore:
    """A shared store in a folder."""
    return SharedStore(SharedAddress("file", str(tmp_path / "shared")))


def _shared() -> SharedStore:
    found = shared_store()
    assert found
    return found


def _stage(root: Path, content: bytes = b"x" * 200_000) -> Store:
    store = Store(root)
    folder = store.begin(NAME, IDENTITY)
    (folder / "00").mkdir()
    (folder / "00" / "a picture #1, ü.png").write_bytes(content)
    (folder / "empty").touch()
    store.keep(NAME)
    return store


def _push(shared: SharedStore, store: Store, *, replaces: bool = False) -> list[int]:
    sizes: list[int] = []
    shared.push(NAME, store, sizes.append, replaces=replaces)
    return sizes


def _pull(shared: SharedStore, root: Path) -> Path:
    store, found = Store(root), shared.find(NAME)
    assert found
    shared.pull(found, IDENTITY, store.pulled(NAME), lambda size: None)
    store.adopt(NAME)
    path = store.find(NAME)
    assert path
    return path


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")  # gcsfs's own upload
def test_what_was_pushed_is_pulled(remote: SharedStore, tmp_path: Path) -> None:
    _goes_and_comes(remote, tmp_path)


def test_what_was_pushed_into_a_folder_is_pulled(here: SharedStore, tmp_path: Path) -> None:
    _goes_and_comes(here, tmp_path)


def _goes_and_comes(shared: SharedStore, tmp_path: Path) -> None:
    store = _stage(tmp_path / "one", b"x" * 6_000_000)  # more than gcsfs sends by one request
    shared.require_writable()
    assert shared.having([NAME, "data-2"]) == {}
    sizes = _push(shared, store)
    assert sum(sizes) == sum(map(len, stage_files(store.path(NAME)).values()))
    assert {*shared.having([NAME, "data-2"])} == {NAME}
    path = _pull(shared, tmp_path / "two")
    assert stage_files(path) == stage_files(store.path(NAME))
    assert Store(tmp_path / "two").damaged_files(NAME) == []
    assert Store(tmp_path / "two").attempts() == []


def test_the_manifest_comes_last(bucket: Bucket, remote: SharedStore, tmp_path: Path) -> None:
    """A sending that ends before is never found, and the next one ends well."""
    bucket.proxy.puts = 2
    with ThreadPoolExecutor(1) as pool:
        pushing = pool.submit(_push, remote, _stage(tmp_path / "one"))
        while len(mine := bucket.names(remote.address.path.partition("/")[2])) < 2:
            assert not pushing.done()
        assert not [name for name in mine if name.endswith("manifest.json")]
        assert remote.find(NAME) is None
        bucket.proxy.puts = None
        pushing.result()
    assert remote.find(NAME)


def test_connections_that_drop(bucket: Bucket, remote: SharedStore, tmp_path: Path) -> None:
    store = _stage(tmp_path / "one")
    bucket.proxy.cuts = 3
    _push(remote, store)
    assert bucket.proxy.cuts < 0
    bucket.proxy.cuts = 3
    assert stage_files(_pull(remote, tmp_path / "two")) == stage_files(store.path(NAME))
    assert bucket.proxy.cuts < 0


def test_a_server_that_has_other_sizes(bucket: Bucket, remote: SharedStore, tmp_path: Path) -> None:
    bucket.proxy.short = True
    with pytest.raises(NetworkFailed, match="200000 bytes were sent, and 199999 are there"):
        _push(remote, _stage(tmp_path / "one"))
    bucket.proxy.short = False
    assert remote.find(NAME) is None


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal(bucket: Bucket, remote: SharedStore, status: int) -> None:
    bucket.proxy.refused, bucket.proxy.status = {bucket.sends}, status
    with pytest.raises(NetworkFailed, match=rf"the shared store refuses .*{bucket.login}"):
        remote.require_writable()


@pytest.mark.parametrize("said", ["who is {}?", "who is {}?\nask again", "Forbidden: an address\nwho is {}?"])
def test_secrets_are_not_said(here: SharedStore, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    key = '{"private_key":\n "canary"}'  # a key file's content where its path belongs
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", key)

    def repeating() -> None:
        raise PermissionError(said.format(key))

    with pytest.raises(NetworkFailed, match=r"who is <secret>\?\)") as caught:
        tried(repeating, here.address)
    assert "private_key" not in str(caught.value)
    assert "canary" not in str(caught.value)


def test_an_answer_that_is_none(here: SharedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hotel's page to log in, say, where JSON was expected."""
    monkeypatch.setattr("lorarecipe.shared.failures._PAUSE", 0)
    with pytest.raises(NetworkFailed, match="cannot be reached, or broke off"):
        tried(lambda: json.loads("<html>"), here.address)


def test_no_credentials(bucket: Bucket, remote: SharedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket.log_out(monkeypatch, tmp_path)
    with pytest.raises(NetworkFailed, match=rf"the shared store refuses .*credentials.*{bucket.login}"):
        _shared().require_writable()


def test_no_network(bucket: Bucket, remote: SharedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said in our words alone: remarks and tracebacks of a library would come in between."""
    bucket.leave(monkeypatch)
    done = subprocess.run([sys.executable, "-m", "lorarecipe", "doctor"], capture_output=True, text=True)
    assert f"{remote.address}: the shared store cannot be reached, or broke off" in done.stdout
    assert done.stderr == ""


def test_a_bucket_that_is_not_there(bucket: Bucket, remote: SharedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORARECIPE_STORE", address := f"{bucket.scheme}://another/prefix")
    with pytest.raises(NetworkFailed, match=rf"{address}: there is no such bucket.*make it first"):
        _shared().require_writable()


def _flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _manifest(change: Callable[[dict[str, object]], object]) -> Callable[[Path], object]:
    def harm(root: Path) -> None:
        path = root / NAME / "manifest.json"
        manifest = json.loads(path.read_text("utf-8"))
        change(manifest["files"])
        path.write_text(json.dumps(manifest))

    return harm


def _named(name: str, files: dict[str, object]) -> None:
    files[name] = files["empty"]


_ESCAPES = ["../x", "/etc/x", "a/../../x", "C:x", "a\\x", "manifest.json", "changed.json", "a//x", "a\nx"]
_PICTURE = "*/*/00/*.png"


@pytest.mark.parametrize(
    "harm",
    [
        lambda root: _flipped(next(root.glob(_PICTURE))),
        lambda root: next(root.glob(_PICTURE)).write_bytes(b""),
        lambda root: next(root.glob(_PICTURE)).unlink(),
        lambda root: (root / NAME / "manifest.json").write_text('{"format": 1, "fi'),
        lambda root: (root / NAME / "manifest.json").write_text("[" * 100_000),
        _manifest(lambda files: files.pop("stage.json")),
        *(_manifest(partial(_named, name)) for name in _ESCAPES),
    ],
)
def test_damage_is_found_and_mended(here: SharedStore, tmp_path: Path, harm: Callable[[Path], object]) -> None:
    store, root = _stage(tmp_path / "one"), Path(here.address.path)
    _push(here, store)
    harm(root)
    before = set(tmp_path.rglob("x"))
    with pytest.raises(DamagedStage, match=str(root)):
        _pull(here, tmp_path / "two")
    assert Store(tmp_path / "two").find(NAME) is None
    assert set(tmp_path.rglob("x")) == before
    other = _stage(tmp_path / "three", b"made anew")
    _push(here, other, replaces=True)
    assert stage_files(_pull(here, tmp_path / "two")) == stage_files(other.path(NAME))


def test_files_of_another_stage_are_refused(here: SharedStore, tmp_path: Path) -> None:
    _push(here, _stage(tmp_path / "one"))
    found = here.find(NAME)
    assert found
    with pytest.raises(DamagedStage, match="the files of another stage"):
        here.pull(found, {"a": 2}, tmp_path / "two", lambda size: None)


def test_the_first_manifest_stays(here: SharedStore, tmp_path: Path) -> None:
    """Two machines have made the same stage: what the second one has sent is removed."""
    first, second = _stage(tmp_path / "one", b"first"), _stage(tmp_path / "two", b"second")
    _push(here, first)
    _push(here, second)
    assert stage_files(_pull(here, tmp_path / "three")) == stage_files(first.path(NAME))
    assert len([*(Path(here.address.path) / NAME).glob("*/")]) == 1


def test_machines_that_push_at_once(bucket: Bucket, remote: SharedStore, tmp_path: Path) -> None:
    """What is there afterwards is one machine's, whole."""
    stores = [_stage(tmp_path / str(number), bytes([number]) * 50_000) for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for pushing in [pool.submit(_push, _shared(), store) for store in stores]:
            pushing.result()
    pulled = stage_files(_pull(remote, tmp_path / "pulled"))
    assert pulled in [stage_files(store.path(NAME)) for store in stores]


def test_a_paused_attempt_outlives_a_pull_that_fails(here: SharedStore, tmp_path: Path) -> None:
    _push(here, _stage(tmp_path / "one"))
    store = Store(tmp_path / "two")
    state = store.begin(NAME, IDENTITY) / "state"
    state.write_text("of a paused training")
    _flipped(next(Path(here.address.path).glob(_PICTURE)))
    with pytest.raises(DamagedStage):
        _pull(here, store.root)
    assert state.read_text() == "of a paused training"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("s3://bucket", "s3://bucket"),
        ("S3://bucket/a/b/", "s3://bucket/a/b"),
        ("hf://datasets/aki/stages/x", "hf://datasets/aki/stages/x"),
        ("/a/folder", "/a/folder"),
        ("file:///a/folder", "/a/folder"),
        ("  ", "None"),
    ],
)
def test_addresses(monkeypatch: pytest.MonkeyPatch, text: str, address: str) -> None:
    monkeypatch.setenv("LORARECIPE_STORE", text)
    assert str(shared_address()) == address


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("s3://", "found 's3://', expected s3://BUCKET/PREFIX"),
        ("s3://bucket/../x", "expected s3://BUCKET/PREFIX"),
        ("ftp://host/x", "found 'ftp://host/x', expected s3://BUCKET/PREFIX"),
        ("hf://aki/model", "expected hf://datasets/OWNER/NAME/PREFIX"),
        ("s3://key:canary@bucket/x", "holds a user name, a password or options"),
        ("s3://bucket/x?secret=canary", "holds a user name, a password or options"),
        ("HOME/store", "is in the store of this machine, expected another folder"),
        ("HOME/store/x", "is in the store of this machine, expected another folder"),
    ],
)
def test_what_is_no_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str) -> None:
    monkeypatch.setenv("LORARECIPE_STORE", text.replace("HOME", str(tmp_path / "home")))
    with pytest.raises(MachineNotReady) as caught:
        shared_address()
    assert message in str(caught.value)
    assert "canary" not in str(caught.value)


def test_a_package_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    monkeypatch.setenv("LORARECIPE_STORE", "gs://bucket/prefix")
    with pytest.raises(MachineNotReady, match=r'needs the package gcsfs.*; run: pip install "lorarecipe\[gs\]"'):
        shared_address()
