"""What a recipe names on a hub."""

from __future__ import annotations

from pathlib import Path, PureWindowsPath

from pydantic_core import PydanticCustomError

from lorarecipe.files import digest_of, home
from lorarecipe.hub import (
    SCHEME,
    Address,
    AddressError,
    NotOnTheHub,
    Remote,
    address_of,
    digested,
    fetch,
    read_address,
    resolve,
)
from lorarecipe.weights import SafetensorsError, checkpoint_files

_WEB = ("http://", "https://")


def on_hub(text: str, folder: Path) -> Address | None:
    """Give the address that a path of a recipe is; None of a path on this machine.

    In a recipe that was fetched, a relative path is one of the same repository.
    """
    try:
        if text.startswith(SCHEME):
            return read_address(text)
        if text.startswith(_WEB):
            raise AddressError(f"found {text!r}, expected a path, or an address like hf://OWNER/REPO/FILE@REVISION")
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
        fetch(remote, remote.address.place)
    except NotOnTheHub as problem:
        raise _fault(problem) from problem
    return remote.address.place


def promised(address: Address) -> tuple[Remote, Path]:
    """Give what a checkpoint's address means, and the path where the store will have it.

    Of a folder, only what makes a Diffusers checkpoint counts: folders on a hub often hold other precisions too.

    Raises
    ------
    NetworkFailed
        When the hub cannot be asked, or refuses.
    """
    try:
        remote = resolve(address)
        if remote.is_folder:
            remote = remote.only(checkpoint_files(file.path for file in remote.files))
        remote = digested(remote)
    except NotOnTheHub as problem:
        raise _fault(problem) from problem
    except SafetensorsError as problem:
        raise _fault(f"found {address}, expected a .safetensors file or a Diffusers folder ({problem})") from problem
    key = digest_of({"stage": "fetch", **remote.identity})
    return remote, home() / "store" / f"fetch-{key[:16]}" / remote.within


def _fault(problem: object) -> PydanticCustomError:
    return PydanticCustomError("recipe", "{message}", {"message": str(problem)})
