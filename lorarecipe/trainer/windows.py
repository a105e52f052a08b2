"""What holds a process tree together on Windows: a job object that ends its members when it is closed.

Elsewhere these functions do nothing. Written from Microsoft's documentation of job objects; untested, for want
of a Windows machine.
"""

from __future__ import annotations

import ctypes
import subprocess
import sys

CREATION_FLAGS: int = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)

_EXTENDED_LIMIT_INFORMATION = 9
_LIMIT_KILL_ON_JOB_CLOSE = 0x2000
_SET_QUOTA_AND_TERMINATE = 0x0100 | 0x0001


class _BasicLimits(ctypes.Structure):
    _fields_ = (
        ("PerProcessUserTimeLimit", ctypes.c_int64),
        ("PerJobUserTimeLimit", ctypes.c_int64),
        ("LimitFlags", ctypes.c_uint32),
        ("MinimumWorkingSetSize", ctypes.c_size_t),
        ("MaximumWorkingSetSize", ctypes.c_size_t),
        ("ActiveProcessLimit", ctypes.c_uint32),
        ("Affinity", ctypes.c_size_t),
        ("PriorityClass", ctypes.c_uint32),
        ("SchedulingClass", ctypes.c_uint32),
    )


class _ExtendedLimits(ctypes.Structure):
    _fields_ = (
        ("Basic", _BasicLimits),
        ("IoInfo", ctypes.c_uint64 * 6),
        ("ProcessMemoryLimit", ctypes.c_size_t),
        ("JobMemoryLimit", ctypes.c_size_t),
        ("PeakProcessMemoryUsed", ctypes.c_size_t),
        ("PeakJobMemoryUsed", ctypes.c_size_t),
    )


def hold(pid: int) -> int | None:
    """Put a process into a job that dies with us; gives the job's handle, to be released at its end."""
    if sys.platform != "win32":
        return None
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    job = kernel.CreateJobObjectW(None, None)
    limits = _ExtendedLimits()
    limits.Basic.LimitFlags = _LIMIT_KILL_ON_JOB_CLOSE
    kernel.SetInformationJobObject(job, _EXTENDED_LIMIT_INFORMATION, ctypes.byref(limits), ctypes.sizeof(limits))
    process = kernel.OpenProcess(_SET_QUOTA_AND_TERMINATE, False, pid)
    kernel.AssignProcessToJobObject(job, process)
    kernel.CloseHandle(process)
    return int(job)


def release(job: int | None) -> None:
    """Close a job; what is left in it ends."""
    if sys.platform == "win32" and job is not None:
        ctypes.WinDLL("kernel32").CloseHandle(job)
