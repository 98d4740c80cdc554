"""Libraries in C++: what they print by themselves, and names that they do not take."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path


@contextmanager
def overheard() -> Iterator[list[bytes]]:
    """Keep from a person, and collect, what a library prints by itself on standard output and error.

    OpenEXR does so for every part that it cannot read, and leaves that out; LibRaw where a file ends too soon.
    """
    lines: list[bytes] = []
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    with tempfile.TemporaryFile() as heard:
        kept = [(number, os.dup(number)) for number in (1, 2)]
        try:
            for number, _ in kept:
                os.dup2(heard.fileno(), number)
            with redirect_stdout(StringIO()) as printed:
                yield lines
        finally:
            for number, copy in kept:
                os.dup2(copy, number)
                os.close(copy)
        heard.seek(0)
        lines += [line for line in (heard.read(), printed.getvalue().encode()) if line]


@contextmanager
def plainly_named(path: Path) -> Iterator[str]:
    """Yield a name of a file for a library that takes text alone: a link to it, where its own name is none."""
    if _is_text(path):
        yield str(path)
        return
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / "picture"
        link.symlink_to(path.absolute())
        yield str(link)


def _is_text(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True
