"""What somebody without the secret of a run gets from the ports that Ray opens for it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil
import pytest

grpc = pytest.importorskip("grpc")
pytest.importorskip("ray", reason="there is no Ray for this release of Python")

#: starts Ray as a run does, has a process of Ray's do something, and waits
_RUN = """\
import sys
from pathlib import Path
from lorarecipe.cluster import on_cluster
from lorarecipe.dataset import scan
from lorarecipe.plan import compile_plan
from lorarecipe.recipe import load
from lorarecipe.rules import check
from lorarecipe.store import Store

plan = compile_plan([check(scan(load(Path("recipe.toml"))))])
with on_cluster("local", plan, Store(Path("store")), 1) as workers:
    workers[0].require((), {})
    print("started", flush=True)
    sys.stdin.read()
"""
#: one of each service that can read or change something
_CALLS = [
    "NodeInfoGcsService/GetAllNodeInfo",
    "InternalKVGcsService/InternalKVKeys",
    "NodeManagerService/GetNodeStats",
    "ObjectManagerService/Pull",
    "CoreWorkerService/GetCoreWorkerStats",
]


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[psutil.Process]:
    """A process that has a cluster on this machine."""
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    argv = [sys.executable, "-c", _RUN]
    with subprocess.Popen(argv, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        assert running.stdout.readline() == "started\n"
        yield psutil.Process(running.pid)


def test_an_outsider_is_refused_at_each_port(run: psutil.Process) -> None:
    processes = [run, *run.children(recursive=True)]
    head = next(process for process in processes if process.name() == "gcs_server")
    token = head.environ()["RAY_AUTH_TOKEN"]
    listening = [one.laddr for process in processes for one in process.net_connections("tcp") if one.status == "LISTEN"]
    assert {address.ip for address in listening} == {"127.0.0.1", "::ffff:127.0.0.1"}
    session = next(word for word in head.cmdline() if word.startswith("--session-dir="))
    assert Path(session.partition("=")[2]).parents[1].stat().st_mode & 0o077 == 0
    answers = {
        address.port: [_answers(address.port, given) for given in (None, "0" * 64, token)] for address in listening
    }
    refused = [answer for without, wrong, _ in answers.values() for answer in (*without, *wrong)]
    assert {*refused} == {"UNAUTHENTICATED", "401", "403"}
    assert sum("OK" in right for *_, right in answers.values()) >= 3
    assert len(answers) >= 6


def _answers(port: int, token: str | None) -> set[str]:
    """Give what a port answers to all calls that it has."""
    header = {"authorization": f"Bearer {token}"} if token else {}
    found = set()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        for call in _CALLS:
            try:
                channel.unary_unary(f"/ray.rpc.{call}")(b"", metadata=[*header.items()], timeout=5)
                found.add("OK")
            except grpc.RpcError as problem:
                found.add(problem.code().name)
    if "UNAVAILABLE" not in found:
        return found - {"UNIMPLEMENTED"}
    try:
        return {str(urlopen(Request(f"http://127.0.0.1:{port}/", b"", header), timeout=5).status)}
    except HTTPError as problem:
        return {str(problem.code)}
