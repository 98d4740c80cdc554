"""One fit at a time, beside what a person looks at: what is asked, how it is stopped, what it tells."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError, explained
from untaught.image.image import Image
from untaught.napari.jpeg import alike, as_shown, jpeg_of

if TYPE_CHECKING:
    from untaught.fitting.progress import Progress
    from untaught.results.result import Result

TASKS = ("denoise", "inpaint", "upscale", "deblur", "dejpeg", "demosaic", "descreen")
NOISELESS = ("dejpeg", "descreen")
"""Tasks that take no noise: the file, or the picture, says all."""
EFFORTS = ("quick", "normal", "best")
PATTERNS = ("RGGB", "BGGR", "GRBG", "GBRG", "X-TRANS")
PATIENCE = 1.0
"""Seconds after which a fit that was told to stop, and tells nothing, is broken off wherever it is."""
BETWEEN = 0.4
"""Seconds between two previews, at the least ..."""
SHARE = 0.02
"""... and this share of the time is spent on them, at the most."""


Given = Image | Callable[[], Image]


@dataclass(frozen=True)
class Asked:
    """What is to be done with a picture.

    Attributes
    ----------
    task, method, effort, noise
        As `untaught.denoise` has them; the task is one of `TASKS`.
    mask : ndarray or None
        (H, W), not zero where something is missing; for 'inpaint'.
    factor, psf, pattern
        For 'upscale', 'deblur' and 'demosaic'.
    path : str or None
        The file that napari has the layer from, for 'dejpeg'.
    time_limit : float or None
        Seconds.
    preview : bool
        Whether the picture is told as it stands.
    """

    task: str = "denoise"
    method: str = "auto"
    effort: str = "normal"
    noise: str = "auto"
    mask: NDArray[Any] | None = None
    factor: int = 2
    psf: str = "gaussian:2"
    pattern: str = "RGGB"
    path: str | None = None
    time_limit: float | None = None
    preview: bool = True


@dataclass(frozen=True)
class Told:
    """What a session tells.

    Attributes
    ----------
    kind : str
        'progress', 'preview', 'note', 'measured', 'restored', 'refused', or 'ended', which comes last.
    text : str
        What there is to say.
    share : float or None
        How much is done, from 0 to 1, as far as that is known.
    values, plane, picture
        Of a preview: (H, W, C) in the picture's own units, which plane it is, and of what.
    result : Result or None
        The answer.
    """

    kind: str
    text: str = ""
    share: float | None = None
    values: NDArray[np.float32] | None = None
    plane: int = 0
    picture: Image | None = None
    result: Result | None = None


class Session:
    """Runs one thing at a time in a thread; whoever shows it asks `told` now and then, from its own thread."""

    def __init__(self) -> None:
        self._waiting: list[Told] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._breakable = False  # while it is, a nudge may break it off

    @property
    def running(self) -> bool:
        """Whether something is done, or has told what was not yet asked for."""
        return self._thread is not None

    def told(self) -> list[Told]:
        """Return what was told since the last time; of previews, and of where it is, only the newest."""
        with self._lock:
            found, self._waiting = self._waiting, []
        if any(each.kind == "ended" for each in found):
            if self._thread is not None:
                self._thread.join()
            self._thread = None
        return found

    def start(self, given: Given, asked: Asked) -> None:
        """Restore a picture.

        Parameters
        ----------
        given : Image or callable
            The picture, or what reads it, which may take its time.
        asked : Asked
            What is to be done.

        Raises
        ------
        InputError
            Where something is under way, or what was asked lacks something.
        """
        verb = verb_of(asked)
        options: dict[str, Any] = {"method": asked.method, "effort": asked.effort}
        if asked.task not in NOISELESS:
            options["noise"] = asked.noise or "auto"

        def work() -> None:
            layer = given() if callable(given) else given
            picture = jpeg_of(layer, asked.path) if asked.task == "dejpeg" else layer
            preview = asked.preview and (picture is layer or alike(picture, layer))  # it lies as the layer does
            watch = Watch(picture, preview, self._tell, self._asked_to_stop)
            result = verb(picture, **options, time_limit=asked.time_limit, on_progress=watch)
            if asked.task == "dejpeg":
                result = as_shown(result, layer)
            self._tell(Told("restored", said(result), 1.0, result=result))

        self._begin(work)

    def measure(self, given: Given) -> None:
        """Say what noise a picture has, and what to do about it.

        Raises
        ------
        InputError
            Where something is under way.
        """

        def work() -> None:
            from untaught.pipeline.tasks.inspect import inspect

            lines = inspect(given() if callable(given) else given).describe().splitlines()
            kept = [line for line in lines if line.startswith(("noise ", "note ", "advice ", "gain "))]
            self._tell(Told("measured", "\n".join(line.partition(" ")[2].strip() for line in kept)))

        self._begin(work)

    def stop(self) -> None:
        """End what is done; of a fit the best so far is the answer."""
        thread = self._thread
        if thread is None or self._stopping.is_set():
            return
        self._stopping.set()
        nudge = threading.Timer(PATIENCE, self._nudge, (thread,))
        nudge.daemon = True
        nudge.start()

    def _asked_to_stop(self) -> bool:
        """Tell a fit whether to end; one that heard it finishes its best so far, and is not to be broken off."""
        if self._stopping.is_set():
            self._breakable = False
        return self._stopping.is_set()

    def _begin(self, work: Callable[[], None]) -> None:
        if self._thread is not None:
            raise InputError("something is under way already; stop it, or wait for it")
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, args=(work,), name="untaught", daemon=True)
        self._thread.start()

    def _run(self, work: Callable[[], None]) -> None:
        """Do it, and tell how it went; whatever is wrong with a picture is said in a sentence."""
        try:
            self._breakable = True
            try:
                work()
            finally:
                self._breakable = False  # while it is, a nudge may break it off
        except KeyboardInterrupt:
            self._tell(Told("refused", "It was stopped before there was anything to keep."))
        except Exception as error:
            self._tell(Told("refused", explained(error)[1]))
        self._tell(Told("ended"))

    def _nudge(self, thread: threading.Thread) -> None:
        """Raise KeyboardInterrupt in the thread, as Ctrl-C does in a program's first one."""
        if self._breakable and thread is self._thread and thread.ident is not None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(thread.ident), ctypes.py_object(KeyboardInterrupt)
            )

    def _tell(self, said: Told) -> None:
        with self._lock:
            if said.kind in ("preview", "progress"):
                self._waiting = [each for each in self._waiting if each.kind != said.kind]
            self._waiting.append(said)


