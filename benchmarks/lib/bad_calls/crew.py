"""The parent: forks the process that makes the calls, gives it numbers, and ends it where it hangs or swells."""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import signal
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

DEADLINE = 60.0
"""Seconds that a call may take."""
MOST_KIB = 4 * 2**20
"""Memory at which a process is ended, lest it takes the machine with it."""
CALLS = 250
"""Calls until a process is followed by a fresh one."""
LOOK, PATIENCE = 0.02, 10.0


class Crew:
    """One process at a time that makes calls, forked from this one, which has all loaded.

    Parameters
    ----------
    pool : Path
        The good files.
    scratch : Path
        Where a call finds its input and leaves its output.
    """

    def __init__(self, pool: Path, scratch: Path) -> None:
        self.pool, self.scratch = pool, scratch
        self.process, self.calls = 0, 0
        self.to: TextIO
        self.back: Any

    def call(self, seed: int, number: int) -> dict[str, Any]:
        """Return what became of a call."""
        if not self.process or self.calls >= CALLS:
            self.close()
            self._fork()
        self.calls += 1
        with suppress(BrokenPipeError):
            self.to.write(f"{seed}:{number}\n")
            self.to.flush()
        began = time.monotonic()
        while time.monotonic() - began < DEADLINE + LOOK:
            if select.select([self.back], [], [], LOOK)[0]:
                line = self.back.readline()
                return json.loads(line) if line else self._lost(number, "crash", began)
            if _resident(self.process) > MOST_KIB:
                return self._lost(number, "memory", began)
        return self._lost(number, "hang", began)

    def close(self) -> None:
        """End the process."""
        if self.process:
            self.to.close()  # which it takes for the end
            ended = time.monotonic() + PATIENCE
            while not os.waitpid(self.process, os.WNOHANG)[0]:
                if time.monotonic() > ended:
                    os.kill(self.process, signal.SIGKILL)
                time.sleep(LOOK)
            self.back.close()
            self.process = 0

    def _fork(self) -> None:
        from lib.bad_calls import child

        numbers, to = os.pipe()
        back, answers = os.pipe()
        self.process = os.fork()
        if not self.process:
            os.close(to)
            os.close(back)
            asked, said = os.fdopen(numbers), os.fdopen(answers, "w")
            try:
                child.serve(asked, said, self.pool, self.scratch)
            except BaseException:
                traceback.print_exc()
            os._exit(0)
        os.close(numbers)
        os.close(answers)
        self.to, self.back, self.calls = os.fdopen(to, "w"), os.fdopen(back), 0

    def _lost(self, number: int, how: str, began: float) -> dict[str, Any]:
        """Return what is to be known of a call in which the process was lost, or had to be ended."""
        if how != "crash":  # it has ended by itself
            os.kill(self.process, signal.SIGKILL)
        _, status = os.waitpid(self.process, 0)
        self.process = 0
        self.to.close()
        self.back.close()
        text, asked = "", {"said": "", "argv": []}
        with suppress(OSError, ValueError):
            asked = json.loads((self.scratch / "asked").read_text())
            text = (self.scratch / "err").read_text(errors="replace")
        shutil.rmtree(self.scratch / "passing", ignore_errors=True)
        stack = re.findall(r'File "[^"]*?(\w+\.py)", line \d+ in (\w+)', text)[:8]
        place = " ".join(f"{file}:{name}" for file, name in stack[:3])
        ended = os.waitstatus_to_exitcode(status) if how == "crash" else -9
        fault = {
            "what": f"{how} ({ended}): {' < '.join(':'.join(each) for each in stack)}",
            "sign": f"{how} {place}",
        }
        return {
            "number": number, "status": ended, "seconds": round(time.monotonic() - began, 1), "cpu": 0.0, "mib": 0,
            **asked, "answer": text.strip()[-300:], "faults": [fault],
        }  # fmt: skip


def _resident(process: int) -> int:
    """Return how much memory a process uses, in KiB."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024
