"""The desk: which pictures there are, what is done with them and in which order, and who is told."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import time
from pathlib import Path
from typing import Any

from untaught.errors import InputError
from untaught.serve.jobs import Job
from untaught.serve.planes import stored
from untaught.serve.reads import Reads
from untaught.serve.settings import Settings, command_line
from untaught.serve.worker import FIT, FITS, LOOKS, MEASURE, SHOW, Order, Worker

MOST_JOBS = 1000
MOST_WAITING = 2000
"""Events that a browser may be behind; one that is further behind is let go, and asks again for all there is."""
LOST = (
    "the process that worked on it ended, for lack of memory perhaps, or by a fault of the library that decodes "
    "it; the others go on"
)

Event = dict[str, Any]


class Desk:
    """All that is on the page. Everything but `_hear` is called in the loop of the server.

    Parameters
    ----------
    folder : Path
        The private folder.
    most : int
        Bytes that a picture may have.
    """

    def __init__(self, folder: Path, most: int) -> None:
        self.folder, self.most = folder, most
        self.jobs: dict[str, Job] = {}
        self.listeners: set[asyncio.Queue[Event | None]] = set()
        self.looks: Worker
        self.fits: Worker

    def open(self) -> None:
        """Start the processes."""
        self.loop = asyncio.get_running_loop()
        self.looks, self.fits = Worker(LOOKS, self._hear), Worker(FITS, self._hear)
        for folder in sorted(self.folder.iterdir(), key=lambda path: path.stat().st_mtime):
            job = Job.again(folder) if folder.is_dir() else None
            if job is not None and job.state == "looking":
                self.add(job)
            elif job is not None:
                self.jobs[job.key] = job
            elif folder.is_dir():  # a file that had not come to its end
                shutil.rmtree(folder, ignore_errors=True)

    def farewell(self) -> None:
        """End what browsers listen to, for which the server would wait."""
        for listener in self.listeners:
            listener.put_nowait(None)

    def close(self) -> None:
        """End the processes."""
        self.looks.close()
        self.fits.close()

    # Who is told

    def listen(self) -> asyncio.Queue[Event | None]:
        """Return a queue of all that happens from now on."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self.listeners.add(queue)
        self.fits.watched.set()
        return queue

    def leave(self, queue: asyncio.Queue[Event | None]) -> None:
        """Forget a listener."""
        self.listeners.discard(queue)
        if not self.listeners:
            self.fits.watched.clear()

    def tell(self, **event: Any) -> None:
        """Tell everybody."""
        for queue in tuple(self.listeners):
            if queue.qsize() > MOST_WAITING:
                queue.put_nowait(None)
                self.listeners.discard(queue)
            else:
                queue.put_nowait(event)

    def changed(self, job: Job) -> None:
        """Tell everybody all there is of a job, and write it down."""
        job.keep()
        self.tell(kind="job", job=job.as_dict(), queue=self.queue)

    @property
    def queue(self) -> list[str]:
        """The jobs that wait for the fit before them."""
        return [order.job for order in self.fits.waiting if order.kind == FIT]

    # What is done

    def new_place(self) -> tuple[str, Path]:
        """Return the number and the folder of a new job.

        Raises
        ------
        InputError
            If there are too many.
        """
        if len(self.jobs) >= MOST_JOBS:
            raise InputError(f"there are {MOST_JOBS} pictures on the page; remove some of them")
        key = secrets.token_hex(6)
        folder = self.folder / key
        folder.mkdir(mode=0o700)
        return key, folder

    def add(self, job: Job) -> None:
        """Put a picture on the page, and look at it."""
        self.jobs[job.key] = job
        self._read(job, job.reads)

    def read_so(self, job: Job, reads: Reads) -> None:
        """Read a picture anew; what was made of it as it was read before goes, unless it cannot be read so.

        Raises
        ------
        InputError
            If it is under way, or for a value range that is none.
        """
        if job.reading or job.state in ("queued", "running"):
            raise InputError("it is under way; wait, or stop it first")
        assert reads.reading
        self._read(job, reads)

    def _read(self, job: Job, reads: Reads) -> None:
        job.state, job.message, job.reading = "looking", "", True
        self.changed(job)
        given = {"name": job.name, "reads": reads.model_dump(), "number": job.looks + 1, "most": self.most}
        self._order(self.looks, job, SHOW, given)

    def same(self, digest: str) -> Job | None:
        """Return the job with the same file, if there is one."""
        return next((job for job in self.jobs.values() if job.digest == digest), None)

    def remove(self, job: Job) -> None:
        """Take a picture off the page, and all that was made of it."""
        self.looks.drop(job.key)
        self.fits.drop(job.key)
        del self.jobs[job.key]
        shutil.rmtree(job.folder, ignore_errors=True)
        self.tell(kind="removed", key=job.key, queue=self.queue)

    def measure(self, job: Job, region: list[int]) -> None:
        """Measure the noise of a rectangle alone."""
        self._measure(job, region)

    def _measure(self, job: Job, region: list[int] | None = None) -> None:
        given = {"name": job.path, "reads": job.reads.model_dump(), "region": region}
        self._order(self.looks, job, MEASURE, given)

    def start(self, job: Job, settings: Settings) -> None:
        """Queue what was asked for.

        Raises
        ------
        InputError
            If the picture cannot be restored, waits already, or something is missing.
        """
        if job.state in ("queued", "running"):
            raise InputError("it is under way already; stop it first")
        if not job.planes or job.reading:
            raise InputError("this picture cannot be restored, or was not read yet")
        if settings.needs is not None and settings.needs not in job.uploads:
            raise InputError(f"{settings.task} needs a second file: add the {settings.needs} first")
        job.begin(settings, self.command(job, settings))
        given = {
            "settings": settings.model_dump(),
            "name": job.path,
            "reads": job.reads.model_dump(),
            "reports": job.reports,
            "uploads": job.uploads,
            "answer": str(job.answer),
            "contrast": (job.planes[0]["low"], job.planes[0]["high"]),
        }
        self._order(self.fits, job, FIT, given)
        self.changed(job)

    def command(self, job: Job, settings: Settings) -> str:
        """Return the command line that does the same."""
        if settings.region is not None and job.planes:
            size = job.planes[0]["height"], job.planes[0]["width"]
            turned = stored(settings.region, job.about["orientation"], size)
            settings = settings.model_copy(update={"region": turned})
        picture, words = job.reads.written(job.path, (job.folder / job.path).is_dir())
        outputs = job.about.get("outputs", {"": "OUTPUT"})
        output = outputs.get(settings.task, outputs[""])
        return command_line(settings, (picture, output), job.uploads, words)

    def stop(self, job: Job) -> None:
        """End a fit and keep the best so far; take one that waits out of the queue."""
        if job.state == "queued" and job.key in self.queue:
            self.fits.drop(job.key)
            job.state, job.message = job.rests, "It was taken out of the queue."
            self.changed(job)
        elif job.state in ("queued", "running"):
            self.fits.stop(job.key)
            job.message = "Stopping: the best so far is being finished."
            self.changed(job)

    def _order(self, worker: Worker, job: Job, kind: str, given: dict[str, Any]) -> None:
        worker.give(Order(job.key, kind, str(job.folder), given))

    # What the processes tell

    def _hear(self, order: Order, word: str, said: dict[str, Any]) -> None:
        """Pass a message on to the loop of the server; called by the threads that listen to the processes."""
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._heard, order, word, said)

    def _heard(self, order: Order, word: str, said: dict[str, Any]) -> None:
        job = self.jobs.get(order.job)
        if job is None:  # it was removed
            return
        getattr(self, f"_{'fit' if order.kind == FIT else 'look'}_{word}")(job, said)

    def _look_shown(self, job: Job, said: dict[str, Any]) -> None:
        job.shown(said)
        self._measure(job)  # behind the pictures that are not shown yet

    def _look_measured(self, job: Job, said: dict[str, Any]) -> None:
        job.about, job.reports = {**job.about, **said["about"]}, said["reports"]
        if job.state == "looking":
            job.state = job.rests

    def _look_region(self, job: Job, said: dict[str, Any]) -> None:
        job.measured = said

    def _look_refused(self, job: Job, said: dict[str, Any]) -> None:
        job.message, job.reading = said["sentence"], False
        if not job.planes:
            job.state = "refused"
        elif job.state == "looking":
            job.state = job.rests

    def _look_lost(self, job: Job, said: dict[str, Any]) -> None:
        self._look_refused(job, {"sentence": LOST})

    def _look_ended(self, job: Job, said: dict[str, Any]) -> None:
        self.changed(job)

    def _fit_begun(self, job: Job, said: dict[str, Any]) -> None:
        job.state, job.started = "running", time.monotonic()
        self.changed(job)

    def _fit_progress(self, job: Job, said: dict[str, Any]) -> None:
        job.goes(said)
        self.tell(kind="progress", key=job.key, progress=job.progress, point=job.curve[-1:])

    def _fit_warned(self, job: Job, said: dict[str, Any]) -> None:
        job.warnings += [note for note in said["notes"] if note not in job.warnings]
        self.changed(job)

    def _fit_restored(self, job: Job, said: dict[str, Any]) -> None:
        if job.answered:
            shutil.rmtree(job.folder / f".run-{job.answered}", ignore_errors=True)
        job.result, job.answered, job.files, job.message = said["result"], job.run, {}, ""
        job.state = "done"
        self.changed(job)

    def _fit_written(self, job: Job, said: dict[str, Any]) -> None:
        job.files = said["files"]

    def _fit_stopped(self, job: Job, said: dict[str, Any]) -> None:
        self._fit_refused(job, {"sentence": "It was stopped before there was anything to keep."})

    def _fit_refused(self, job: Job, said: dict[str, Any]) -> None:
        job.message = said["sentence"]
        job.state = job.rests

    def _fit_lost(self, job: Job, said: dict[str, Any]) -> None:
        self._fit_refused(job, {"sentence": LOST})

    def _fit_ended(self, job: Job, said: dict[str, Any]) -> None:
        job.progress = job.preview = None
        if job.state in ("queued", "running"):
            job.state = job.rests
        self.changed(job)
