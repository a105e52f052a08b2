"""Connect to a Ray cluster, or start one on this machine."""

from __future__ import annotations

import os
import secrets
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib.util import find_spec
from tempfile import TemporaryDirectory
from typing import Any

from lorarecipe.cluster.worker import OnCluster
from lorarecipe.errors import MachineNotReady
from lorarecipe.plan import Plan, is_on_gpu
from lorarecipe.store import Store

LOCAL = "local"
#: stages at a time, where nothing says how many: each has a thread in this process
_MOST = 64
#: bytes for what is passed through Ray: stages and events alone
_MEMORY = 80 * 2**20
#: where the folder for Ray's sockets is made: a path may have 103 letters for a socket, and TMPDIR can be a long one
_PARENT = "/tmp" if os.name == "posix" else None  # noqa: S108 - what is made in it is for this user alone
#: seconds that the head of a cluster may take to answer
_SECONDS = 10.0


@contextmanager
def on_cluster(address: str, plan: Plan, store: Store, jobs: int | None = None) -> Iterator[list[OnCluster]]:
    """Connect to a cluster, and give a worker for each stage that it makes at a time.

    Parameters
    ----------
    address
        ``HOST:PORT`` of a cluster that this machine is a part of, or ``local``: one on this machine, for this run.
    plan
        What is to be made.
    store
        The driver's own; every machine of the cluster has the same one in its LORARECIPE_HOME.
    jobs
        How many stages at a time; left out, as many as the cluster has GPUs for, or CPUs where it has none.

    Raises
    ------
    MachineNotReady
        When Ray is not installed, the cluster cannot be reached, or it has another release of Ray or of Python.
    """
    if not find_spec("ray"):
        raise MachineNotReady("--ray needs Ray, which is not installed: pip install 'lorarecipe[ray]'")
    if address != LOCAL:
        _require_listener(address)
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if address == LOCAL:
        _close_to_others()
    import ray

    with _private_folder() if address == LOCAL else nullcontext() as folder:
        try:
            _connect(address, _own(folder, jobs) if folder else {})
            worker = OnCluster(store, plan.engine, f"lorarecipe-{secrets.token_hex(8)}")
            yield [worker] * (jobs or _at_a_time(plan))
        finally:
            ray.shutdown()


def _close_to_others() -> None:
    """Have Ray, before it is imported, listen to this machine alone and ask callers for a secret of this run.

    Whoever reaches a port of Ray can have it run any program. On Linux, Ray takes the machine's address in the network
    even where it is given 127.0.0.1, and listens on all addresses; the first variable turns that off.
    """
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    if "RAY_AUTH_MODE" not in os.environ:
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}


def _private_folder() -> TemporaryDirectory[str]:
    """Make a folder of this user alone for Ray's sockets: all users may change what is in Ray's own folders."""
    return TemporaryDirectory(prefix="ray-", dir=_PARENT, ignore_cleanup_errors=True)


def _own(folder: str, jobs: int | None) -> dict[str, Any]:
    """Give what a cluster on this machine is started with."""
    within = os.path.join(folder, "ray")  # noqa: PTH118 - Ray takes a text; it opens this folder to all users
    return {"num_cpus": jobs, "include_dashboard": False, "object_store_memory": _MEMORY, "_temp_dir": within}


def _connect(address: str, own: dict[str, Any]) -> None:
    import ray

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        ray.init(address=address, log_to_driver=False, logging_level="CRITICAL", **own)
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as problem:
        reason = (str(problem).strip() or type(problem).__name__).splitlines()[0]
        if own:
            raise MachineNotReady(f"--ray {address}: Ray {ray.__version__} cannot be started: {reason}") from None
        raise MachineNotReady(
            f"--ray {address}: no connection to the cluster: {reason}\n"
            f"This machine has to be a part of it: ray start --address={address}, with Ray {ray.__version__} on all."
        ) from None
    finally:
        for number, handler in handlers.items():  # Ray ends the process at SIGTERM; a run has trainings pause
            signal.signal(number, handler)


def _require_listener(address: str) -> None:
    """Look whether somebody listens there: Ray itself tries for a minute, and tells of each time."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), _SECONDS).close()
    except (OSError, OverflowError) as problem:
        raise MachineNotReady(
            f"--ray {address}: no Ray cluster can be reached there: {problem}; start it with ray start --head"
        ) from None


def _at_a_time(plan: Plan) -> int:
    import ray

    has = ray.cluster_resources()
    on_gpu = any(map(is_on_gpu, plan.stages))
    number = has.get("GPU", 0) if on_gpu else 0
    return max(1, min(_MOST, int(number or has.get("CPU", 1))))
