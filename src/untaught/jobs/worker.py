"""A process that restores pictures for another: jobs come in on standard input, rows go out on standard output."""

from __future__ import annotations

import os
import pickle
import queue
import signal
import sys
import threading
from dataclasses import replace
from typing import IO

from untaught.errors import InputError
from untaught.fitting import malloc
from untaught.jobs.one_picture import Work, done, failed
from untaught.jobs.outputs import Job


def main() -> None:
    """Do what comes until there is no more; end at once when whoever asked is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the one that was asked ends the others
    rows = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not come between the rows
    work = _work(sys.stdin.buffer)
    jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, jobs), daemon=True).start()
    while True:
        job = jobs.get()
        row = done(work, job) if isinstance(work, Work) else replace(failed(job, work), final=True)
        try:
            pickle.dump(row, rows)
            rows.flush()
            malloc.give_back()
        except BrokenPipeError:
            os._exit(1)


def _work(stream: IO[bytes]) -> Work | InputError:
    """Return what is asked, with its verb loaded, or why it cannot be understood here."""
    try:
        work = pickle.loads(pickle.load(stream))
        work.call  # noqa: B018 - brings torch
    except EOFError:
        os._exit(0)
    except Exception as error:  # such as a class of a script, which is not run here
        return InputError(f"what was asked cannot be loaded in another process ({error}); leave workers at 1")
    assert isinstance(work, Work)
    return work


def _listen(stream: IO[bytes], jobs: queue.SimpleQueue[Job]) -> None:
    """Take in jobs while others are done, so that the end of the stream is seen at any time."""
    while True:
        try:
            jobs.put(pickle.load(stream))
        except Exception:  # the end, or half a job: whoever wrote it is gone
            os._exit(0)


if __name__ == "__main__":
    main()
