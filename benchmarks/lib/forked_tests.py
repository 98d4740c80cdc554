"""Tests that are run again and again, each time by a fork of this process, which has loaded the libraries.

The package and its tests are loaded by the fork, so that a file may be another one each time. Only one thing is
known of a run: which test failed first, if any.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

MEMORY = 8 * 2**30  # bytes of addresses that a fork may have
OURS = ("untaught", "tests", "benchmarks", "lib", "tables", "_pytest", "pytest", "coverage", "__main__")
NO_TESTS = 5  # pytest's status
TIME, CRASH = "time", "crash"


@dataclass(frozen=True)
class Ended:
    """How a run ended: pytest's status, and the first test that failed; or what became of the process instead."""

    status: int | None
    failed: str | None
    seconds: float  # of the processor, of the fork and what it waited for
    told: Any = None


class Tree:
    """A copy of the repository, whose tests are run; beside it lies a log of the last run."""

    def __init__(self, root: Path) -> None:
        self.root, self.stamp = root, int(time.time())

    def run(self, arguments: Sequence[str], plugin: object, limit: float) -> Ended:
        """Run pytest in a fork; `told()` of the plugin, where it has that, is handed on.

        `limit` is in seconds of the processor, since others may use it too; six times as long may pass.
        """
        reading, writing = os.pipe()
        before = _children()
        child = os.fork()
        if child == 0:
            os.close(reading)
            resource.setrlimit(resource.RLIMIT_CPU, (int(limit) + 1, int(limit) + 2))
            self._in_the_fork(arguments, plugin, writing)
        os.close(writing)
        found = _waited_for(child, reading, 6 * limit)
        return Ended(**found, seconds=round(_children() - before, 2))

    def changed(self, file: str, text: str) -> None:
        """Write a file whose time no compiled form of it has."""
        path = self.root / file
        path.write_text(text, encoding="utf-8")
        self.stamp += 1
        os.utime(path, (self.stamp, self.stamp))

    def _in_the_fork(self, arguments: Sequence[str], plugin: object, writing: int) -> None:
        status = 1
        try:
            os.setsid()
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            said = os.open(self.root.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            for stream in (1, 2):
                os.dup2(said, stream)
            os.chdir(self.root)
            sys.path[:0] = [str(self.root / "src"), str(self.root)]
            os.environ["PYTHONPATH"] = os.pathsep.join([str(self.root / "src"), str(self.root)])
            first = First()
            status = int(pytest.main([*OPTIONS, *arguments], plugins=[first, plugin]))
            told = getattr(plugin, "told", lambda: None)()
            with os.fdopen(writing, "w") as pipe:
                json.dump({"status": status, "failed": first.failed, "told": told}, pipe)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)


OPTIONS = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", "ignore::pytest.PytestAssertRewriteWarning")


class First:
    """Remembers the first test that failed."""

    failed: str | None = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Look at each report."""
        if report.failed and self.failed is None:
            self.failed = report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Look at each page of tests that could not be loaded."""
        if report.failed and self.failed is None:
            self.failed = report.nodeid


class InOrder:
    """Lets some tests go first."""

    def __init__(self, first: Iterable[str]) -> None:
        self.first = frozenset(first)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Sort, and leave the order as it is among those and among the rest."""
        items.sort(key=lambda item: item.nodeid not in self.first)


class Watched:
    """Tells which test runs which lines of some files, how long each test takes, and which libraries were loaded.

    What a fixture of a whole page of tests runs counts for all of them: under the name of the page.
    """

    def __init__(self, files: list[str], where: Path) -> None:
        import coverage

        self.seconds: dict[str, float] = {}
        self.files, self.now = files, ""
        self.measuring = coverage.Coverage(str(where), config_file=False, include=files)
        self.measuring.erase()
        self.measuring.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Name the lines by the test, and take its time."""
        self._switch(item.nodeid)
        begun = time.process_time()
        result = yield
        self.seconds[item.nodeid] = round(time.process_time() - begun, 3)
        self._switch("")
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Generator[None, object, object]:
        """Name the lines by the page."""
        before = self.now
        if fixturedef.scope != "function":
            self._switch(before.partition("::")[0])
        result = yield
        self._switch(before)
        return result

    def told(self) -> dict[str, Any]:
        """Return all of it."""
        self.measuring.stop()
        data = self.measuring.get_data()
        lines = {
            file: {line: sorted(filter(None, names)) for line, names in data.contexts_by_lineno(file).items()}
            for file in self.files
        }
        loaded = sorted(name for name in sys.modules if name.partition(".")[0] not in OURS)
        return {"lines": lines, "seconds": self.seconds, "loaded": loaded}

    def _switch(self, name: str) -> None:
        self.now = name
        self.measuring.switch_context(name)


def load(names: Iterable[str], importing: Callable[[str], object] = importlib.import_module) -> None:
    """Load libraries, so that forks have them; what cannot be loaded so is left to them."""
    for name in names:
        if name.partition(".")[0] not in OURS and name not in sys.modules:
            with suppress(Exception):
                importing(name)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _waited_for(child: int, reading: int, limit: float) -> dict[str, Any]:
    """Return what the fork said, or how it ended without a word. Its own children are ended."""
    end, said, done, how = time.monotonic() + limit, b"", 0, signal.SIGKILL.value
    os.set_blocking(reading, False)
    while not done and time.monotonic() < end:
        done, how = os.waitpid(child, os.WNOHANG)
        with suppress(BlockingIOError):
            while part := os.read(reading, 2**20):
                said += part
        time.sleep(0.01)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    if not done:
        os.waitpid(child, 0)
    os.close(reading)
    if done and said:
        return dict(json.loads(said))
    late = not done or os.waitstatus_to_exitcode(how) in (-signal.SIGXCPU, -signal.SIGKILL)
    return {"status": None, "failed": TIME if late else CRASH}
