"""Ctrl-C, SIGTERM, SIGHUP: the first ends the fit and keeps the best picture, the third leaves at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

PATIENCE = 3
NOTICE = b"untaught: writing the best picture so far; once more to leave without it\n"


class Interrupts:
    """Counts signals while it is entered.

    The first raises KeyboardInterrupt, which `fit` turns into the best picture so far; the second only says that
    this is under way; from the third on each raises again. Inside `held`, and before the first time it is left,
    the first two are kept for later. After `close` they are ignored, and the third ends the program.

    Parameters
    ----------
    to_the_end : bool
        The program ends with the block: signals that come later are ignored, lest they change its exit status.
    """

    def __init__(self, to_the_end: bool = False) -> None:
        self.to_the_end = to_the_end
        self.count = 0
        self.signal = signal.SIGINT
        self._holding = True
        self._closed = False
        self._late = 0
        self._saved: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            for number in caught():
                self._saved[number] = signal.signal(number, self._arrived)
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._saved.items():
            signal.signal(number, signal.SIG_IGN if self.to_the_end else handler)

    @property
    def status(self) -> int:
        """The exit status of a program ended by the signal: 130 for Ctrl-C."""
        return 128 + self.signal

    @property
    def leaving(self) -> bool:
        """Whether the best picture so far is not wanted either."""
        return self.count >= PATIENCE

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let what is inside finish: imports, which break when cut, and the writing of results."""
        self._holding = True
        try:
            yield
        finally:
            self._holding = False

    @contextmanager
    def final(self) -> Iterator[None]:
        """Let what is inside finish, and then `close`."""
        self._holding = True
        try:
            yield
        finally:
            self.close()

    def close(self) -> None:
        """Let the exit status stay what it is: all that had to be done is done."""
        self._closed = True

    def ended(self, what: str) -> int:
        """Return the exit status of a run that wrote something; if it was interrupted, say `what`."""
        if not self.count:
            return 0
        print(f"untaught: interrupted; {what}", file=sys.stderr, flush=True)
        return self.status

    def check(self) -> None:
        """Raise KeyboardInterrupt if a signal came, also one that was held or that somebody swallowed."""
        if self.count:
            raise KeyboardInterrupt

    def _arrived(self, number: int, frame: FrameType | None) -> None:
        if self._closed:
            self._late += 1
            if self._late >= PATIENCE:
                os._exit(self.status)
            return
        self.count += 1
        if self.count == 1:
            self.signal = signal.Signals(number)
        if self.count == 2:
            with suppress(OSError):
                os.write(2, NOTICE)
        if self.leaving or (self.count == 1 and not (self._holding or _loading(frame))):
            raise KeyboardInterrupt


def caught() -> list[signal.Signals]:
    """Return what ends a program and can be caught; SIGHUP not where nohup has it ignored."""
    found = [signal.SIGINT, signal.SIGTERM]
    hup = getattr(signal, "SIGHUP", None)  # not on every system
    if hup is not None and signal.getsignal(hup) != signal.SIG_IGN:
        found.append(hup)
    return found


def _loading(frame: FrameType | None) -> bool:
    """Say whether a module is being loaded: cut in the middle it stays half there, or ends all by the signal."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
