"""Processes that restore pictures, started once and warm from then on; or this process, for one.

A worker is a new interpreter that reads jobs from its standard input and answers with rows: nothing of the main
module of its caller is run again there, so scripts and notebooks need no guard. What a worker does not survive
costs the picture that it had.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from untaught.errors import InputError, quoted
from untaught.image.lazy import free_memory
from untaught.jobs.one_picture import Work, done, failed
from untaught.jobs.outputs import Job
from untaught.results.picture_table import Row

if TYPE_CHECKING:
    from untaught.fitting.progress import Progress

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
MODULE = "untaught.jobs.worker"
MOST = 1024
LEAST_MEMORY = 2**30  # bytes a worker, whatever is free


class Crew(Protocol):
    """Whoever restores: takes jobs, and gives rows in the order in which they are done."""

    @property
    def room(self) -> int:
        """How many jobs are worth having in hand at once."""

    def submit(self, job: Job) -> None:
        """Take a job."""

    def next(self) -> tuple[Job, Row]:
        """Wait for the next picture to be done."""

    def close(self) -> None:
        """Stop, at once if need be."""


def workers_of(workers: int | None, dask: str | None = None) -> int:
    """Return how many processes are to work: where nobody says, one; of a cluster of this machine, all that fit.

    Raises
    ------
    InputError
        For anything but a whole number from 1 on.
    """
    if workers is None:
        return 1 if dask != "local" else max(1, min(cores(), free_memory() // (2 * LEAST_MEMORY)))
    if isinstance(workers, bool) or not isinstance(workers, int) or not 1 <= workers <= MOST:
        raise InputError(f"the number of workers is {quoted(workers)}; give a whole number from 1 to {MOST}")
    return workers


def crew_of(workers: int, work: Work, on_progress: Callable[[Progress], None] | None = None) -> Crew:
    """Return this process for one worker, or so many others."""
    return Here(work, on_progress) if workers == 1 else Workers(workers, work)


class Here:
    """The process that was asked."""

    room = 1

    def __init__(self, work: Work, on_progress: Callable[[Progress], None] | None = None) -> None:
        self.work = work
        self.on_progress = on_progress
        self._jobs: list[Job] = []

    def submit(self, job: Job) -> None:
        """Keep a job until its row is asked for."""
        self._jobs.append(job)

    def next(self) -> tuple[Job, Row]:
        """Do the oldest job."""
        job = self._jobs.pop(0)
        return job, done(self.work, job, self.on_progress)

    def close(self) -> None:
        """Forget what was not begun."""
        self._jobs.clear()


class Workers:
    """Other processes, each with its share of the cores.

    Parameters
    ----------
    count : int
        How many.
    work : Work
        What is asked of every picture.

    Raises
    ------
    InputError
        Where an option cannot go to another process.
    """

    def __init__(self, count: int, work: Work) -> None:
        self.room = count + 1
        try:
            self._work = pickle.dumps(
                pickle.dumps(work)
            )  # twice: it is taken whole even where it cannot be loaded
        except Exception as error:
            raise InputError(f"an option cannot go to another process ({error}); leave workers at 1") from error
        self._environment = environment(count)
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._rows: queue.SimpleQueue[tuple[Job, Row]] = queue.SimpleQueue()
        self._closed = False
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._threads = [threading.Thread(target=self._serve, args=(at,), daemon=True) for at in range(count)]
        for thread in self._threads:
            thread.start()

    @property
    def pids(self) -> list[int]:
        """The ids of the processes that are there now."""
        return [process.pid for process in self._processes.values()]

    def submit(self, job: Job) -> None:
        """Give a job to whoever is free next."""
        self._jobs.put(job)

    def next(self) -> tuple[Job, Row]:
        """Wait for a row."""
        return self._rows.get()

    def close(self) -> None:
        """End all processes, whatever they are doing; what is not whole then appears nowhere."""
        self._closed = True
        for _ in self._threads:
            self._jobs.put(None)
        for process in list(self._processes.values()):
            with suppress(OSError):
                process.kill()
        for thread in self._threads:
            thread.join()

    def _serve(self, at: int) -> None:
        """Hand jobs to one process; another is started for the next where it has died."""
        process: subprocess.Popen[bytes] | None = None
        with suppress(OSError):  # said by the first picture
            process = self._started(at)
        while (job := self._jobs.get()) is not None and not self._closed:
            if process is not None and process.poll() is not None:
                _end(process)
                process = None
            try:
                process = process or self._started(at)
                row = _asked(process, job)
            except (EOFError, OSError, pickle.UnpicklingError) as error:
                row = Row(job.input, job.output, "failed", note=_died(process) if process else _unborn(error))
                process = None
            except Exception as error:  # a fault of ours must not leave anybody waiting
                row = failed(job, error)
            if not self._closed:
                self._rows.put((job, row))
        if process is not None:
            _end(process)

    def _started(self, at: int) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self._environment,
        )
        self._processes[at] = process
        if self._closed:
            process.kill()
        assert process.stdin is not None
        with suppress(OSError):  # it has died: said by whoever asks it
            process.stdin.write(self._work)
            process.stdin.flush()
        return process


def environment(count: int) -> dict[str, str]:
    """Return the variables of a worker: its share of the cores, and where Python finds what it finds here."""
    share = max(1, cores() // count)
    given = os.environ
    asked = {name: given.get(name) or given.get(THREADS[0]) or str(share) for name in THREADS}  # as libraries do
    threads = {name: str(min(share, int(text))) for name, text in asked.items() if text.isdecimal()}
    return {**given, **threads, "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}


def cores() -> int:
    """Return how many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        return os.cpu_count() or 1


def _asked(process: subprocess.Popen[bytes], job: Job) -> Row:
    """Return the row that a process answers with."""
    assert process.stdin is not None
    assert process.stdout is not None
    pickle.dump(job, process.stdin)
    process.stdin.flush()
    row: Any = pickle.load(process.stdout)
    assert isinstance(row, Row)
    return row


def _unborn(error: Exception) -> str:
    """Return the sentence about a process that could not be started."""
    reason = getattr(error, "strerror", None) or str(error)
    return f"no process could be started to restore it ({reason}); give fewer workers"


def _died(process: subprocess.Popen[bytes]) -> str:
    """Return the sentence about a process that ended over its picture."""
    _end(process)
    status = process.returncode
    if status == -getattr(signal, "SIGKILL", 9):
        return "the process that restored it was killed, perhaps for want of memory; give fewer workers"
    how = f"signal {-status}" if status < 0 else f"status {status}"
    return f"the process that restored it ended ({how}); try it alone"


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and take it off the system's list."""
    for stream in (process.stdin, process.stdout):
        with suppress(OSError):
            if stream is not None:
                stream.close()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
