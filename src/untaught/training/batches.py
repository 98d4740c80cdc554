"""Patches drawn on the fly: what a step learns from is read from disk when it is needed, and let go.

What is held: the pictures on the shelf, which are let go, those not used for longest first, as soon as together
they take more than its `most` bytes (a single larger one is held alone while patches are cut from it); the patches
of the batches in flight; and one noise model and range a plane.
"""

from __future__ import annotations

from _thread import start_new_thread
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from threading import Event, Lock

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from untaught.image.files import as_image
from untaught.image.image import Image
from untaught.image.plane import Plane
from untaught.image.values import filled
from untaught.image.working import Scale
from untaught.methods.self_supervised.crops import joined, turned
from untaught.methods.self_supervised.learner import Batch
from untaught.noise import NoiseModel, Unknown, clipping
from untaught.pipeline.plane.working_scale import WorkingScale, measured
from untaught.pipeline.stacks.survey_series import SCALED, common_scale, spread
from untaught.training.dataset import Page, window

Ends = tuple[float, float]

LATE = 10.0  # seconds after which a thread that has not begun never will
MOST_BYTES = 2**28  # of decoded pictures on the shelf


class Shelf:
    """Pictures that were read, at most so many bytes of them, but always the last one.

    Attributes
    ----------
    most : int
        Bytes of pixels, as they are stored in the pictures.
    held : int
        Bytes held now.
    """

    def __init__(self, most: int = MOST_BYTES):
        self.most = most
        self.held = 0
        self._images: OrderedDict[Path, Image] = OrderedDict()

    def image(self, path: Path) -> Image:
        """Return a picture, read anew if it is not held.

        Raises
        ------
        InputError
            If it cannot be read any more.
        """
        if path in self._images:
            self._images.move_to_end(path)
            return self._images[path]
        image = as_image(path)
        self.held += image.array.nbytes
        while self._images and self.held > self.most:
            _, old = self._images.popitem(last=False)
            self.held -= old.array.nbytes
        self._images[path] = image
        return image


@dataclass
class Reader:
    """Reads squares of pages and knows their noise.

    Attributes
    ----------
    noise : NoiseModel or None
        As given; None measures it on every page, when that is first used.
    shelf : Shelf
        Where pictures are held for a while.
    pairs : bool
        Whether the other exposure of a page is read too.
    """

    noise: NoiseModel | None
    shelf: Shelf = field(default_factory=Shelf)
    pairs: bool = False
    _seen: dict[tuple[Path, int], tuple[NoiseModel, Ends]] = field(default_factory=dict)
    _scales: dict[tuple[Path, int], Scale] = field(default_factory=dict)

    def noise_of(self, page: Page) -> NoiseModel:
        """Return the noise of a page, on the page's own range."""
        return self._look(page)[0]

    def _look(self, page: Page) -> tuple[NoiseModel, Ends]:
        """Return the noise of a page and its range, on which planes are restored too; see `image.working`."""
        key = page.path, page.index
        if key not in self._seen:
            whole = window(self.shelf.image(page.path), page.index, 0, 0, max(page.height, page.width))
            if page.series:  # restored on the scale of the series
                whole = replace(whole, scale=self._scale(page))
            self._seen[key] = self._found(whole), self._ends(whole)
        return self._seen[key]

    def _scale(self, page: Page) -> Scale:
        key = page.path, page.series[0]
        if key not in self._scales:
            planes = [page.series[at] for at in spread(len(page.series), SCALED)]
            self._scales[key] = common_scale(self.shelf.image(page.path), planes)
        return self._scales[key]

    def _ends(self, whole: Plane) -> Ends:
        if whole.scale is not None:
            return whole.scale.low, whole.scale.high
        return whole.working.ends(whole.value_range)

    def _found(self, plane: Plane) -> NoiseModel:
        if plane.missing.all():
            return Unknown(0.0)
        if self.noise is not None:
            own = plane.working
            moved = WorkingScale(own.factor, own.shift).noise(self.noise)
            return replace(moved, clip=clipping(own.values, own.gone).clip)
        return measured(plane).model

    def square(self, page: Page, top: int, left: int, side: int) -> Batch:
        """Return a square of a page as a batch of one."""
        noise, ends = self._look(page)
        image = replace(self.shelf.image(page.path), value_range=ends)
        plane = window(image, page.index, top, left, side)
        values, gone, second = plane.values, plane.missing, None
        if self.pairs and page.second is not None:
            pictured = image if page.other is None else self.shelf.image(page.other)
            other = window(replace(pictured, value_range=ends), page.second, top, left, side)
            gone, second = gone | other.missing, _tensor(other.values)
        if noise.replaces:  # what was hit is known, and treated as missing
            hit = np.asarray(noise.hit(values).any(axis=-1))
            values, gone = filled(values, hit), gone | hit
        context = [window(image, at, top, left, side).values for at in page.around]
        beside = torch.cat([_tensor(each) for each in context], dim=1) if context else None
        return Batch(_tensor(values), (noise,), _tensor(~gone[..., None]), second, beside)


