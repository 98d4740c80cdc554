"""What workers of a Dask cluster are asked to do; this runs there."""

from __future__ import annotations

import contextlib
import os
import pickle
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from untaught._version import __version__
from untaught.errors import InputError
from untaught.fitting import malloc
from untaught.jobs.check_options import check_options
from untaught.jobs.one_picture import Work, done
from untaught.jobs.outputs import Job
from untaught.results.picture_table import Row

OTHER = "the workers have untaught {}, and this is {}; install the same version"
UNSEEN = "the workers do not see the folder {}; all machines have to share it"
_one_at_a_time = threading.Lock()  # a worker with several threads does one piece of work with all of them


def ready(payload: bytes) -> str:
    """Return why this worker cannot do the work, or nothing."""
    version, asked = pickle.loads(payload)
    if version != __version__:
        return OTHER.format(__version__, version)
    folder, work = pickle.loads(asked)
    if not os.path.isdir(folder):
        return UNSEEN.format(folder)
    if work is not None:
        try:
            with here(folder):
                check_options(work)
        except InputError as error:
            return str(error)
    return ""


def restored(payload: bytes) -> Row:
    """Restore one picture, as it would be where it was asked for: from the same working folder."""
    folder, work, job = pickle.loads(payload)
    assert isinstance(work, Work)
    assert isinstance(job, Job)
    with here(folder):
        return done(_bounded(work), job)


@contextlib.contextmanager
def here(folder: str) -> Iterator[None]:
    """Work in a folder, and on nothing else meanwhile; give back the memory that it took."""
    with _one_at_a_time, contextlib.chdir(folder):
        try:
            yield
        finally:
            malloc.give_back()


def _bounded(work: Work) -> Work:
    """Return work with half of the memory that this worker may use, where nobody says how much."""
    if work.options.get("memory") is not None or work.verb not in ("denoise", "inspect"):
        return work
    limit = _memory_limit()
    if not limit:
        return work
    share = 1 << (limit // 2).bit_length() - 1
    return replace(work, options={**work.options, "memory": share}, reading=replace(work.reading, memory=share))


def _memory_limit() -> int | None:
    from distributed import get_worker

    found: Any = getattr(get_worker().memory_manager, "memory_limit", None)
    return None if found is None else int(found)
