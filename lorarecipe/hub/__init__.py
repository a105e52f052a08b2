"""Files on a hub: addresses, what they mean, and fetching. Only huggingface_hub knows tokens, caches and endpoints."""

from lorarecipe.hub.address import SCHEME, Address, AddressError, address_of, hub_folder, read_address
from lorarecipe.hub.failures import NotOnTheHub, endpoint, hub_failures, quiet
from lorarecipe.hub.fetching import digested, fetch, fetched_bytes
from lorarecipe.hub.resolving import Remote, RemoteFile, resolve
from lorarecipe.hub.transfers import OnBytes, in_threads

__all__ = [
    "SCHEME",
    "Address",
    "AddressError",
    "NotOnTheHub",
    "OnBytes",
    "Remote",
    "RemoteFile",
    "address_of",
    "digested",
    "endpoint",
    "fetch",
    "fetched_bytes",
    "hub_failures",
    "hub_folder",
    "in_threads",
    "quiet",
    "read_address",
    "resolve",
]
