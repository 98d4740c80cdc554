"""Many pictures, from what was asked to their answers, a table and a page."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from untaught.errors import InputError, OutputError, legible
from untaught.image.atomic import made_folder, write_text
from untaught.image.passing import remove_litter
from untaught.jobs.asked import Asked, FolderResult
from untaught.jobs.check_options import SHARED, check_options
from untaught.jobs.dask_address import LOCAL, address_of
from untaught.jobs.inputs import Listing, listed
from untaught.jobs.one_picture import Work, is_full
from untaught.jobs.outputs import Job, planned, refuse_inputs
from untaught.jobs.record import FOLDER, Record, call_hash
from untaught.jobs.workers import LEAST_MEMORY, Crew, crew_of
from untaught.results.folder_page import folder_page
from untaught.results.picture_table import Row, table_text

if TYPE_CHECKING:
    from untaught.fitting.progress import Progress

THUMBNAILS, LAWS = "thumbnails", "noise.json"
FOREIGN = "{} is there already and is not as this program wrote it; move it away, or give --overwrite"
STOPPED = "the run ended before it"

Heard = Callable[[Row, int, int], None]
"""Told of every row as it comes, how many there were until then, and how many there will be."""


def restore_pictures(
    asked: Asked, heard: Heard | None = None, on_progress: Callable[[Progress], None] | None = None
) -> FolderResult:
    """Restore many pictures; what was done by the same call before is kept, what fails is a row that says so.

    Parameters
    ----------
    asked : Asked
        What is asked.
    heard : callable, optional
        See `Heard`.
    on_progress : callable, optional
        Called with the progress of the picture that is worked on, where that is in this process.

    Raises
    ------
    InputError, OutputError
        For a call that is wrong, before anything is written.
    """
    if not asked.checked_there:
        check_options(asked.work)
    address_of(asked.dask)
    listing = listed(asked.inputs, asked.recursive, asked.work.reading)
    jobs = planned(listing, asked.output, asked.suffix)
    refuse_inputs((job.output for job in jobs), named_files(asked.work.options))
    _check_tables(asked)
    asked = _with_laws(asked, listing)
    if asked.shard is not None:
        listing, jobs = listing.shard(asked.shard), jobs[asked.shard[0] - 1 :: asked.shard[1]]
    run = Run(asked, heard, len(jobs) + len(listing.refused))
    with run.crew(on_progress) as crew, run.record.alone():  # where there is no crew, nothing is written
        run.refuse(listing)
        run.through(crew, jobs)
        return run.result(jobs, listing.notes)


def inspect_pictures(asked: Asked, heard: Heard | None = None) -> FolderResult:
    """Look at the noise of many pictures; nothing is written.

    Parameters
    ----------
    asked : Asked
        What is asked; its output is not used.
    heard : callable, optional
        See `Heard`.

    Raises
    ------
    InputError
        For a call that is wrong.
    """
    listing = listed(asked.inputs, asked.recursive, asked.work.reading)
    listing = listing if asked.shard is None else listing.shard(asked.shard)
    jobs = [Job(source.path, source.path, source.place) for source in listing.sources]
    rows: list[Row] = []
    interrupted = False

    def take(row: Row) -> None:
        rows.append(row)
        if heard is not None:
            heard(row, len(rows), len(jobs) + len(listing.refused))

    for path, note in listing.refused:
        take(Row(path, path, "failed", note=note))
    with Closing(lambda: _crew(asked, prepared(asked))) as crew:
        try:
            for job in jobs:
                crew.submit(job)
            for _ in jobs:
                take(crew.next()[1])
        except KeyboardInterrupt:
            interrupted = True
    return FolderResult(tuple(rows), asked.output, notes=listing.notes, interrupted=interrupted)


def named_files(options: Mapping[str, Any]) -> list[Path]:
    """Return the files that options name, such as a mask: they are inputs too."""
    given = [Path(value) for value in options.values() if isinstance(value, str | Path)]
    return [path for path in given if os.path.lexists(path)]


def prepared(asked: Asked) -> Work:
    """Return what is asked of every picture, with the share of the memory that each worker has."""
    work = asked.work
    elsewhere = asked.dask not in (None, LOCAL)  # whose memory is not known here
    if asked.workers == 1 or elsewhere or work.verb not in ("denoise", "inspect"):
        return work
    from untaught.image.limits import default_memory
    from untaught.image.reading import memory_of

    whole = memory_of(work.options.get("memory")) or default_memory()
    share = max(whole // asked.workers, LEAST_MEMORY if work.options.get("memory") is None else 1)
    return replace(work, options={**work.options, "memory": share}, reading=replace(work.reading, memory=share))


def _crew(
    asked: Asked,
    work: Work,
    folder: Path | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Crew:
    """Return whoever does it: this process, others of this machine, or a cluster that writes below a folder."""
    if asked.dask is None:
        return crew_of(asked.workers, work, on_progress)
    from untaught.jobs.cluster import Cluster
    from untaught.jobs.dask_crew import DaskCrew

    return DaskCrew(Cluster(asked.dask, asked.workers, work if asked.checked_there else None), work, folder)


class Run:
    """One run: its record, and the rows so far."""

    def __init__(self, asked: Asked, heard: Heard | None = None, total: int = 0) -> None:
        self.asked = asked
        self.heard = heard
        self.total = total
        self.rows: dict[Path, Row] = {}
        self.refused: list[Row] = []
        self.interrupted = False
        self.full = False  # the disk is, so that nothing more can be done
        self.unwritten: list[str] = []
        options = {name: value for name, value in asked.work.options.items() if name not in ("memory", "device")}
        told = {**options, "verb": asked.work.verb, "reading": sorted(asked.work.reading.asked.items())}
        told |= {"noise": SHARED} if asked.work.laws else {}  # the laws are kept beside the record
        told |= {"volume": True} if asked.work.reading.volume else {}
        self.record = Record(asked.output, call_hash(told), asked.part)

    def refuse(self, listing: Listing) -> None:
        """Take in what could not be read of the inputs' folders."""
        for path, note in listing.refused:
            self.refuse_row(Row(path, self.asked.output, "failed", note=note))

    def refuse_row(self, row: Row) -> None:
        """Take in what is not even begun."""
        self.refused.append(row)
        self._hear(row)

    def crew(self, on_progress: Callable[[Progress], None] | None = None) -> Closing:
        """Return whoever does it, to be entered: they are sent away at the end."""
        remove_litter(self.asked.output, deep=True)
        work = replace(prepared(self.asked), thumbnails=self.asked.output / FOLDER / THUMBNAILS)
        return Closing(lambda: _crew(self.asked, work, self.record.folder, on_progress))

    def through(self, crew: Crew, jobs: Iterable[Job]) -> None:
        """Do what has to be done of some jobs; an interruption ends it, and so does a full disk."""
        pending: dict[Path, Job] = {}
        try:
            for job in jobs:
                row = self.settled(job)
                if row is not None:
                    self.take(job, row)
                    continue
                self.record.begin(job)
                pending[job.place] = job
                crew.submit(job)
                if len(pending) >= crew.room and self._next(crew, pending).final:
                    return
            while pending and not self._next(crew, pending).final:
                pass
        except KeyboardInterrupt:
            self.interrupted = True
        except OutputError as error:
            if not is_full(error):
                raise
            self.full = True
            self.unwritten.append(str(error))

    def settled(self, job: Job) -> Row | None:
        """Return the row of a picture that is not to be restored; None of one that is."""
        standing = self.record.standing(job)
        if standing == "done":
            return self.record.kept(job)
        if standing == "foreign" and not self.asked.overwrite:
            return Row(job.input, job.output, "failed", note=FOREIGN.format(legible(job.output)))
        return None

    def take(self, job: Job, row: Row) -> None:
        """Take in what became of a picture."""
        if row.status == "done":
            self.record.finish(job, row)
        elif job.place in self.record.begun:
            self.record.give_up(job)
        self.rows[job.place] = row
        self._hear(row)

    def _next(self, crew: Crew, pending: dict[Path, Job]) -> Row:
        job, row = crew.next()
        del pending[job.place]
        self.take(job, row)
        return row

    def _hear(self, row: Row) -> None:
        if self.heard is not None:
            number = len(self.rows) + len(self.refused)
            self.heard(row, number, max(number, self.total))

    def result(self, jobs: Iterable[Job], notes: tuple[str, ...] = ()) -> FolderResult:
        """Write the tables, and return what became of the pictures."""
        missed = (self.rows.get(j.place) or Row(j.input, j.output, "not reached", note=STOPPED) for j in jobs)
        rows = (*self.refused, *missed)
        try:
            tables: tuple[Path | None, Path | None] = self._write(rows)
        except OutputError as error:
            self.unwritten.append(str(error))
            tables = None, None
        return FolderResult(rows, self.asked.output, *tables, (*notes, *self.unwritten), self.interrupted)

    def _write(self, rows: tuple[Row, ...]) -> tuple[Path, Path]:
        asked = self.asked
        made_folder(self.record.folder)
        title = f"{asked.work.verb}: {legible(' '.join(str(path) for path in asked.inputs))[:120]}{asked.part}"
        write_text(asked.table, table_text(rows))
        thumbnails = asked.output / FOLDER / THUMBNAILS
        write_text(asked.page, folder_page(rows, asked.output, thumbnails, title))
        return asked.table, asked.page


class Closing:
    """Whoever restores, made on entering and sent away on leaving."""

    def __init__(self, make: Callable[[], Crew]) -> None:
        self.make = make

    def __enter__(self) -> Crew:
        self.crew = self.make()
        return self.crew

    def __exit__(self, *exception: object) -> None:
        self.crew.close()


def _check_tables(asked: Asked) -> None:
    """Refuse to write over a table or a page that somebody else has put into the folder."""
    if (asked.output / FOLDER).is_dir() or asked.overwrite:
        return
    for path in (asked.table, asked.page):
        if os.path.lexists(path):
            raise InputError(f"{legible(path)} is there already and is not of this program; name another folder")


def _with_laws(asked: Asked, listing: Listing) -> Asked:
    """Return what is asked with the laws of noise that the pictures share, where these are asked for."""
    if asked.work.options.get("noise") != SHARED:
        return asked
    from untaught.jobs.shared_noise import shared_laws

    options = {name: value for name, value in asked.work.options.items() if name != "noise"}
    paths = [source.path for source in listing.sources]
    laws = shared_laws(paths, asked.output / FOLDER / LAWS, asked.work.reading, options.get("axes"))
    return replace(asked, work=replace(asked.work, options=options, laws=laws))
