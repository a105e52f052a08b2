"""Run a script so that it dies with the process that started it.

Usage: python guard.py SCRIPT ARGUMENTS | python guard.py -m MODULE ARGUMENTS

A launcher's children do not inherit its death signal, so each link of the chain (the launcher, the trainer)
is started through this file: killing the first with any signal ends them all.
"""

import os
import runpy
import signal
import sys
import threading
import time


def die_with_parent():
    """Ask Linux for SIGKILL at the parent's death; elsewhere on POSIX, look twice a second."""
    if os.name != "posix":
        return  # a Windows job object holds the whole tree
    parent = os.getppid()
    if sys.platform == "linux":
        import ctypes

        set_death_signal = 1  # PR_SET_PDEATHSIG of sys/prctl.h
        ctypes.CDLL(None, use_errno=True).prctl(set_death_signal, signal.SIGKILL)
    else:
        threading.Thread(target=watch, args=(parent,), daemon=True).start()
    expected = os.environ.pop("LORARECIPE_PARENT", None)
    if expected and int(expected) != os.getppid():  # it died before the signal was asked for
        os._exit(1)


def watch(parent):
    """End the process as soon as its parent is another."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


if __name__ == "__main__":
    die_with_parent()
    if sys.argv[1] == "-m":
        module = sys.argv[2]
        sys.argv = sys.argv[2:]
        sys.path[0] = os.getcwd()
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    else:
        sys.argv = sys.argv[1:]
        sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))
        runpy.run_path(sys.argv[0], run_name="__main__")