class Watch:
    """An `on_progress` that tells where a fit is, and ends it when that is wanted.

    Parameters
    ----------
    picture : Image
        What is restored.
    preview : bool
        Whether to tell the picture as it stands.
    tell : callable
        Takes what there is to tell.
    stopping : callable
        Whether the fit is to end.
    """

    def __init__(
        self, picture: Image, preview: bool, tell: Callable[[Told], None], stopping: Callable[[], bool]
    ) -> None:
        self.picture, self.preview, self.tell, self.stopping = picture, preview, tell, stopping
        self.next_preview = 0.0
        self.done = 0.0

    def __call__(self, progress: Progress) -> bool:
        """Tell where a fit is; False ends it."""
        if self.stopping():
            return False
        for note in progress.notes:
            self.tell(Told("note", note))
        self.done = max(self.done, progress.planes_done / progress.planes)
        self.tell(Told("progress", progress.where, self.done))
        now = time.monotonic()
        if self.preview and progress.parts == 1 and now >= self.next_preview:
            low, high = self.picture.value_range
            values = progress.preview()[0].permute(1, 2, 0).float().cpu().numpy()
            values = (values * np.float32(high - low) + np.float32(low)).astype(np.float32)
            self.tell(Told("preview", values=values, plane=progress.plane, picture=self.picture))
            self.next_preview = now + max(BETWEEN, (time.monotonic() - now) / SHARE)
        return True


def verb_of(asked: Asked) -> Callable[..., Result]:
    """Return the function that does a task, with what it takes beside the picture.

    Raises
    ------
    InputError
        Where the task is unknown, or lacks its mask.
    """
    from functools import partial

    from untaught.pipeline.tasks import deblur, dejpeg, demosaic, denoise, descreen, inpaint, upscale

    if asked.task not in TASKS:
        raise InputError(f"there is no task {asked.task!r} for a layer; choose {', '.join(TASKS)}")
    if asked.task == "inpaint":
        return partial(inpaint.inpaint, mask=asked.mask, mask_marks="missing")
    if asked.task == "upscale":
        return partial(upscale.upscale, factor=asked.factor)
    if asked.task == "deblur":
        return partial(deblur.deblur, psf=asked.psf)
    if asked.task in NOISELESS:
        return dejpeg.dejpeg if asked.task == "dejpeg" else descreen.descreen
    return partial(demosaic.demosaic, pattern=asked.pattern) if asked.task == "demosaic" else denoise.denoise


def said(result: Result) -> str:
    """Return what there is to say of an answer, a paragraph a line: noise, method, quality, notes."""
    from untaught.results.text import noise_sentence, quality, sentence

    origin = "Measured on the picture." if result.noise_found else "Given, not measured."
    lines = [f"{noise_sentence(result.noise, result.input.value_range)} {origin}"]
    lines += [f"{result.method}: {sentence(result.why)}", quality(result)]
    if result.interrupted:
        lines.append("It was stopped: this is the best until then.")
    return "\n".join([*lines, *map(sentence, result.notes)])
