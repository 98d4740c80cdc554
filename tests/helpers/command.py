"""The real command, and what it may leave behind."""

from __future__ import annotations

import os
import re
import resource
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.conftest import clean, noisy

COMMAND = [sys.executable, "-m", "untaught"]
QUICK = ("--method", "nonlocal", "--noise", "gaussian:25")


def levels(values: np.ndarray) -> np.ndarray:
    """Return [0, 1] values as 8-bit levels."""
    return np.clip(np.rint(values * 255), 0, 255).astype(np.uint8)


def lay_out(folder: Path, monkeypatch: pytest.MonkeyPatch, height: int, width: int) -> Path:
    """Put a noisy picture and its clean version into a folder, go there, and return it."""
    monkeypatch.chdir(folder)
    monkeypatch.delenv("UNTAUGHT_DEBUG", raising=False)
    Pillow.fromarray(levels(noisy(clean(height, width)))).save("in.png")
    Pillow.fromarray(levels(clean(height, width))).save("clean.png")
    return folder


def pixels(path: Path) -> np.ndarray:
    """Return the pixels of a picture."""
    with Pillow.open(path) as opened:
        return np.asarray(opened)


def contents(folder: Path) -> dict[str, bytes | None]:
    """Return all that is in a folder, with its bytes."""
    found = folder.rglob("*")
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in found}


def says(error: str, *words: str) -> bool:
    """Tell whether `error` is one sentence of ours with all the words in it."""
    lines = error.strip().splitlines()
    one = len(lines) == 1 and lines[0].startswith("untaught: ") and "Traceback" not in error
    return one and "internal error" not in error and all(word in error for word in words)


def started(
    folder: Path, *argv: str, variables: dict[str, str] | None = None, **more: object
) -> subprocess.Popen[str]:
    """Start the real command."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("UNTAUGHT_DEBUG", None)
    environment |= variables or {}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([*COMMAND, *argv], cwd=folder, env=environment, **(pipes | more))  # type: ignore[call-overload]


@contextmanager
def small_files_only() -> Iterator[None]:
    """Let no file that this process writes grow beyond 2 KiB, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2048, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def told(page: str) -> list[str] | None:
    """Return the words of the command that a report says makes the result again, if it says one."""
    found = re.search(r"<pre>(untaught .*?)</pre>", page)
    return None if found is None else shlex.split(unescape(found[1]))[1:]
