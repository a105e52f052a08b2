"""Repositories of the stand-in of the hub: what is in them, and what the hub tells of it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tests.hub_faults import Answer

_LARGE = re.compile(r"\.(safetensors|bin|npz|png|jpg|webp)$")
_LARGE_FROM = 10_000_000


class Refusal(Exception):
    """An answer that is an error, as the hub words it."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        headers = {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {})
        self.answer = Answer(json.dumps({"error": message}).encode(), status, headers)


def is_large(path: str, size: int) -> bool:
    return bool(_LARGE.search(path)) or size > _LARGE_FROM


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@dataclass
class Repository:
    """Its files at each commit, and what its branches and tags name."""

    private: bool = False
    gated: bool = False
    trees: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """Files by commit."""
    refs: dict[str, str] = field(default_factory=dict)
    """Commits by branch or tag."""
    log: list[list[dict[str, Any]]] = field(default_factory=list)
    """Commits as they were sent, a list of lines each."""

    def head(self, revision: str) -> str:
        """Give the commit of a branch, a tag or a commit, quoted as in an address."""
        commit = self.refs.get(unquote(revision), unquote(revision))
        if commit not in self.trees:
            raise Refusal(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return commit

    def files(self, revision: str = "main") -> dict[str, bytes]:
        return self.trees[self.head(revision)]

    def commit(self, files: Mapping[str, bytes], branch: str = "main") -> str:
        """Make ``files`` all that a branch holds, and give the commit."""
        told = [self.refs.get(branch, ""), str(len(self.trees)), *(path + blob(files[path]) for path in files)]
        commit = hashlib.sha1("\n".join(told).encode()).hexdigest()
        self.trees[commit] = dict(files)
        self.refs[branch] = commit
        return commit

    def tree(self, revision: str) -> list[dict[str, Any]]:
        """Tell of all files and folders what the hub tells."""
        files = self.files(revision)
        folders = {path.rsplit("/", at)[0] for path in files for at in range(1, path.count("/") + 1)}
        told = [{"type": "directory", "path": path, "size": 0, "oid": blob(path.encode())} for path in folders]
        return sorted([*told, *(_entry(path, files[path]) for path in files)], key=lambda one: str(one["path"]))

    def modes(self, revision: str, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Tell how files are to be sent."""
        there, told = self.files(revision), []
        for file in asked["files"]:
            path, large = file["path"], is_large(file["path"], file["size"])
            oid = None if path not in there else (sha256 if large else blob)(there[path])
            mode = "lfs" if large else "regular"
            told.append({"path": path, "uploadMode": mode, "shouldIgnore": False, "oid": oid})
        return told

    def write(self, branch: str, sent: bytes, large: Mapping[str, bytes]) -> str:
        """Make the commit that was sent, and give it."""
        header, *lines = (json.loads(line) for line in sent.splitlines())
        head = self.head(branch)
        if header["value"].get("parentCommit", head) != head:
            raise Refusal(412, "A commit has happened since. Please refresh and try again.")
        files = dict(self.files(head))
        for line in lines:
            value = line["value"]
            match line["key"]:
                case "file":
                    files[value["path"]] = base64.b64decode(value["content"])
                case "lfsFile" if value["oid"] in large:
                    files[value["path"]] = large[value["oid"]]
                case "deletedFile":
                    del files[value["path"]]
                case _:
                    raise Refusal(400, f"{value['path']} was not uploaded")
        self.log.append([header, *lines])
        return self.commit(files, unquote(branch))


def within(tree: Collection[dict[str, Any]], folder: str, *, recursive: bool) -> list[dict[str, Any]]:
    """Give what is in a folder."""
    start = f"{folder}/" if folder else ""
    found = [one for one in tree if one["path"].startswith(start)]
    if start and not found:
        raise Refusal(404, f"{folder} does not exist", "EntryNotFound")
    return [one for one in found if recursive or "/" not in one["path"].removeprefix(start)]


def _entry(path: str, content: bytes) -> dict[str, Any]:
    told: dict[str, Any] = {"type": "file", "path": path, "size": len(content), "oid": blob(content)}
    if is_large(path, len(content)):
        told["lfs"] = {"oid": sha256(content), "size": len(content), "pointerSize": 134}
    return told
