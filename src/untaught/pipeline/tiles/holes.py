"""Wide holes that no tile sees all of, with what is around them: filled in first, each in a window of its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from untaught.errors import InputError
from untaught.image.lazy import empty, release
from untaught.image.plane import Plane, Window
from untaught.image.tiling import Span, Tile
from untaught.methods.inpainting.wide_holes import DEEP
from untaught.pipeline.answer import Answer
from untaught.pipeline.tiles.parts import Settled, Whole

Flags = NDArray[np.bool_]
Missing = Callable[[Plane, Window], Flags]

AROUND = 64  # pixels around a hole that are looked at, and
DEPTHS = 2  # so many times its depth: what the methods for wide holes see


@dataclass(frozen=True)
class Hole:
    """A connected part of what is missing.

    Attributes
    ----------
    box : tuple of slice
        The rectangle that holds it.
    pixel : tuple of int
        One of its pixels.
    depth : float
        Distance of its deepest pixel from anything measured.
    """

    box: Window
    pixel: tuple[int, int]
    depth: float

    def tile(self, shape: tuple[int, int]) -> Tile:
        """Return the window that it is filled in."""
        reach = max(AROUND, math.ceil(DEPTHS * self.depth))
        rows, columns = (
            Span(max(s.start - reach, 0), min(s.stop + reach, n), s.start, s.stop, n, 0)
            for s, n in zip(self.box, shape, strict=True)
        )
        return Tile(rows, columns)

    def within(self, tile: Tile) -> bool:
        """Say whether a tile sees all that it is filled from, and no other has a share of its pixels."""
        shape = tile.rows.length, tile.columns.length
        wanted = self.tile(shape)
        pairs = ((tile.rows, wanted.rows), (tile.columns, wanted.columns))
        return all(
            span.start <= want.start
            and want.stop <= span.stop
            and (span.first == 0 or span.first + span.ramp <= want.first)
            and (span.last == span.length or want.last <= span.last - span.ramp)
            for span, want in pairs
        )


@dataclass(frozen=True)
class Filled:
    """What was filled in first, on the disk where the plane is large.

    Attributes
    ----------
    values : ndarray
        (H, W, C).
    at : ndarray
        bool, (H, W).
    answers : list
        Each hole's box, and its answer without pixels.
    """

    values: NDArray[np.float32]
    at: Flags
    answers: list[tuple[Window, Answer]] = field(default_factory=list)

    def known(self, window: Window) -> Tensor | None:
        """Return 1 where a window was filled in, (1, 1, H, W); None where it was nowhere."""
        at = self.at[window]
        return torch.from_numpy(at.astype(np.float32))[None, None] if at.any() else None

    def laid(self, values: NDArray[np.float32], window: Window) -> NDArray[np.float32]:
        """Return the values of a window, (H, W, C), with what was filled in."""
        return np.where(self.at[window][..., None], self.values[window], values)

    def told(self, answer: Answer, tile: Tile) -> Answer:
        """Return the answer for a tile with what was filled in, and what there is to say of that."""
        here = [found for box, found in self.answers if self.at[tile.own].any() and _meet(box, tile.own)]
        values = self.laid(answer.values.astype(np.float32), tile.window)
        for found in here:
            names = dict.fromkeys((*answer.method.split(" / "), *found.method.split(" / ")))
            answer = replace(
                answer,
                method=" / ".join(name for name in names if name != "none"),
                why=found.why,
                risk=None,
                notes=(*answer.notes, *(note for note in found.notes if note not in answer.notes)),
                recipe=found.recipe,
            )
        return replace(answer, values=values)


def holes_first(settled: Settled, whole: Whole, missing: Missing) -> Filled | None:
    """Fill in the wide holes that no tile sees all of; None where there are none.

    Raises
    ------
    InputError
        Where one takes more memory than a tile may.
    """
    picture, shape = whole.picture, (whole.picture.height, whole.picture.width)
    holes = list(_holes(settled, whole, missing))
    if not holes:
        return None
    channels = len(picture.group(whole.index))
    filled = Filled(empty((*shape, channels), np.float32), empty(shape, np.bool_))
    for hole in holes:
        tile = hole.tile(shape)
        plane = settled.survey.plane(tile)
        answer = settled.solve(plane, tile, replace(settled.request, noise=settled.survey.law(tile.window)))
        if answer is None:  # what is around it is of one value
            continue
        if answer.interrupted:
            raise KeyboardInterrupt
        at = _component(missing(plane, tile.window), tile.window, hole.pixel)
        filled.values[tile.window][at] = answer.values[at]
        filled.at[tile.window] |= at
        notes = tuple(note for note in answer.notes if not hasattr(note, "counted"))
        filled.answers.append((hole.box, replace(answer, values=answer.values[:0], std=None, notes=notes)))
        for each in (filled.values, filled.at, picture.array):
            release(each)
    return filled


def _holes(settled: Settled, whole: Whole, missing: Missing) -> Iterator[Hole]:
    """Yield every wide hole that is not left to a tile, once."""
    seen: set[tuple[int, ...]] = set()
    for tile in whole.tiles:
        at = missing(settled.survey.plane(tile), tile.window)
        for hole in _wide(at, tile):
            if _cut(hole.box, tile.window, (whole.picture.height, whole.picture.width)):
                hole = _grown(hole, whole, missing)
            key = tuple(end for side in hole.box for end in (side.start, side.stop))
            if key not in seen and not hole.within(tile):
                seen.add(key)
                if _fits(hole, whole, tile):
                    yield hole


def _wide(at: Flags, tile: Tile) -> Iterator[Hole]:
    """Yield what a tile sees of every wide hole of which a part is its own."""
    from scipy.ndimage import distance_transform_edt, find_objects, label

    if not at.any():
        return
    deep = np.full(at.shape, float(max(at.shape))) if at.all() else distance_transform_edt(at)
    names, _ = label(at, np.ones((3, 3)))
    for number, box in enumerate(find_objects(names), 1):
        here = names[box] == number
        depth = float(deep[box][here].max())
        if depth > DEEP and _meet(box, tile.core) and (names[tile.core] == number).any():
            rows, columns = _within(box, tile.window)
            row, column = np.argwhere(here)[0].tolist()
            yield Hole((rows, columns), (rows.start + row, columns.start + column), depth)


def _cut(box: Window, window: Window, shape: tuple[int, int]) -> list[tuple[bool, bool]]:
    """Return before and behind which sides of a window, down and across, a part of it goes on; empty for none."""
    found = [
        (side.start == seen.start > 0, side.stop == seen.stop < length)
        for side, seen, length in zip(box, window, shape, strict=True)
    ]
    return found if any(map(any, found)) else []


def _grown(hole: Hole, whole: Whole, missing: Missing) -> Hole:
    """Return the whole of a hole of which one tile sees a part, as far as it lies in what a tile may hold."""
    from scipy.ndimage import distance_transform_edt, find_objects

    shape, window = (whole.picture.height, whole.picture.width), hole.box
    while True:
        at = missing(whole.picture.plane(whole.index, window), window)
        release(whole.picture.array)
        mine = _component(at, window, hole.pixel)
        (box,) = find_objects(mine.astype(np.uint8))
        rows, columns = _within(box, window)
        sides = _cut((rows, columns), window, shape)
        if not sides or math.prod(w.stop - w.start for w in window) > whole.tiling.side**2:
            break
        more = whole.tiling.side // 2
        down, across = (
            slice(max(w.start - more * before, 0), min(w.stop + more * behind, n))
            for (before, behind), w, n in zip(sides, window, shape, strict=True)
        )
        window = down, across
    depth = hole.depth if at.all() else float(distance_transform_edt(at)[mine].max())
    return Hole((rows, columns), hole.pixel, depth)


def _fits(hole: Hole, whole: Whole, tile: Tile) -> bool:
    """Say whether a hole can have a window of its own; a narrow one that cannot is left to the tiles.

    Raises
    ------
    InputError
        Where it has to, and cannot.
    """
    rows, columns = hole.tile((whole.picture.height, whole.picture.width)).window
    area, most = (rows.stop - rows.start) * (columns.stop - columns.start), whole.tiling.side**2
    if area <= most:
        return True
    if hole.depth <= whole.tiling.overlap / 2:
        return False
    height, width = (side.stop - side.start for side in hole.box)
    raise InputError(
        f"a hole of {whole.picture.name} of {width} x {height} pixels or more is wider than the parts that it can "
        f"be restored in, of {whole.tiling.side} x {whole.tiling.side} pixels, and has to be seen whole with what "
        f"is around it; allow about {area / most:.1f} times the memory, or crop the picture around it"
    )


def _component(at: Flags, window: Window, pixel: tuple[int, int]) -> Flags:
    """Return the connected part of what is missing in a window that has a pixel, counted in the plane."""
    from scipy.ndimage import label

    names, _ = label(at, np.ones((3, 3)))
    return np.asarray(names == names[pixel[0] - window[0].start, pixel[1] - window[1].start], np.bool_)


def _meet(a: Window, b: Window) -> bool:
    return all(x.start < y.stop and y.start < x.stop for x, y in zip(a, b, strict=True))


def _within(box: Window, window: Window) -> Window:
    """Return a rectangle of a window as one of the plane."""
    rows, columns = (slice(w.start + s.start, w.start + s.stop) for s, w in zip(box, window, strict=True))
    return rows, columns
