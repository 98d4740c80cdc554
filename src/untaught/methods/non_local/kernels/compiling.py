"""How functions are compiled: once for a machine, kept on the disk, and never while a module is only imported."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from numba import config, njit
from numba.core import event

# Sums may be taken in any order and products fused, but NaN and infinity stay what they are.
OPTIONS = {"nogil": True, "error_model": "numpy", "fastmath": {"contract", "nsz", "arcp", "reassoc"}}

LITTER = 86400.0  # seconds after which nobody is still writing a file


def inlined(function: Callable[..., Any]) -> Any:
    """Compile a function that only compiled code calls; it becomes part of the callers."""
    return njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **OPTIONS)(function)


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function that Python calls, when it is first called; it is kept beside the package.

    Where that folder cannot be written to, numba takes one of the user's; where there is none either, or no room,
    the function is compiled anew by every process. What is kept and broken is made again.
    """
    try:
        found = njit(cache=True, **OPTIONS)(function)
    except RuntimeError:  # no folder to keep it in
        return njit(**OPTIONS)(function)
    _watch_all_sources(found)
    kept = getattr(found, "_cache", None)
    if hasattr(kept, "save_overload"):
        _forgive(kept)
    return found


def _forgive(kept: Any) -> None:
    """Let nothing hang on what is kept: a disk may be full, and a file cut off by the end of the power."""
    load, save = kept.load_overload, kept.save_overload

    def loaded(*which: Any) -> Any:
        try:
            return load(*which)
        except Exception:  # of unpickling, which may be any
            with suppress(OSError):
                kept.flush()
            return None

    def saved(*what: Any) -> None:
        with suppress(Exception):
            save(*what)
            for left in Path(kept.cache_path).glob("*.nb?.tmp.*"):  # of a process that was killed
                if time.time() - left.stat().st_mtime > LITTER:
                    left.unlink()

    kept.load_overload, kept.save_overload = loaded, saved


def _watch_all_sources(dispatcher: Any) -> None:
    """Let what is kept be out of date when any page of this folder changed: numba looks at the caller's alone."""
    kept: Any = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if hasattr(kept, "_source_stamp"):
        kept._source_stamp = _sources()


@cache
def _sources() -> tuple[tuple[str, float, int], ...]:
    pages = sorted(Path(__file__).parent.glob("*.py"))
    return tuple((page.name, page.stat().st_mtime, page.stat().st_size) for page in pages)


class _Quickly:
    """Sets the level for as long as any thread is inside."""

    def __init__(self) -> None:
        self.lock, self.inside, self.before = Lock(), 0, config.OPT

    def __enter__(self) -> None:
        with self.lock:
            if self.inside == 0:
                self.before, config.OPT = config.OPT, type(config.OPT)(1)
            self.inside += 1

    def __exit__(self, *error: object) -> None:
        with self.lock:
            self.inside -= 1
            if self.inside == 0:
                config.OPT = self.before


_QUICKLY = _Quickly()


def quickly() -> AbstractContextManager[None]:
    """Compile at LLVM's first level inside: the third takes a fourth longer, and the code is no faster for it."""
    return _QUICKLY


class _Told(event.Listener):  # type: ignore[misc]
    """Tells once that something is compiled."""

    def __init__(self, tell: Callable[[], None]):
        self.tell: Callable[[], None] | None = tell

    def on_start(self, event: Any) -> None:
        tell, self.tell = self.tell, None
        if tell is not None:
            tell()

    def on_end(self, event: Any) -> None:
        """Nothing is to be told."""


@contextmanager
def compilation_told(tell: Callable[[], None]) -> Iterator[None]:
    """Call `tell` before the first thing that has to be compiled inside; it may be from another thread."""
    with event.install_listener("numba:compile", _Told(tell)):
        yield
