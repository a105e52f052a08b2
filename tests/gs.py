"""A real server of Google's buckets on loopback (gcp-storage-emulator), behind the proxy of ``tests.s3``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.s3 import Bucket


class GoogleBucket(Bucket):
    """A bucket of the server, behind the proxy."""

    scheme = "gs"
    login = "GOOGLE_APPLICATION_CREDENTIALS"
    sends = "POST"
    sizes: ClassVar = (b"GET", '"size": "')
    refusal = b'{"error": {"code": 403, "message": "aki does not have storage.objects.create access"}}'

    def log_out(self, monkeypatch: pytest.MonkeyPatch, nowhere: Path) -> None:
        """Take the credentials away; ``nowhere`` is a folder without any."""
        for name in ("STORAGE_EMULATOR_HOST", "GOOGLE_APPLICATION_CREDENTIALS"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("CLOUDSDK_CONFIG", str(nowhere))
        monkeypatch.setenv("NO_GCE_CHECK", "true")

    def _server(self, port: int) -> list[str]:
        words = ["start", "-H", "127.0.0.1", "--port", str(port), "--in-memory", "--default-bucket", self.name]
        return [sys.executable, "-m", "gcp_storage_emulator", *words]

    def _access(self, port: int) -> dict[str, str]:
        return {"STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{port}"}

    def _directly(self, address: str) -> Any:
        from gcsfs.core import GCSFileSystem

        return GCSFileSystem(token="anon", endpoint_url=address, skip_instance_cache=True, use_listings_cache=False)
