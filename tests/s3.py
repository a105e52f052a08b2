"""A real server of buckets on loopback, in a process of its own, and a proxy before it that cuts, stalls and refuses.

``Bucket`` is S3's, by moto; ``tests.gs`` has Google's.

::

    with Bucket() as bucket:
        bucket.use(monkeypatch)  # for this process, and those that it starts
        bucket.proxy.refused = {bucket.sends}  # HTTP 403 from now on
        ...
        assert bucket.names("prefix") == [...]
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, Thread
from typing import Any, ClassVar

import pytest

_METHOD = re.compile(rb"([A-Z]+) [^ ]+ HTTP/1\.1\r\n")
SECRET = "canary/of+aws"


@dataclass
class Proxy:
    """Passes bytes on to a server; what it does to them may be changed at any time."""

    upstream: int
    """The server's port."""
    sends: bytes
    """The method that sends a file."""
    sizes: tuple[bytes, str]
    """The method that asks for the size of a file, and what comes before that in the answer."""
    refusal: bytes
    """What the server says to those that it refuses."""
    status: int = 403
    """HTTP status of a refusal."""
    refused: set[str] = field(default_factory=set)
    """Methods that are refused."""
    cuts: int = 0
    """How many connections are cut, each in the middle of the first body that goes over it."""
    puts: int | None = None
    """How many more files may be sent; the next one stalls."""
    short: bool = False
    """Whether each file is said to be a byte shorter than it is."""

    def __post_init__(self) -> None:
        self._lock = Lock()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client, ExitStack() as opened:
            server, method = None, [b""]
            while data := client.recv(1 << 16):
                if found := _METHOD.match(data):
                    method[0] = found[1]
                    if found[1].decode() in self.refused:
                        head = f"HTTP/1.1 {self.status} No\r\nContent-Length: {len(self.refusal)}\r\nConnection: close\r\n\r\n"
                        client.sendall(head.encode() + (self.refusal if found[1] != b"HEAD" else b""))
                        return
                    while found[1] == self.sends and self._stalls():
                        time.sleep(0.05)
                if not server:  # not before there is something to send: the server may serve one at a time
                    server = opened.enter_context(socket.create_connection(("127.0.0.1", self.upstream)))
                    Thread(target=self._answer, args=(server, client, method), daemon=True).start()
                if method[0] == self.sends and len(data) > 10_000 and self._cuts():
                    server.sendall(data[: len(data) // 2])
                    server.shutdown(socket.SHUT_RDWR)
                    return
                server.sendall(data)

    def _answer(self, server: socket.socket, client: socket.socket, method: list[bytes]) -> None:
        asking, before = self.sizes
        size = re.compile(rb"(?i)(%b)([1-9]\d*)" % before.encode())
        with suppress(OSError), client:
            while data := server.recv(1 << 16):
                if method[0] == asking and self.short:
                    data = size.sub(lambda m: m[1] + b"%d" % (int(m[2]) - 1), data)
                if method[0] == b"GET" and len(data) > 10_000 and self._cuts():
                    client.sendall(data[: len(data) // 2])
                    client.shutdown(socket.SHUT_RDWR)
                    return
                client.sendall(data)

    def _cuts(self) -> bool:
        with self._lock:
            self.cuts -= 1
            return self.cuts >= 0

    def _stalls(self) -> bool:
        with self._lock:
            if self.puts is None or self.puts > 0:
                self.puts = None if self.puts is None else self.puts - 1
                return False
            return True


class Bucket:
    """A bucket of the server, behind the proxy."""

    name = "bucket"
    scheme = "s3"
    login = "AWS_ACCESS_KEY_ID"
    sends = "PUT"
    sizes: ClassVar = (b"HEAD", "content-length: ")
    refusal = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"

    def __enter__(self) -> Bucket:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self._process = subprocess.Popen(self._server(port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(600):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.1)
        self.proxy = Proxy(port, self.sends.encode(), self.sizes, self.refusal)
        self._system = self._directly(f"http://127.0.0.1:{port}")
        return self

    def __exit__(self, *why: object) -> None:
        self.proxy.close()
        self._process.kill()
        self._process.wait()

    def use(self, monkeypatch: pytest.MonkeyPatch, prefix: str = "prefix", port: int | None = None) -> None:
        """Name the bucket as the shared store, at the proxy's port or another, and give the credentials of the test."""
        monkeypatch.setenv("LORARECIPE_STORE", f"{self.scheme}://{self.name}/{prefix}")
        for name, value in self._access(port or self.proxy.port).items():
            monkeypatch.setenv(name, value)

    def leave(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Have nobody listen where the server is said to be."""
        for name, value in self._access(9).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    def log_out(self, monkeypatch: pytest.MonkeyPatch, nowhere: Path) -> None:
        """Take the credentials away; ``nowhere`` is a folder without any."""
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(nowhere / "credentials"))
        monkeypatch.setenv("AWS_CONFIG_FILE", str(nowhere / "config"))
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    def names(self, prefix: str) -> list[str]:
        """Give the names of the objects below a prefix; the proxy is not asked."""
        self._system.invalidate_cache()
        return sorted(self._system.find(f"{self.name}/{prefix}"))

    def _server(self, port: int) -> list[str]:
        return [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]

    def _access(self, port: int) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "of-the-test",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def _directly(self, address: str) -> Any:
        from s3fs import S3FileSystem

        system = S3FileSystem(
            key="of-the-test",
            secret=SECRET,
            endpoint_url=address,
            client_kwargs={"region_name": "us-east-1"},
            skip_instance_cache=True,
            use_listings_cache=False,
        )
        system.call_s3("create_bucket", Bucket=self.name)  # mkdir names the region, which S3 refuses for this one
        return system


def stage_files(folder: Path) -> dict[str, bytes]:
    """Read the files below a folder, but for the manifest, whose times are its own."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
