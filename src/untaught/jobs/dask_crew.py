"""The workers of a Dask cluster as a crew: pictures go to them one by one."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from untaught.errors import UntaughtError
from untaught.image.atomic import into_place
from untaught.image.passing import Held, passing_folder
from untaught.jobs import dask_tasks
from untaught.jobs.cluster import ALONE, Cluster, DiedError
from untaught.jobs.one_picture import Work, done, failed
from untaught.jobs.outputs import Job
from untaught.jobs.record import signature_of
from untaught.results.picture_table import Row

LARGE = 2**29  # bytes of a file, from which on all workers restore it together


class DaskCrew:
    """Hands pictures to a cluster.

    What a worker writes lies beside the outputs, each attempt in a place of its own, and is put into its place
    here. So a worker that was given up for lost, and was not, changes nothing any more.

    Parameters
    ----------
    cluster : Cluster
        Who does it; closed with this.
    work : Work
        What is asked of every picture.
    folder : Path or None
        Where to write meanwhile; None where nothing is written.
    """

    def __init__(self, cluster: Cluster, work: Work, folder: Path | None = None) -> None:
        self.cluster = cluster
        self.work = work
        self.above = folder
        self.folder: Path | None = None  # made when there is something to write
        self._held: Held | None = None
        self._count = self._waiting = 0
        self._large: list[Job] = []

    @property
    def room(self) -> int:
        """See `Crew`."""
        return self.cluster.room

    def submit(self, job: Job) -> None:
        """Give a picture to whoever is free next."""
        job = self._staged(job)
        if self._is_large(job):
            self._large.append(job)
            return
        self._waiting += 1
        self.cluster.submit(job, dask_tasks.restored, os.getcwd(), self.work, job)

    def next(self) -> tuple[Job, Row]:
        """Wait for a picture, and put it into its place; large ones come last, each done by all workers."""
        if not self._waiting:
            from untaught.jobs.by_blocks import ByBlocks  # brings torch

            ticket = self._large.pop(0)
            with ByBlocks(self.cluster, ticket.staged or ticket.output) as by:
                found: Any = done(self.work, ticket, by=by)
        else:
            ticket, found = self.cluster.next()
            self._waiting -= 1
        job = replace(ticket, staged=None)
        if isinstance(found, DiedError):
            return job, Row(job.input, job.output, "failed", note=f"{found}; try it alone")
        if isinstance(found, Exception):
            return job, failed(job, found)
        try:
            if found.status == "done" and ticket.staged is not None:
                into_place(ticket.staged, job.output)
        except (OSError, UntaughtError) as error:
            return job, failed(job, error, found.seconds)
        return job, found

    def close(self) -> None:
        """Leave the cluster; what was not put into its place is removed."""
        self.cluster.close()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
        if self._held is not None:
            self._held.let_go()

    def _is_large(self, job: Job) -> bool:
        """Tell whether a picture is restored block by block."""
        options = self.work.options
        if self.work.verb != "denoise" or self.work.laws or any(options.get(name) is not None for name in ALONE):
            return False
        try:
            return signature_of(job.input)[0] >= LARGE
        except OSError:  # said by who reads it
            return False

    def _staged(self, job: Job) -> Job:
        """Return the job with a place of its own to write to."""
        if self.above is None:
            return job
        if self.folder is None:
            self.folder, self._held = passing_folder(self.above.absolute())
        self._count += 1
        place = self.folder / str(self._count)
        place.mkdir(parents=True, exist_ok=True)
        return replace(job, staged=place / job.output.name)
