"""The stand-in of the hub, by the real client: what it reads is what was committed, and what it commits is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi, errors, hf_hub_download

from tests.hub import Hub


def test_what_was_committed_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Hub() as hub:
        hub.use(monkeypatch)
        hub.page = 2
        files = {"a/b/large.safetensors": bytes(range(256)) * 100, "a/ü #1.txt": b"small", "read.md": b"", "z": b"z"}
        first = hub.add("datasets/aki/set", files)
        hub.add("datasets/aki/set", {"read.md": b"other"}, "refs/pr/1")
        api = HfApi(endpoint=hub.url)
        assert api.repo_info("aki/set", repo_type="dataset").sha == first
        tree = list(api.list_repo_tree("aki/set", recursive=True, repo_type="dataset"))
        assert [one.path for one in tree] == sorted([*files, "a", "a/b"])
        assert [one.path for one in api.list_repo_tree("aki/set", "a", repo_type="dataset")] == ["a/b", "a/ü #1.txt"]
        for path, content in files.items():
            came = hf_hub_download("aki/set", path, repo_type="dataset", endpoint=hub.url, local_dir=tmp_path)
            assert Path(came).read_bytes() == content
        other = hf_hub_download(
            "aki/set", "read.md", repo_type="dataset", revision="refs/pr/1", endpoint=hub.url, cache_dir=tmp_path / "c"
        )
        assert Path(other).read_bytes() == b"other"


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # huggingface_hub's own upload
def test_a_commit_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with Hub() as hub:
        hub.use(monkeypatch, "hf_of_the_test")
        api = HfApi(endpoint=hub.url)
        api.create_repo("aki/lora", private=True)
        head = api.repo_info("aki/lora").sha
        content = {"README.md": b"---\nlicense: mit\n---\n# A LoRA\n", "lora.safetensors": b"1234", "empty.png": b""}
        operations = [CommitOperationAdd(path, data) for path, data in content.items()]
        made = api.create_commit("aki/lora", operations, commit_message="all", parent_commit=head)
        assert hub["models/aki/lora"].private
        assert {path: hub["models/aki/lora"].files()[path] for path in content} == content
        assert made.oid == api.repo_info("aki/lora").sha
        assert hub["models/aki/lora"].log[0][0]["value"]["parentCommit"] == head
        with pytest.raises(errors.HfHubHTTPError) as refused:
            api.create_commit("aki/lora", [CommitOperationAdd("x", b"x")], commit_message="late", parent_commit=head)
        assert refused.value.response.status_code == 412
        with pytest.raises(errors.RepositoryNotFoundError):
            HfApi(endpoint=hub.url, token=False).repo_info("aki/lora")


def test_a_body_that_drops_is_asked_for_from_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Hub() as hub:
        hub.use(monkeypatch, "hf_of_the_test")
        content = bytes(range(256)) * 100
        hub.add("models/aki/bases", {"base.safetensors": content})
        hub.fail("drop", path="/cdn/", times=1)
        came = hf_hub_download("aki/bases", "base.safetensors", endpoint=hub.url, local_dir=tmp_path)
        assert Path(came).read_bytes() == content
        assert hub.count("GET", "/cdn/") == 2
        assert {request.token for request in hub.requests if "/cdn/" in request.path} == {""}
        assert {request.token for request in hub.requests if "/cdn/" not in request.path} == {"hf_of_the_test"}
