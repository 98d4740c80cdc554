"""The process that makes the calls, one after the other: the same program, its streams and its memory watched."""

from __future__ import annotations

import faulthandler
import gc
import json
import os
import resource
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from lib.bad_calls import judge, web
from lib.bad_calls.call import Call, Seen, contents, settled
from lib.bad_calls.kinds import KINDS, kind_of

FREE = 2**30
"""Bytes of memory that the program is told are free: of these it uses half."""
LARGEST_FILE = 2**31
PATIENCE = 55.0
"""Seconds after which the stack is written down; some more, and the parent ends the process."""


def prepare() -> None:
    """Load what the calls need, once, before processes are forked; and see what breaks inside of them."""
    import untaught.errors as errors

    explained = errors.explained

    def seen(error: Exception) -> tuple[int, str]:
        _broken.append(error)
        return explained(error)

    errors.explained = seen
    import untaught.cli.parse
    import untaught.image.limits as limits
    import untaught.jobs.workers as workers

    untaught.cli.parse.parse(["--version"])
    for name in ("jobs.run", "jobs.watch", "training.train", "training.apply", "theory.explain", "pipeline.tasks"):
        __import__(f"untaught.{name}")
    limits.free_memory = workers.free_memory = lambda: FREE  # type: ignore[attr-defined]
    import typer.main

    command = typer.main.get_command(untaught.cli.parse.app)  # a tenth of a second, each time it is made
    typer.main.get_command = lambda app: command
    gc.collect()
    gc.freeze()  # what is loaded stays: it need not be looked through before each call


_broken: list[Exception] = []


def serve(numbers: Any, answers: Any, pool: Path, scratch: Path) -> None:
    """Make the calls whose numbers come, a line each, and answer with a line of JSON each."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
    for line in numbers:
        seed, number = map(int, line.split(":"))
        answers.write(json.dumps(made(seed, number, pool, scratch)) + "\n")
        answers.flush()
    web.close()


def made(seed: int, number: int, pool: Path, scratch: Path) -> dict[str, Any]:
    """Make one call in a folder of its own, and return what is to be known of it."""
    place, passing = scratch / "place", scratch / "passing"
    for folder in (place, passing):
        _emptied(folder)
    os.chdir(place)
    os.environ["TMPDIR"] = tempfile.tempdir = str(passing)
    call = KINDS[kind_of(number)](np.random.default_rng([seed, number]), pool)
    before = contents(place)
    asked = {"said": call.said, "argv": list(call.argv)}
    (scratch / "asked").write_text(json.dumps(asked))  # for the parent, should the process be lost
    began, worked = time.monotonic(), time.process_time()
    seen = _seen(call, scratch)
    seconds, cpu = time.monotonic() - began, time.process_time() - worked
    os.chdir(place)
    seen.left = tuple(sorted(path.name for path in passing.iterdir()))
    found = judge.faults(call, seen, before, contents(place))
    return {
        "number": number,
        "status": seen.status,
        "seconds": round(seconds, 3),
        "cpu": round(cpu, 3),
        "mib": seen.grown,
        **asked,
        "answer": seen.err.strip()[-300:],
        "faults": [vars(fault) for fault in found],
    }


def _emptied(folder: Path) -> None:
    if folder.exists():
        for path in folder.rglob("*"):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)


def _seen(call: Call, scratch: Path) -> Seen:
    """Make the call and return what was seen of it."""
    _broken.clear()
    gc.collect()
    seen = Seen(None)
    with _caught(scratch, seen), warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        base = _reset_peak()
        with settled(PATIENCE):
            _run(call, seen)
        seen.grown = max(0, _kib("VmHWM") - base) // 1024
    seen.warned = tuple(
        f"{Path(w.filename).name}:{w.lineno}: {w.category.__name__}: {' '.join(str(w.message).split())[:150]}"
        for w in warned
        if not issubclass(w.category, ResourceWarning)
    )
    broken = _broken[-1] if _broken else None
    if broken is not None and not seen.trace:
        seen.trace = _trace(broken)
    return seen


def _run(call: Call, seen: Seen) -> None:
    from untaught.cli import main
    from untaught.errors import UntaughtError

    try:
        if call.python is None:
            seen.status = main(list(call.argv))
        else:
            seen.value = call.python()
            seen.status = 0
    except UntaughtError as error:
        seen.status = 2
        print(f"untaught: {error}", file=sys.stderr)
    except BaseException as error:
        seen.status, seen.trace = 1, _trace(error)
        print(f"{type(error).__name__}: {error}", file=sys.stderr)


def _trace(error: BaseException) -> str:
    """Return what kind of error it was, and where: the last line of ours, and the last of all."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "untaught" in frame.filename]
    places = [f"{Path(f.filename).name}:{f.name}:{f.lineno}" for f in (*ours[-1:], *frames[-1:])]
    return f"{type(error).__name__} {' '.join(dict.fromkeys(places))}"


@contextmanager
def _caught(scratch: Path, seen: Seen) -> Iterator[None]:
    """Let all that is printed, by libraries in C too, go into files, and read them."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    kept = [os.dup(number) for number in (1, 2)]
    names = [scratch / "out", scratch / "err"]
    for number, name in enumerate(names, 1):
        descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        os.dup2(descriptor, number)
        os.close(descriptor)
    faulthandler.enable()
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        for number, copy in enumerate(kept, 1):
            os.dup2(copy, number)
            os.close(copy)
        seen.out, seen.err = (name.read_bytes().decode(errors="replace") for name in names)


def _reset_peak() -> int:
    """Begin to count the most memory that is used anew; return how much is used now, in KiB."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:  # not here: then the peak is that of all calls so far
        return _kib("VmHWM")
    return _kib("VmRSS")


def _kib(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return 0
