"""Pictures that come one by one, as an instrument writes them: each is restored once it is completely written."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from untaught.errors import InputError, legible, quoted
from untaught.jobs.asked import Asked, FolderResult
from untaught.jobs.check_options import SHARED, check_options
from untaught.jobs.inputs import Listing, listed
from untaught.jobs.outputs import Job, check_folder, doubles, jobs_of
from untaught.jobs.record import Signature, signature_of
from untaught.jobs.run import Heard, Run
from untaught.jobs.workers import Crew
from untaught.results.picture_table import Row

if TYPE_CHECKING:
    from untaught.fitting.progress import Progress

SETTLE = 2.0  # seconds
LOOKS = 2  # in that time


@dataclass(frozen=True)
class Watching:
    """How long is waited for what.

    Attributes
    ----------
    settle : float
        Seconds for which size and time of a file have to stay as they are, before it counts as whole. One that
        cannot be read even then is tried again when it changes.
    idle_exit : float, optional
        Seconds after which it ends if nothing has come; None: it does not.
    once : bool
        Whether it ends when all that is there is done.
    """

    settle: float = SETTLE
    idle_exit: float | None = None
    once: bool = False

    def __post_init__(self) -> None:
        for name, value in (("settle", self.settle), ("idle_exit", self.idle_exit)):
            if value is not None and not value > 0:
                raise InputError(f"{name} is {quoted(value)}; give a positive number of seconds")


def watch_pictures(
    asked: Asked,
    watching: Watching,
    heard: Heard | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> FolderResult:
    """Restore what comes into folders until it is interrupted, or as `watching` says.

    Folders are looked at again and again, which works on network drives too.

    Parameters
    ----------
    asked : Asked
        What is asked; its inputs are folders.
    watching : Watching
        How long is waited.
    heard, on_progress : callable, optional
        As in `restore_pictures`.

    Raises
    ------
    InputError, OutputError
        For a call that is wrong.
    """
    check_options(asked.work)
    if asked.work.options.get("noise") == SHARED:
        raise InputError("a shared noise is measured on all files, and these come one by one; give a law")
    for path in asked.inputs:
        if not path.is_dir():
            raise InputError(f"{legible(path)} is no folder that is there; make it first, or name another one")
    check_folder(asked.inputs, asked.output)
    run = Run(asked, heard)
    with run.crew(on_progress) as crew, run.record.alone():
        return _Watch(run, watching).ended(crew)


@dataclass
class _Watch:
    """What was seen of the files: since when each is as it is, and as what it was dealt with."""

    run: Run
    watching: Watching
    since: dict[Path, tuple[Signature, float]] = field(default_factory=dict)
    dealt_with: dict[Path, Signature] = field(default_factory=dict)
    jobs: dict[Path, Job] = field(default_factory=dict)

    def ended(self, crew: Crew) -> FolderResult:
        """Look again and again, and return what became of all."""
        changed = time.monotonic()
        result = None
        try:
            while True:
                ready, waiting = self._looked()
                if ready:
                    self._do(crew, ready)
                    result = self.run.result(self.jobs.values())
                    over = self.run.interrupted or self.run.full
                    if over or any(row.final for row in self.run.rows.values()):
                        return result
                if ready or waiting:
                    changed = time.monotonic()
                elif self.watching.once or self._idle(changed):
                    break
                time.sleep(self.watching.settle / LOOKS)
        except KeyboardInterrupt:
            self.run.interrupted = True
            result = None
        return result or self.run.result(self.jobs.values())

    def _idle(self, changed: float) -> bool:
        limit = self.watching.idle_exit
        return limit is not None and time.monotonic() - changed >= limit

    def _looked(self) -> tuple[list[Job], bool]:
        """Return what is whole and not dealt with, and whether anything else is still being written."""
        jobs, now = self._listed(), time.monotonic()
        ready, waiting = [], False
        for job in jobs:
            try:
                signature = signature_of(job.input)
            except OSError:  # it has gone again, or is a link to nothing yet
                continue
            if self.dealt_with.get(job.place) == signature:
                continue
            before, since = self.since.get(job.place, (None, now))
            if before != signature:
                self.since[job.place] = signature, now
                waiting = True
            elif now - since >= self.watching.settle:
                ready.append(job)
            else:
                waiting = True
        return ready, waiting

    def _listed(self) -> Sequence[Job]:
        """Return what there is to be done with the files that are there now; those that cannot be are told."""
        asked = self.run.asked
        try:
            listing = listed(asked.inputs, asked.recursive)
        except InputError:  # nothing is there yet, or the drive is away for a while
            listing = Listing((), ())
        jobs = jobs_of(listing, asked.output, asked.suffix)
        twice = {job.input for job in self._refused(jobs)}
        return [job for job in jobs if job.input not in twice]

    def _refused(self, jobs: Sequence[Job]) -> list[Job]:
        """Tell of pictures whose output is that of another one, once."""
        found = list(doubles(jobs))
        known = {row.input for row in self.run.refused}
        for job, sentence in found:
            if job.input not in known:
                self.run.refuse_row(Row(job.input, job.output, "failed", note=sentence))
        return [job for job, _ in found]

    def _do(self, crew: Crew, ready: Sequence[Job]) -> None:
        """Restore what is whole; what is not reached is not dealt with."""
        self.jobs |= {job.place: job for job in ready}
        for job in ready:
            self.run.rows.pop(job.place, None)
        self.run.total = len(self.jobs)
        self.run.through(crew, ready)
        for job in ready:
            if job.place in self.run.rows:
                self.dealt_with[job.place] = self.since[job.place][0]
