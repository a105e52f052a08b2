"""A stand-in of the Hugging Face hub on loopback, driven by the real huggingface_hub.

It keeps repositories of models and datasets in memory: commits, branches and tags; large files are on a "CDN" of another
host name, as on the real one. ::

    with Hub() as hub:
        commit = hub.add("models/aki/bases", {"base.safetensors": content})
        hub.use(monkeypatch)  # for this process; hub.environment() is for another one
        ...
        assert hub.count("GET", "/cdn/") == 1
        hub.fail("drop", path="/cdn/", times=1)  # see hub_faults.Way; or a status: hub.fail(429, times=1)

Tests that upload large files need ``filterwarnings("ignore:Use 'content=:DeprecationWarning")``, for huggingface_hub's
own. A private repository, and all writing, needs one of ``hub.tokens``. ``hub.requests`` holds every request with its body;
``hub["models/aki/bases"].files()`` is what is at the head of a branch, ``.log`` its commits as they were sent.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from http.server import ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from tests.hub_faults import Answer, Fault, Handler, Request, Way
from tests.hub_repository import Refusal, Repository, blob, is_large, sha256, within


class Hub:
    """The stand-in; see the module."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.large: dict[str, bytes] = {}
        """Content by SHA-256."""
        self.tokens = {"hf_of_the_test"}
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self.page = 1000
        """Entries of a page of a tree."""
        self._lock = Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.hub = self  # type: ignore[attr-defined]
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Hub:
        self._thread.start()
        return self

    def __exit__(self, *why: object) -> None:
        self.heal()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __getitem__(self, name: str) -> Repository:
        return self.repositories[name]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def environment(self, token: str = "") -> dict[str, str]:
        """Variables for a process that is to use it, without the protocol of xet, which has servers of its own."""
        given = {"HF_ENDPOINT": self.url, "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
        return given | ({"HF_TOKEN": token} if token else {})

    def use(self, monkeypatch: pytest.MonkeyPatch, token: str = "") -> None:
        """Have this process use it; what huggingface_hub read when it was imported is set as well."""
        for name, value in self.environment(token).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)

    def add(self, name: str, files: Mapping[str, bytes], branch: str = "main", *, private: bool = False) -> str:
        """Commit files, and nothing else, to ``models/OWNER/NAME`` or ``datasets/OWNER/NAME``; give the commit."""
        self.large |= {sha256(content): content for path, content in files.items() if is_large(path, len(content))}
        return self.repositories.setdefault(name, Repository(private)).commit(files, branch)

    def fail(
        self,
        how: int | Way,
        *,
        method: str = "",
        path: str = "",
        times: float = math.inf,
        headers: dict[str, str] | None = None,
    ) -> Fault:
        """Have something go wrong with the requests whose path is found by a regular expression."""
        self.faults.append(Fault(how, method, path, times, headers or {}))
        return self.faults[-1]

    def heal(self) -> None:
        """End all faults, and release what is held."""
        for fault in self.faults:
            fault.released.set()
        self.faults = []

    def count(self, method: str, path: str) -> int:
        """Count the requests whose path is found by a regular expression."""
        return sum(request.method == method and bool(re.search(path, request.path)) for request in self.requests)

    def answer(self, request: Request) -> Answer:
        """Give what the hub answers, if nothing goes wrong."""
        target = urlsplit(request.path)
        parts = target.path.strip("/").split("/")
        try:
            if request.token and request.token not in self.tokens and parts[0] != "cdn":
                raise Refusal(401, "Invalid credentials in Authorization header")
            with self._lock:
                return self._answer(request, parts, parse_qs(target.query))
        except Refusal as refusal:
            return refusal.answer

    def _answer(self, request: Request, parts: list[str], query: dict[str, list[str]]) -> Answer:
        match request.method, parts:
            case (("GET" | "HEAD"), ["cdn", digest]):
                return Answer(self.large[digest], headers={"ETag": f'"{digest}"'})
            case "PUT", ["lfs", digest] if sha256(request.body) == digest:
                self.large[digest] = request.body
                return Answer()
            case "POST", ["api", "validate-yaml"]:
                return _json({"errors": [], "warnings": []})
            case "POST", ["api", "repos", "create"]:
                return self._create(request)
            case _, ["api", kind, owner, name, *rest]:
                return self._api(request, f"{kind}/{owner}/{name}", rest, query)
            case _, ["datasets", owner, name, *rest]:
                return self._plain(request, f"datasets/{owner}/{name}", rest)
            case _, [owner, name, *rest]:
                return self._plain(request, f"models/{owner}/{name}", rest)
        raise Refusal(404, "Sorry, we can't find the page you are looking for.")

    def _api(self, request: Request, name: str, rest: list[str], query: dict[str, list[str]]) -> Answer:
        match request.method, rest:
            case "GET", [] | ["revision", _]:
                repository = self._readable(name, request)
                told = {"id": name.partition("/")[2], "private": repository.private, "siblings": []}
                return _json(told | {"sha": repository.head(rest[1] if rest else "main")})
            case "POST", ["paths-info", revision]:
                paths = parse_qs(request.body.decode()).get("paths", [])
                return _json([one for one in self._readable(name, request).tree(revision) if one["path"] in paths])
            case "GET", ["tree", revision, *folder]:
                recursive, start = query.get("recursive") == ["true"], int(query.get("cursor", ["0"])[0])
                tree = self._readable(name, request).tree(revision)
                found = within(tree, unquote("/".join(folder)), recursive=recursive)
                answer = _json(found[start : start + self.page])
                if start + self.page < len(found):
                    following = f"{self.url}{urlsplit(request.path).path}?recursive={str(recursive).lower()}"
                    answer.headers["Link"] = f'<{following}&cursor={start + self.page}>; rel="next"'
                return answer
            case "POST", ["preupload", revision]:
                asked = json.loads(request.body)
                return _json({"files": self._writable(name, request).modes(revision, asked)})
            case "POST", ["commit", branch]:
                commit = self._writable(name, request).write(branch, request.body, self.large)
                address = f"{self.url}/{name.removeprefix('models/')}/commit/{commit}"
                return _json({"success": True, "commitOid": commit, "commitUrl": address})
        raise Refusal(404, "Sorry, we can't find the page you are looking for.")

    def _plain(self, request: Request, name: str, rest: list[str]) -> Answer:
        match request.method, rest:
            case (("GET" | "HEAD"), ["resolve", revision, *path]) if path:
                return self._file(self._readable(name, request), revision, unquote("/".join(path)))
            case "POST", ["info", "lfs", "objects", "batch"]:
                self._writable(name.removesuffix(".git"), request)
                return _json({"objects": [self._place(told) for told in json.loads(request.body)["objects"]]})
        raise Refusal(404, "Sorry, we can't find the page you are looking for.")

    def _readable(self, name: str, request: Request) -> Repository:
        repository = self.repositories.get(name)
        if not repository or (repository.private and not request.token):
            raise Refusal(404 if request.token else 401, "Repository not found", "RepoNotFound")
        if repository.gated and "/resolve/" in request.path:
            raise Refusal(403, f"Access to {name} is restricted", "GatedRepo")
        return repository

    def _writable(self, name: str, request: Request) -> Repository:
        if not request.token:
            raise Refusal(401, "Invalid username or password.")
        return self._readable(name, request)

    def _file(self, repository: Repository, revision: str, path: str) -> Answer:
        commit = repository.head(revision)
        content = repository.files(commit).get(path)
        headers = {"X-Repo-Commit": commit}
        if content is None:
            raise Refusal(404, "Entry not found", "EntryNotFound")
        if not is_large(path, len(content)):
            return Answer(content, headers=headers | {"ETag": f'"{blob(content)}"'})
        digest = sha256(content)
        place = f"http://localhost:{self._server.server_port}/cdn/{digest}"
        headers |= {"Location": place, "X-Linked-Etag": f'"{digest}"', "X-Linked-Size": str(len(content))}
        return Answer(status=302, headers=headers)

    def _create(self, request: Request) -> Answer:
        told = json.loads(request.body)
        kind, name = f"{told.get('type') or 'model'}s", f"{told['organization']}/{told['name']}"
        if not request.token:
            raise Refusal(401, "Invalid username or password.")
        if f"{kind}/{name}" in self.repositories:
            raise Refusal(409, "You already created this repo")
        self.add(f"{kind}/{name}", {".gitattributes": b"* text=auto\n"}, private=told.get("visibility") == "private")
        return _json({"url": f"{self.url}/{'datasets/' * (kind == 'datasets')}{name}", "name": name})

    def _place(self, told: dict[str, Any]) -> dict[str, Any]:
        """Tell where to send a large file; nowhere where it is there."""
        there = {"oid": told["oid"], "size": told["size"]}
        if told["oid"] in self.large:
            return there
        return there | {"actions": {"upload": {"href": f"{self.url}/lfs/{told['oid']}", "header": {}}}}


def _json(told: object) -> Answer:
    return Answer(json.dumps(told).encode(), headers={"Content-Type": "application/json"})
