"""Google's buckets, by gcsfs: what it does beyond reading and writing objects is left out here."""

from __future__ import annotations

import logging
import os
import warnings
from inspect import unwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

#: how often gcsfs tries a request; its own six times, with up to 16 s between them, are minutes for one file
_TRIES = 3
#: seconds for a connection, and for the next bytes of an answer, as s3fs has them; gcsfs itself would wait for ever
_CONNECTED, _ANSWERED = 5, 15


def google_buckets(**options: bool) -> AbstractFileSystem:
    """Give gcsfs's file system of buckets.

    The class that gcsfs chooses by itself asks for the type of the bucket by gRPC before each request, for up to a
    minute where gRPC does not get through, and logs a warning then; its plain class, which is taken here, does not.
    Where there are no credentials, ``google.auth`` says so; gcsfs would go on without any. Emulators need none.
    """
    from aiohttp import ClientTimeout
    from gcsfs.core import GCSFileSystem
    from gcsfs.retry import retry_request

    class Plain(GCSFileSystem):  # type: ignore[misc]  # gcsfs has no types
        """Fails within seconds, and fetches a file by one request."""

        async def _get_file(self, rpath: str, lpath: str, callback: object = None, **_: object) -> None:
            await super()._get_file(rpath, lpath, callback=callback, concurrency=1)

    for name in ("_request", "_get_file_request"):
        if method := getattr(GCSFileSystem, name, None):  # a release without it tries as often as it likes
            setattr(Plain, name, retry_request(retries=_TRIES)(unwrap(method)))
    for library in ("gcsfs", "google"):  # their remarks, with tracebacks, would come in between ours
        logging.getLogger(library).addHandler(logging.NullHandler())
    token = "anon" if os.environ.get("STORAGE_EMULATOR_HOST") else "google_default"
    timeout = ClientTimeout(total=None, sock_connect=_CONNECTED, sock_read=_ANSWERED)
    with warnings.catch_warnings(action="ignore"):  # of a login without a project, which no bucket needs
        return Plain(token=token, requests_timeout=timeout, **options)
