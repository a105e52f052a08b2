"""The shared store, by a real S3 server behind a proxy that cuts, stalls and refuses, and in a folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest

from lorarecipe.errors import MachineNotReady, NetworkFailed
from lorarecipe.shared import DamagedStage, SharedAddress, SharedStore, shared_address, shared_store
from lorarecipe.shared.failures import tried
from lorarecipe.store import Store
from tests.s3 import SECRET, Bucket, stage_files

IDENTITY = {"a": 1}
NAME = "train-1"


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    with Bucket() as one:
        yield one


@pytest.fixture(autouse=True)
def _sound(request: pytest.FixtureRequest) -> None:
    """Have the proxy pass everything on, where a test uses it."""
    if "bucket" in request.fixturenames:
        proxy = request.getfixturevalue("bucket").proxy
        proxy.refused, proxy.cuts, proxy.puts, proxy.short = set(), 0, None, False


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


@pytest.mark.parametrize("kind", ["remote", "here"])
def test_what_was_pushed_is_pulled(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    shared: SharedStore = request.getfixturevalue(kind)
    store = _stage(tmp_path / "one")
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


@pytest.mark.parametrize("cuts", [1, 3])
def test_connections_that_drop(bucket: Bucket, remote: SharedStore, tmp_path: Path, cuts: int) -> None:
    store = _stage(tmp_path / "one")
    bucket.proxy.cuts = cuts
    _push(remote, store)
    assert bucket.proxy.cuts < 0
    bucket.proxy.cuts = cuts
    assert stage_files(_pull(remote, tmp_path / "two")) == stage_files(store.path(NAME))
    assert bucket.proxy.cuts < 0


def test_a_server_that_has_other_sizes(bucket: Bucket, remote: SharedStore, tmp_path: Path) -> None:
    bucket.proxy.short = True
    with pytest.raises(NetworkFailed, match="200000 bytes were sent, and 199999 are there"):
        _push(remote, _stage(tmp_path / "one"))
    bucket.proxy.short = False
    assert remote.find(NAME) is None


def test_a_refusal_is_said_without_the_secret(bucket: Bucket, remote: SharedStore, tmp_path: Path) -> None:
    bucket.proxy.refused = {"PUT"}
    with pytest.raises(NetworkFailed, match=r"the shared store refuses .*AWS_ACCESS_KEY_ID"):
        remote.require_writable()

    def repeating() -> None:
        raise PermissionError(f"who is {SECRET}?")

    with pytest.raises(NetworkFailed) as caught:
        tried(repeating, remote.address)
    assert SECRET not in str(caught.value)
    assert "who is <secret>?" in str(caught.value)


def test_no_network(remote: SharedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(NetworkFailed, match="cannot be reached, or broke off"):
        _shared().having([NAME])


def test_a_bucket_that_is_not_there(remote: SharedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORARECIPE_STORE", "s3://another/prefix")
    with pytest.raises(NetworkFailed, match=r"s3://another/prefix: there is no such bucket.*make it first"):
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


@pytest.mark.skipif(find_spec("gcsfs") is not None, reason="gcsfs is installed here")
def test_a_package_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORARECIPE_STORE", "gs://bucket/prefix")
    with pytest.raises(MachineNotReady, match=r'needs the package gcsfs.*; run: pip install "lorarecipe\[gs\]"'):
        shared_address()
