"""How the stand-in of the hub answers a request, and what can go wrong with it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from io import BufferedIOBase
from threading import Event
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tests.hub import Hub

#: a body that ends in the middle | one byte too few | as many bytes, but others | half of it, then nothing until it is
#: released | in 40 pieces, 20 to a second
Way = Literal["drop", "short", "wrong", "hold", "slow"]
_PIECES, _PAUSE = 40, 0.05


@dataclass(frozen=True)
class Request:
    """A request as it came; ``path`` has its query, ``token`` is what ``Authorization`` held."""

    method: str
    path: str
    body: bytes
    token: str


@dataclass
class Answer:
    """What the hub sends."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Fault:
    """Something that goes wrong with some requests, the first ``times`` of them: a status, or a way to send a body."""

    how: int | Way
    method: str
    path: str
    """A regular expression, searched in the path with its query."""
    times: float
    headers: dict[str, str]
    released: Event = field(default_factory=Event)

    def strikes(self, method: str, path: str) -> bool:
        """Tell whether it concerns this request, and count it."""
        if self.times <= 0 or self.method not in {"", method} or not re.search(self.path, path):
            return False
        self.times -= 1
        return True


def _send(answer: Answer, fault: Fault | None, sink: BufferedIOBase) -> None:
    """Send the body of an answer whose head is sent, or what a fault makes of it."""
    body, middle = answer.body, len(answer.body) // 2
    match fault and fault.how:
        case "drop":
            sink.write(body[:middle])
        case "hold":
            assert fault
            sink.write(body[:middle])
            fault.released.wait(600)
            sink.write(body[middle:])
        case "slow":
            size = len(body) // _PIECES + 1
            for start in range(0, len(body), size):
                time.sleep(_PAUSE)
                sink.write(body[start : start + size])
        case _:
            sink.write(body)


def _changed(answer: Answer, fault: Fault | None) -> Answer:
    """Give an answer as a fault changes it before it is sent."""
    match fault and fault.how:
        case int(status):
            assert fault
            return Answer(b'{"error": "the test wants it so"}', status, fault.headers)
        case "short":
            return Answer(answer.body[:-1], answer.status, answer.headers)
        case "wrong":
            return Answer(bytes(255 - byte for byte in answer.body), answer.status, answer.headers)
        case _:
            return answer


class Handler(BaseHTTPRequestHandler):
    """Reads a request, and sends the answer, or what a fault makes of it."""

    def _serve(self) -> None:
        hub: Hub = self.server.hub  # type: ignore[attr-defined]
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        request = Request(self.command, self.path, b"".join(self._body()), token)
        hub.requests.append(request)
        fault = next((fault for fault in [*hub.faults] if fault.strikes(self.command, self.path)), None)
        answer = _changed(self._part(hub.answer(request)), fault)
        try:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command != "HEAD":
                _send(answer, fault, self.wfile)
        except OSError:  # the client has gone, as a test had it
            pass

    do_GET = do_HEAD = do_POST = do_PUT = _serve  # noqa: N815 - the names that http.server looks for

    def _part(self, answer: Answer) -> Answer:
        """Give the part of a body that is asked for."""
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if not asked or answer.status != 200:
            return answer
        start, size = int(asked[1]), len(answer.body)
        headers = answer.headers | {"Content-Range": f"bytes {start}-{size - 1}/{size}"}
        return Answer(answer.body[start:], 206, headers)

    def _body(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                yield self.rfile.read(size + 2)[:-2]
            self.rfile.readline()
        yield self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def log_message(self, *args: object) -> None:
        """Say nothing; ``Hub.requests`` has it all."""
