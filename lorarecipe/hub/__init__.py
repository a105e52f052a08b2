"""Files on a hub: addresses, what they mean, and fetching. Only huggingface_hub knows tokens, caches and endpoints."""

from lorarecipe.hub.address import SCHEME, Address, AddressError, address_of, hub_folder, read_address
from lorarecipe.hub.failures import NotOnTheHub, hub_failures
from lorarecipe.hub.fetching import fetch
from lorarecipe.hub.resolving import Remote, RemoteFile, resolve

__all__ = [
    "SCHEME",
    "Address",
    "AddressError",
    "NotOnTheHub",
    "Remote",
    "RemoteFile",
    "address_of",
    "fetch",
    "hub_failures",
    "hub_folder",
    "read_address",
    "resolve",
]
