"""A call that may be wrong, and what is wanted of every call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

Random = np.random.Generator


@dataclass(frozen=True)
class Call:
    """A call of the command line, or of Python.

    Attributes
    ----------
    argv : tuple of str
        The words of the command; empty for a call of Python.
    python : callable or None
        The call of Python.
    said : str
        What was done to the input, or asked, for whoever reads of a fault.
    may_change : tuple of str
        What may be there afterwards or be another: outputs, by the first part of their path.
    """

    argv: tuple[str, ...] = ()
    python: Callable[[], object] | None = None
    said: str = ""
    may_change: tuple[str, ...] = ()


@dataclass
class Seen:
    """What became of a call: its exit status (of Python 0, or 2 for an error of ours), and what it printed."""

    status: int | None
    out: str = ""
    err: str = ""
    value: Any = None
    trace: str = ""
    """Where it broke, by the last lines of ours and of the library."""
    warned: tuple[str, ...] = ()
    grown: int = 0
    """MiB of memory that it took at its peak beyond what the process had."""
    left: tuple[str, ...] = field(default_factory=tuple)
    """What it left in the folder for temporary files."""


@dataclass(frozen=True)
class Fault:
    """What a call should not do; `sign` is the same for faults of one cause."""

    what: str
    sign: str


Contents = dict[str, Any]


def contents(folder: Path) -> Contents:
    """Return all that lies in a folder: bytes of files, ends of links, None for folders."""
    found: Contents = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = ("link", str(path.readlink()))
        elif path.is_file():
            found[name] = path.read_bytes()
        else:
            found[name] = None
    return found


@contextmanager
def settled(limit: float) -> Iterator[None]:
    """Write the stack down, on what is standard error then, where something takes longer than `limit` seconds."""
    import faulthandler

    faulthandler.dump_traceback_later(limit)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
