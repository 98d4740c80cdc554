"""A process that works on one order after the other, and the server's end of it."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import tempfile
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from untaught.fitting.progress import Progress

PATIENCE = 1.0
"""Seconds after which a fit that was told to stop, and tells nothing, is broken off wherever it is."""
IDLE = 0.2
"""Seconds between two looks whether all is loaded."""
LOOKS, FITS = "looks", "fits"
SHOW, MEASURE, FIT = "show", "measure", "fit"


@dataclass(frozen=True)
class Order:
    """What is to be done: 'show', 'measure' or 'fit', in the job's folder, and what is said with it."""

    job: str
    kind: str
    folder: str
    given: dict[str, Any] = field(default_factory=dict)


class Worker:
    """The server's end: orders wait here until the process has done those before.

    Parameters
    ----------
    name : str
        'looks' or 'fits'.
    hear : callable
        Called, from another thread, with every message: the order it is about, a word, and what is said by name.
        The last one about an order is 'ended'; 'lost' comes before it where the process ended.
    """

    def __init__(self, name: str, hear: Callable[[Order, str, dict[str, Any]], None]) -> None:
        self.name, self.hear = name, hear
        self.context = multiprocessing.get_context("spawn")
        self.watched, self.stop_flag = self.context.Event(), self.context.Event()
        self.waiting: deque[Order] = deque()
        self.current: Order | None = None
        self.lock = threading.RLock()
        self.closed = False
        self._start()

    def _start(self) -> None:
        self.link, far = self.context.Pipe()
        flags = self.stop_flag, self.watched
        self.process = self.context.Process(
            target=work_on, args=(far, self.name, flags), name=f"untaught {self.name}", daemon=True
        )
        self.process.start()
        far.close()
        threading.Thread(target=self._listen, args=(self.link,), daemon=True).start()

    def _listen(self, link: Connection) -> None:
        """Hear the process until it ends; a new one takes its place."""
        with suppress(EOFError, OSError):
            while True:
                word, said = link.recv()
                with self.lock:
                    order = self.current
                    if word == "ended":
                        self.current = None
                if order is not None:
                    self.hear(order, word, said)
                if word == "ended":
                    self._next()
        with self.lock:
            order, self.current = self.current, None
            if self.closed:
                return
            self.process.join()
            code = self.process.exitcode
            self._start()
        if order is not None:
            self.hear(order, "lost", {"code": code})
            self.hear(order, "ended", {})
        self._next()

    def give(self, order: Order) -> None:
        """Add an order."""
        with self.lock:
            self.waiting.append(order)
        self._next()

    def _next(self) -> None:
        with self.lock:
            if self.current is not None or not self.waiting or self.closed:
                return
            self.current = self.waiting.popleft()
            self.stop_flag.clear()
            with suppress(OSError):  # it ended: whoever listens sees that
                self.link.send(self.current)

    def stop(self, job: str) -> None:
        """End what is done for a job, keeping the best so far."""
        with self.lock:
            order = self.current
            if order is None or order.job != job:
                return
            self.stop_flag.set()
        threading.Timer(PATIENCE, self._nudge, (order,)).start()

    def _nudge(self, order: Order) -> None:
        with self.lock:
            if self.current is order and self.process.pid and hasattr(signal, "SIGUSR1"):
                with suppress(OSError):
                    os.kill(self.process.pid, signal.SIGUSR1)

    def drop(self, job: str) -> None:
        """Forget the orders of a job, and end the process if it is at one of them."""
        with self.lock:
            self.waiting = deque(order for order in self.waiting if order.job != job)
            if self.current is not None and self.current.job == job:
                self.process.kill()

    def close(self) -> None:
        """End the process."""
        with self.lock:
            self.closed = True
            self.process.kill()
        self.process.join()


class Breakable:
    """Lets SIGUSR1 raise KeyboardInterrupt, once, while it is entered: as Ctrl-C does for the command."""

    def __init__(self) -> None:
        self.open = False
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal: the server ends its processes itself
        if hasattr(signal, "SIGUSR1"):
            signal.signal(signal.SIGUSR1, self._arrived)

    def _arrived(self, number: int, frame: object) -> None:
        if self.open:
            self.open = False
            raise KeyboardInterrupt

    def __enter__(self) -> None:
        self.open = True

    def __exit__(self, *exception: object) -> None:
        self.open = False


