"""What a recipe names on a hub."""

from __future__ import annotations

from pathlib import Path, PureWindowsPath

from pydantic_core import PydanticCustomError

from lorarecipe.files import digest_of, home
from lorarecipe.hub import SCHEME, Address, AddressError, NotOnTheHub, Remote, address_of, fetch, read_address, resolve


def on_hub(text: str, folder: Path) -> Address | None:
    """Give the address that a path of a recipe is; None of a path on this machine.

    In a recipe that was fetched, a relative path is one of the same repository.
    """
    try:
        if text.startswith(SCHEME):
            return read_address(text)
        beside = address_of(folder)
        if beside and (Path(text).is_absolute() or PureWindowsPath(text).drive or text.startswith("~")):
            raise AddressError(f"found {text!r} in a recipe from {beside.repo}, expected a path of that repository")
        return beside.beside(text) if beside else None
    except AddressError as problem:
        raise _fault(problem) from problem


def fetched(address: Address) -> Path:
    """Fetch a file or a folder, unless that was done before, and give its path.

    Raises
    ------
    NetworkFailed
        When the hub cannot be asked, refuses, or breaks off.
    """
    try:
        remote = resolve(address)
        path = remote.address.folder / remote.address.path
        fetch(remote, path)
    except NotOnTheHub as problem:
        raise _fault(problem) from problem
    return path


def promised(address: Address) -> tuple[Remote, Path]:
    """Give what an address means, and the path where the store will have it.

    Raises
    ------
    NetworkFailed
        When the hub cannot be asked, or refuses.
    """
    try:
        remote = resolve(address)
    except NotOnTheHub as problem:
        raise _fault(problem) from problem
    key = digest_of({"stage": "fetch", **remote.identity})
    return remote, home() / "store" / f"fetch-{key[:16]}" / remote.address.name


def _fault(problem: Exception) -> PydanticCustomError:
    return PydanticCustomError("recipe", "{message}", {"message": str(problem)})
