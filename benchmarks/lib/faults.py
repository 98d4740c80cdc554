"""What befalls a call in the middle: a forked process counts what it does with files, and is killed at one."""

from __future__ import annotations

import faulthandler
import os
import resource
import signal
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EVENTS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.scandir", "os.truncate"}
SIGNALS = {"kill": signal.SIGKILL, "int": signal.SIGINT, "term": signal.SIGTERM, "hup": signal.SIGHUP}
PATIENCE = 120.0  # seconds, after which a call counts as hung
PAGE = 4096


@dataclass(frozen=True)
class Fault:
    """What befalls a call, and when.

    Attributes
    ----------
    kind : str
        'kill', 'int', 'term', 'hup': a signal. 'torn': killed while a file is written, at a byte of it. 'limit':
        no file may be longer than so many bytes. 'full': a disk with so many bytes left. 'memory': no more than so
        many bytes of addresses beyond those in use. 'shut': the folder may not be written to any more. 'clock':
        the clock is moved by so many seconds, and the call is killed ten operations later. '': nothing.
    operation : int
        Before which operation on a file, counted from 1; 0: at a moment.
    moment : float
        As a share of the seconds that it takes when nothing befalls it.
    amount : int
        Bytes or seconds, see above.
    """

    kind: str = ""
    operation: int = 0
    moment: float = 0.0
    amount: int = 0


@dataclass(frozen=True)
class Ended:
    """How a call ended: its status (-9: by signal 9), what it said, its seconds, its operations on files."""

    status: int
    said: str
    seconds: float
    operations: int
    hung: bool = False


def call(folder: Path, argv: tuple[str, ...], fault: Fault, seconds: float = 0.0) -> Ended:
    """Run the command in a fork of this process, which has loaded all, and let the fault befall it.

    Parameters
    ----------
    folder : Path
        Where.
    argv : tuple of str
        Its arguments.
    fault : Fault
        What befalls it.
    seconds : float
        What it takes when nothing befalls it.
    """
    told = folder.parent / "told"
    started = time.monotonic()
    near, far = os.pipe()
    child = os.fork()
    if not child:
        os.close(near)
        _run(folder, argv, fault, (told, far))
    os.close(far)
    hung = _wait(child, fault, (near, seconds))
    _, status = os.waitpid(child, 0)
    took = time.monotonic() - started
    count = b"".join(iter(lambda: os.read(near, 64), b""))
    os.close(near)
    said = told.read_text("utf-8", "replace") if told.exists() else ""
    return Ended(os.waitstatus_to_exitcode(status), said, took, int(count or 0), hung)


def _wait(child: int, fault: Fault, how: tuple[int, float]) -> bool:
    """Wait for a call, send it a signal where it is time for that, and tell whether it had to be ended."""
    started, moment = time.monotonic(), fault.moment * how[1]
    sent = fault.operation > 0 or fault.kind not in SIGNALS
    while os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        passed = time.monotonic() - started
        if not sent and passed >= moment:
            os.kill(child, SIGNALS[fault.kind])
            sent = True
        if passed > PATIENCE:
            os.kill(child, signal.SIGABRT)  # it says where it hangs
            return True
        time.sleep(0.002)
    return False


def _run(folder: Path, argv: tuple[str, ...], fault: Fault, tell: tuple[Path, int]) -> None:
    """Be the call; never returns."""
    status = 70
    try:
        os.chdir(folder)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        told = os.open(tell[0], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        os.dup2(told, 1)
        os.dup2(told, 2)
        faulthandler.enable(2)  # where it hangs is said
        counter = Counter(folder, fault)
        sys.argv = ["untaught", *argv]
        from untaught.cli import main

        counter.listen()
        status = main()
        os.write(tell[1], str(counter.count).encode())
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


class Counter:
    """Counts operations on the files of a folder, and lets a fault befall the process before one of them."""

    def __init__(self, folder: Path, fault: Fault) -> None:
        self.folder, self.fault = folder, fault
        self.count = 0
        self.after: Fault | None = None
        self.inside = False

    def listen(self) -> None:
        """Begin to count."""
        sync = os.fsync

        def counted(descriptor: int) -> None:
            self._count()
            sync(descriptor)

        os.fsync = counted
        if self.fault.kind == "shut" and os.getuid() == 0:
            os.setegid(65534)
            os.seteuid(65534)  # whom permissions bind
        if not self.fault.operation:
            self._befall(self.fault)
        sys.addaudithook(self._hear)

    def _hear(self, event: str, args: tuple[Any, ...]) -> None:
        if event not in EVENTS or self.inside:
            return
        path = os.fsdecode(args[0]) if isinstance(args[0], str | bytes | os.PathLike) else ""
        if not os.path.isabs(path) or path.startswith(str(self.folder)):
            self._count()

    def _count(self) -> None:
        self.count += 1
        if self.count == self.fault.operation:
            self.inside = True
            self._befall(self.fault)
            self.inside = False
        elif self.after is not None and self.count == self.after.operation:
            self._befall(self.after)

    def _befall(self, fault: Fault) -> None:
        """Let it happen; signals at a moment are sent by the parent."""
        kind, amount = fault.kind, fault.amount
        if kind in SIGNALS and fault.operation:
            os.kill(os.getpid(), SIGNALS[kind])
        elif kind in ("torn", "limit"):
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL if kind == "torn" else signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_FSIZE, (amount, amount))
        elif kind == "memory":
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            resource.setrlimit(resource.RLIMIT_AS, (pages * PAGE + amount, -1))
        elif kind == "shut":
            os.chmod(self.folder, 0o500)
        elif kind == "clock":
            _move_clock(amount)
            self.after = Fault("kill", self.count + 10)


def _move_clock(seconds: int) -> None:
    """Let the clock of the day, as Python has it, be another; what the system stamps on files stays."""
    real, real_ns = time.time, time.time_ns
    time.time = lambda: real() + seconds
    time.time_ns = lambda: real_ns() + seconds * 10**9