def work_on(link: Connection, name: str, flags: tuple[Any, Any]) -> None:
    """Do what is ordered, until the server ends."""
    breakable = Breakable()
    threading.Thread(target=end_with_parent, daemon=True).start()

    def tell(word: str, **said: Any) -> None:
        link.send((word, said))

    os.chdir("/")
    with suppress(EOFError, OSError):  # the server has ended
        if name == FITS or idle_while_loading(link):
            warm_up(name)
        while True:
            order: Order = link.recv()
            os.chdir(order.folder)
            tempfile.tempdir = order.folder  # where large files are unpacked to: it goes with the job
            obey(order, tell, flags, breakable)
            tell("ended")


def end_with_parent() -> None:
    """End this process as soon as the server has ended, however that did."""
    server = multiprocessing.parent_process()
    if server is not None:
        server.join()
        os._exit(1)


def idle_while_loading(link: Connection) -> bool:
    """Load what measures pictures beside the work, so that the first is shown before; tell whether none came."""
    loading = threading.Thread(target=import_module, args=("untaught.pipeline.tasks.inspect",), daemon=True)
    loading.start()
    while loading.is_alive() and not link.poll(IDLE):
        pass
    return not link.poll()


def warm_up(name: str) -> None:
    """Load, and where need be compile, what every job needs."""
    import numpy as np

    from untaught.image.image import Image
    from untaught.pipeline.tasks.denoise import denoise
    from untaught.pipeline.tasks.inspect import inspect

    noise = np.random.default_rng(0).integers(90, 160, (64, 64)).astype(np.uint8)
    picture = Image.of(noise, "YX")
    if name == LOOKS:
        import torch

        torch.set_num_threads(1)  # a fit may run beside it
        inspect(picture)
    else:
        import untaught.results.page  # noqa: F401 - what every report needs

        denoise(picture, effort="quick")


def obey(order: Order, tell: Callable[..., None], flags: tuple[Any, Any], breakable: Breakable) -> None:
    """Do one thing, and tell how it went: whatever is wrong with a picture is said in a sentence."""
    from untaught.errors import UntaughtError
    from untaught.serve import work
    from untaught.serve.answers import said_for

    try:
        if order.kind == FIT:
            tell("begun")
            _fit(tell, order.given, flags, breakable)
        elif order.kind == SHOW:
            work.show(tell, **order.given)
        else:
            work.measure(tell, **order.given)
    except KeyboardInterrupt:
        tell("stopped")
    except UntaughtError as error:
        tell("refused", sentence=said_for(str(error)))
    except MemoryError:
        tell("refused", sentence="there is not enough memory for this picture; cut it into pieces")
    except Exception as error:
        what = " ".join(str(error).split())[:300]
        tell("refused", sentence=f"internal error: {type(error).__name__}: {said_for(what)}; please report it")


def _fit(tell: Callable[..., None], given: dict[str, Any], flags: tuple[Any, Any], breakable: Breakable) -> None:
    from untaught.noise.estimation.remembered import remembering
    from untaught.serve import answers, work
    from untaught.serve.planes import orientation_of
    from untaught.serve.preview import Watch
    from untaught.serve.settings import Settings

    settings, name, folder = Settings(**given["settings"]), given["name"], Path(given["answer"])
    picture = work.opened(name, given["reads"])
    watch = Watch(tell, flags, picture.value_range, given["contrast"], orientation_of(picture))

    def look(progress: Progress) -> None:
        try:
            watch(progress)
        except KeyboardInterrupt:  # what it does from now on is to finish the best so far
            breakable.open = False
            raise

    known = pickle.loads(given["reports"]) if given["reports"] else {}  # by the process that measured it
    with breakable, remembering(known):
        result = work.restored(picture, settings, given["uploads"], look)
    tell("restored", result=answers.answer(result, folder))
    tell("written", files=answers.write_files(result, Path(name), folder))
