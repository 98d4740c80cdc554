"""While a file is read, no other is opened: formats can name further ones, and who sent it chose the names."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from untaught.errors import InputError

_ROOTS = (sys.prefix, sys.base_prefix, Path(__file__).parents[2], "/proc", "/sys", os.devnull)
PROGRAM = tuple(os.path.realpath(path) for path in _ROOTS)
"""Where the program and its libraries lie, which are loaded on the way, and what the system says of itself."""
LEADS = "the file leads to other files, which are not opened here; use the command line"

_within: list[str] = []
_refused: list[str] = []
_hooked: list[bool] = []


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse to open what lies elsewhere; Python calls it for all that happens in the process."""
    if event != "open" or not _within or not isinstance(arguments[0], str | bytes | os.PathLike):
        return
    path = os.path.realpath(os.fsdecode(arguments[0]))
    if not any(path == root or path.startswith(root + os.sep) for root in (*_within, *PROGRAM)):
        _refused.append(path)
        raise InputError(LEADS)


@contextmanager
def confined(folder: Path) -> Iterator[None]:
    """Let Python open nothing outside of a folder but the program itself, here and in all threads.

    Raises
    ------
    InputError
        If anything else was to be opened, whatever became of that.
    """
    if not _hooked:
        sys.addaudithook(_refuse)  # it cannot be taken away again
        _hooked.append(True)
    _within.append(os.path.realpath(folder))
    _refused.clear()
    try:
        yield
    except InputError:
        if not _refused:
            raise
    finally:
        _within.pop()
    if _refused:
        raise InputError(LEADS)
