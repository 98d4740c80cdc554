"""What `main` does: whatever happens becomes an exit status and at most one sentence."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from untaught.cli.signals import Interrupts
from untaught.errors import explained

if TYPE_CHECKING:
    from untaught.cli.app import Job


def run(argv: Sequence[str] | None) -> int:
    """Do what the arguments say and return the exit status; see `untaught.cli.main`."""
    with Interrupts(to_the_end=argv is None) as interrupts:
        try:
            with interrupts.held():
                _prepare_streams(quiet=argv is None)
            status = _job(sys.argv[1:] if argv is None else list(argv), interrupts)
            with interrupts.final():
                sys.stdout.flush()
            return status
        except KeyboardInterrupt:
            return _interrupted(interrupts)
        except BrokenPipeError:
            interrupts.close()
            return _hushed(sys.stdout, 0)
        except Exception as error:
            interrupts.close()
            if os.environ.get("UNTAUGHT_DEBUG"):
                raise
            return _refused(error, interrupts)


def _interrupted(interrupts: Interrupts) -> int:
    interrupts.close()
    _say("interrupted; there is no result")
    return _hushed(sys.stdout, interrupts.status)


def _refused(error: Exception, interrupts: Interrupts) -> int:
    status, sentence = explained(error)
    if status == 1 and interrupts.count:  # a library that is cut while it loads fails in many ways
        return _interrupted(interrupts)
    _say(sentence)
    return _hushed(sys.stdout, status)


def _prepare_streams(quiet: bool) -> None:
    """Let file names of any bytes be printed, and, where `quiet`, keep other people's warnings off the screen."""
    import warnings

    if quiet and not os.environ.get("UNTAUGHT_DEBUG"):
        warnings.simplefilter("ignore")
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - lives until the program ends
        stream = getattr(sys, name)
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _job(argv: list[str], interrupts: Interrupts) -> int:
    with interrupts.held():
        from untaught.cli.parse import parse
    interrupts.check()
    job: Job | int = parse(argv)
    interrupts.check()
    return job if isinstance(job, int) else job(interrupts)


def _say(sentence: str) -> None:
    """Print one line on standard error."""
    try:
        print(f"untaught: {' '.join(sentence.split())}", file=sys.stderr, flush=True)
    except (OSError, ValueError):  # standard error is closed: the exit status has to do
        _hushed(sys.stderr, 0)


def _hushed(stream: TextIO, status: int) -> int:
    """Point a stream nobody reads, or that cannot be written, to nowhere, so that Python's exit is silent."""
    try:
        stream.flush()
    except (OSError, ValueError):
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        except (OSError, ValueError):
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - lives until the program ends
    return status
