"""`untaught serve`, killed while it looks at a picture or restores it, and started again under the same port."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lib.faults import SIGNALS
from lib.killed_scenes import drawn

SIDE = 48
SETTINGS = {"task": "denoise", "method": "wavelet", "noise": "gaussian:25"}
LONG = 180.0  # seconds that anything may take


class Page:
    """A server that runs, as a browser has it."""

    def __init__(self, port: int, temporary: Path) -> None:
        environment = os.environ | {"TMPDIR": str(temporary)}
        command = [sys.executable, "-m", "untaught", "serve", "--port", str(port)]
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # a server that nohup has started would rightly ignore it
        self.heard = tempfile.TemporaryFile("w+")  # noqa: SIM115 - it lives as long as this
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self.heard, text=True, env=environment
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.address, _, token = line.split()[-1].partition("/?token=")
        self.headers = {"origin": self.address, "cookie": f"untaught-{port}={token}"}

    def ask(self, path: str, data: bytes | None = None, **headers: str) -> bytes:
        """Return what is answered."""
        request = urllib.request.Request(f"{self.address}{path}", data, self.headers | headers)
        with urllib.request.urlopen(request, timeout=LONG) as answer:
            found: bytes = answer.read()
        return found

    def jobs(self) -> list[dict[str, Any]]:
        """Return what is on the page."""
        request = urllib.request.Request(f"{self.address}/api/events", headers=self.headers)
        with urllib.request.urlopen(request, timeout=LONG) as answer:
            found: list[dict[str, Any]] = json.loads(answer.readline().removeprefix(b"data: "))["jobs"]
        return found

    def until(self, there: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait until something is so for the only picture."""
        end = time.monotonic() + LONG
        while time.monotonic() < end:
            jobs = self.jobs()
            if jobs and there(jobs[0]):
                return jobs[0]
            time.sleep(0.05)
        raise TimeoutError(jobs)

    @property
    def said(self) -> str:
        """What it said on standard error."""
        self.heard.seek(0)
        return self.heard.read()

    def end(self, number: int) -> int:
        """Send a signal; return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(LONG)


@contextmanager
def page(port: int, temporary: Path) -> Iterator[Page]:
    """Yield a server that is ended at last."""
    made = Page(port, temporary)
    try:
        yield made
    finally:
        made.process.kill()
        made.process.wait()
        assert made.process.stdout is not None
        made.process.stdout.close()


def png() -> bytes:
    """Return a picture as a file."""
    stream = BytesIO()
    Image.fromarray(drawn(1, SIDE, SIDE)).save(stream, "PNG")
    return stream.getvalue()


def free_port() -> int:
    """Return a port that nobody has."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


def restored(made: Page) -> str:
    """Restore the picture that is on the page, and return the hash of what can be fetched."""
    job = made.until(lambda job: job["state"] in ("ready", "done", "refused"))
    if job["state"] == "refused":
        raise ValueError(job["message"])
    if job["state"] != "done":
        made.ask(
            f"/api/jobs/{job['key']}/start", json.dumps(SETTINGS).encode(), **{"content-type": "application/json"}
        )
    job = made.until(lambda job: job["state"] not in ("queued", "running") and bool(job["files"]))
    return hashlib.sha256(made.ask(f"/api/jobs/{job['key']}/files/result")).hexdigest()


def work(made: Page) -> str:
    """Send a picture and have it restored."""
    made.ask("/api/files", png(), **{"x-name": "in.png"})
    return restored(made)


def whole() -> tuple[str, float]:
    """Return the hash of the answer, and the seconds it takes to have it."""
    with tempfile.TemporaryDirectory() as folder, page(free_port(), Path(folder)) as made:
        started = time.monotonic()
        return work(made), time.monotonic() - started


def kill_page(rng: np.random.Generator, answer: tuple[str, float]) -> dict[str, Any]:
    """Kill a server at a moment, start it again, and say what was found."""
    kind = ("kill", "kill", "kill", "term", "int", "hup")[int(rng.integers(6))]
    moment = round(float(rng.random()), 4)
    port, found = free_port(), []
    with tempfile.TemporaryDirectory() as folder:
        temporary = Path(folder)
        with page(port, temporary) as made:
            killer = subprocess.Popen(
                ["sh", "-c", f"sleep {moment * answer[1]}; kill -{SIGNALS[kind].value} {made.process.pid}"]
            )
            with suppress(OSError):  # it is gone in the middle
                work(made)
            killer.wait()
            status = made.process.wait(LONG)
            if kind != "kill" and "Traceback" in made.said:
                found.append(f"it said: {made.said[-600:]}")
        if kind != "kill" and any(temporary.iterdir()):
            found.append(f"left behind: {sorted(path.name for path in temporary.iterdir())}")
        with page(port, temporary) as made:
            try:
                if not made.jobs():
                    found += ["the picture is gone"] if kind == "kill" and moment > 0.5 else []
                    made.ask("/api/files", png(), **{"x-name": "in.png"})
                if restored(made) != answer[0]:
                    found.append("the answer has other bits")
            except (OSError, ValueError) as error:
                found.append(f"the next server: {error}")
            made.end(signal.SIGINT)
        if any(temporary.iterdir()):
            found.append(f"left behind at the end: {sorted(path.name for path in temporary.iterdir())}")
    return {"scene": "page", "fault": {"kind": kind, "moment": moment}, "status": status, "found": found}