@dataclass(frozen=True)
class Patches:
    """Squares of random pages at random places, a function of seed, step and place in the batch alone.

    A page is drawn as often as it is large; squares are turned and flipped, but only by
    180 degrees where `upright` says so: the law of the noise, or what the learner hides, must not be turned away.
    """

    pages: tuple[Page, ...]
    side: int
    seed: int
    reader: Reader
    upright: Callable[[Batch], bool]

    @property
    def in_an_epoch(self) -> int:
        """How many squares cover all pages once."""
        return max(1, round(self._ends[-1] / self.side**2))

    @cached_property
    def _ends(self) -> list[int]:
        return list(accumulate(page.height * page.width for page in self.pages))

    def batch(self, step: int, places: Sequence[int]) -> Batch:
        """Return the squares that stand at `places` in the batch of a step."""
        return joined([self._one(step, place) for place in places])

    def _one(self, step: int, place: int) -> Batch:
        rng = np.random.default_rng((self.seed, step, place))
        page = self.pages[int(np.searchsorted(self._ends, rng.integers(self._ends[-1]), side="right"))]
        top, left = (int(rng.integers(length - self.side + 1)) for length in (page.height, page.width))
        quarters, flip = int(rng.integers(4)), bool(rng.integers(2))
        batch = self.reader.square(page, top, left, self.side)
        if self.upright(batch):
            quarters, flip = 2 * (quarters % 2), False
        return _turned(batch, quarters, flip)


class Ahead:
    """The batch of the next step is read while the network works on that of this one: two are in flight.

    Parameters
    ----------
    patches : Patches
        What is drawn from.
    parts : sequence of sequence of int
        The places of every part of a batch that this process works on.
    """

    def __init__(self, patches: Patches, parts: Sequence[Sequence[int]]):
        self.patches, self.parts = patches, parts
        self._next: tuple[int, _Reading] | None = None

    def take(self, step: int) -> list[Batch]:
        """Return the parts of the batch of a step."""
        at, reading = self._next or (-1, None)
        if reading is None or at != step:  # at the start, and after the fit went back
            self.close()
            reading = self._begun(step)
        found = reading.ended()
        self._next = (step + 1, self._begun(step + 1))
        return found

    def close(self) -> None:
        """Read no more."""
        if self._next is not None:
            self._next[1].join()
            self._next = None

    def _begun(self, step: int) -> _Reading:
        reading = _Reading(lambda: [self.patches.batch(step, places) for places in self.parts])
        reading.start()
        return reading


class _Reading:
    """A batch that a thread reads, or who asks for it, where the thread does not come to life.

    `threading.Thread.start` waits for ever for a thread that has no memory to begin with.
    """

    def __init__(self, read: Callable[[], list[Batch]]):
        self.read = read
        self.found: list[Batch] | None = None
        self.error: BaseException = MemoryError()  # until it has come to its end
        self.mine, self.over = Lock(), Event()

    def start(self) -> None:
        """Begin."""
        with suppress(RuntimeError):  # no more threads
            start_new_thread(self._run, ())

    def _run(self) -> None:
        if not self.mine.acquire(blocking=False):
            return
        try:
            self.found = self.read()
        except BaseException as error:
            self.error = error
        finally:
            self.over.set()

    def join(self) -> None:
        """Wait until it is over."""
        while not self.over.wait(LATE):
            self._run()

    def ended(self) -> list[Batch]:
        """Return the batch when it is read, or raise what it ended with."""
        self.join()
        if self.found is None:
            raise self.error
        return self.found


def centres(pages: Sequence[Page], reader: Reader, most: int = 128) -> Batch:
    """Return the middle of every page, squares of at most so many pixels on a side, all of one size."""
    side = min(most, *(min(page.height, page.width) for page in pages))
    return joined(
        [reader.square(page, (page.height - side) // 2, (page.width - side) // 2, side) for page in pages]
    )


def on(batch: Batch, device: torch.device | str) -> Batch:
    """Return the same on a device."""
    return batch.each(lambda x: x.to(device))


def _turned(batch: Batch, quarters: int, flip: bool) -> Batch:
    return batch.each(lambda x: turned(x, quarters, flip).contiguous())


def _tensor(values: NDArray[np.float32] | NDArray[np.bool_]) -> Tensor:
    """Return (H, W, C) as (1, C, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1), dtype=np.float32))[None]
