"""The one place where an error becomes a message and an exit code, and a signal becomes an error."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import platform
import sys
import traceback
from collections.abc import Callable, Iterator

import click

from lorarecipe import __version__, signals
from lorarecipe.errors import LorarecipeError, MachineNotReady, printable_lines
from lorarecipe.language import translated


class ReaderGone(Exception):
    """The reader of what is printed (head, less) has had enough."""


@contextlib.contextmanager
def reader_may_go() -> Iterator[None]:
    """Turn a broken pipe into an error of ours: click would end the process with 1."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError as problem:
        raise ReaderGone from problem


def handled(program: Callable[[], object]) -> int:
    """Run a program and give its exit code (``lorarecipe.errors`` has the table)."""
    signals.install()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a file name need not be text
    try:
        code = program()
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.Abort:
        return 130
    except click.ClickException as wrong:
        said = io.StringIO()
        wrong.show(said)
        _complain(said.getvalue().rstrip())
        return wrong.exit_code
    except LorarecipeError as failure:
        _complain(failure)
        return failure.exit_code
    except ReaderGone:
        # Python would complain again at its end, when it writes what is left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + 13  # as a shell tells SIGPIPE
    except OSError as refusal:
        # what the disk refuses is no bug: it is full, read-only, gone, or a path cannot be
        _complain(f"{refusal.filename or 'the disk'}: {refusal.strerror or refusal}")
        if refusal.errno in {errno.ENOSPC, errno.EDQUOT}:
            _complain("Make room or choose another place (LORARECIPE_HOME, --out), then run the same again.")
        else:
            _complain("Check the path, or choose another (LORARECIPE_HOME, --out), then run the same again.")
        return MachineNotReady.exit_code
    except Exception:  # whatever else it is, it is a bug of ours
        _report_bug()
        return 1
    return code if isinstance(code, int) else 0


def _complain(text: object) -> None:
    click.echo(printable_lines(translated(str(text))), err=True)


def _report_bug() -> None:
    from lorarecipe.files import home, write_atomic

    report_lines = [
        f"lorarecipe {__version__}, Python {platform.python_version()}, {platform.platform()}",
        f"arguments: {sys.argv[1:]}",
        traceback.format_exc(),
    ]
    _complain("This is a bug in lorarecipe. Please report it with this log:")
    log = home() / "bug.log"
    with contextlib.suppress(OSError):
        write_atomic(log, "\n".join(report_lines))
        click.echo(str(log), err=True)
    click.echo("\n".join(report_lines), err=True)
