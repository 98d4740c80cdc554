"""What is shown on standard error while a fit runs: a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import math
import sys
import time
from typing import TYPE_CHECKING, Any

from untaught.cli.signals import Interrupts

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from untaught.fitting.progress import Progress

SECONDS_BETWEEN_LINES = 5.0


class Show:
    """An `on_progress` that shows one bar, or lines, for a whole picture, and nothing when quiet.

    A signal that somebody swallowed is raised again at the next look, which ends the fit.
    """

    def __init__(self, interrupts: Interrupts, quiet: bool = False) -> None:
        self.interrupts = interrupts
        self.quiet = quiet
        self.started = self.said = time.monotonic()
        self.done = 0.0
        self.warned: set[str] = set()
        self.bar: Bar | None = None
        self.task: Any = None

    def __enter__(self) -> Show:
        if not self.quiet and sys.stderr.isatty():
            self.bar = _bar()
            self.task = self.bar.add_task("looking at the noise", total=None, what="")
            self.bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self.bar is not None:
            self.bar.stop()

    def __call__(self, progress: Progress) -> None:
        """Show where the fit is."""
        self.interrupts.check()
        if self.quiet:
            return
        for note in progress.notes:
            self.warn(note)
        if progress.notes:
            return
        # `auto` runs several fits on a plane: the bar must not jump back when the next one starts.
        self.done = max(self.done, progress.planes_done)
        text = describe(progress, time.monotonic() - self.started)
        if self.bar is not None:
            self.bar.update(
                self.task, description=progress.phase, completed=self.done, total=progress.planes, what=text
            )
        elif time.monotonic() - self.said >= SECONDS_BETWEEN_LINES:
            self.said = time.monotonic()
            print(f"{progress.phase}: {text}", file=sys.stderr, flush=True)

    def warn(self, note: str) -> None:
        """Show a sentence that stays, once."""
        if note in self.warned:
            return
        self.warned.add(note)
        line = f"warning: {note}"
        if self.bar is not None:
            self.bar.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            print(line, file=sys.stderr, flush=True)


def describe(progress: Progress, elapsed: float) -> str:
    """Return where a fit is, in a line."""
    parts = []
    if math.isfinite(progress.loss):  # a formula has none
        parts = [f"step {progress.step}/{progress.steps}", f"loss {progress.loss:.4g}"]
    elif progress.steps > 1:
        parts = [f"pass {progress.step}/{progress.steps}"]
    if math.isfinite(progress.score):
        parts.append(f"{progress.score_name} {progress.score:.4g}")
    if progress.parts > 1:
        parts.insert(0, f"part {progress.part + 1}/{progress.parts}")
    if progress.planes > 1:
        parts.insert(0, f"plane {progress.plane + 1}/{progress.planes}")
    parts.append(f"{_clock(elapsed)} so far")
    if progress.steps > 1:
        parts.append(f"at most {_clock(progress.most_left)} left")
    return ", ".join(parts)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(max(seconds, 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _bar() -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TextColumn
    from rich.progress import Progress as Bar

    return Bar(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[what]}", markup=False),
        console=Console(stderr=True),
        transient=True,
        refresh_per_second=5,
    )
