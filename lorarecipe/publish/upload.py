"""Bring files to a repository on a hub, in one commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lorarecipe.errors import NetworkFailed
from lorarecipe.hub import Address, NotOnTheHub, endpoint, hub_failures
from lorarecipe.publish.files import Source


@dataclass(frozen=True)
class Uploaded:
    """Where files came to be, and whether everybody can see them."""

    address: str
    """Of the commit."""
    is_public: bool


def commit_files(files: Mapping[str, Source], address: Address, message: str, *, public: bool) -> Uploaded:
    """Upload files in one commit, on top of what the repository holds; a repository that is not there is created.

    Parameters
    ----------
    files
        Files by their paths in the repository.
    address
        The repository.
    message
        Of the commit.
    public
        Whether everybody may see the files.

    Raises
    ------
    NetworkFailed
        When the hub cannot be reached or refuses, when the repository changed meanwhile, or is public and may not be.
    """
    from huggingface_hub import CommitOperationAdd, HfApi
    from huggingface_hub.errors import RepositoryNotFoundError

    additions = [CommitOperationAdd(name, source) for name, source in files.items()]
    api = HfApi(endpoint=endpoint(), library_name="lorarecipe")
    try:
        with hub_failures(address):
            try:
                found = api.model_info(address.repo)
            except RepositoryNotFoundError:
                api.create_repo(address.repo, private=not public)
                found = api.model_info(address.repo)
            if not found.private and not public:
                problem = f"{address.repo} is public, so everybody could see what is uploaded"
                raise NetworkFailed(f"{problem}; where that is meant, add --public")
            done = api.create_commit(address.repo, additions, commit_message=message, parent_commit=found.sha)
    except NotOnTheHub as problem:
        raise NetworkFailed(str(problem)) from problem
    except ValueError as problem:  # what the hub says of the card
        reason = " ".join(str(problem).split())
        raise NetworkFailed(f"{address}: the hub refuses the model card; change what it says: {reason}") from problem
    return Uploaded(str(done.commit_url), not found.private)
