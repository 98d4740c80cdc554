"""Stripes of a picture's planes: said, or taken out before anything else is done."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from untaught.image.image import Image
from untaught.image.output_type import typed
from untaught.image.plane import Plane
from untaught.noise.estimation.stripes import Stripes, moved_by, piled_ends, stripes_of
from untaught.pipeline.answer import Answer
from untaught.results.restoration import Tried

DIRECTIONS = ("columns", "rows")


@dataclass(frozen=True)
class Taken:
    """What was taken out of a plane, and what is to be said of it.

    Attributes
    ----------
    notes : tuple of str
        Sentences to print.
    values : ndarray or None
        The plane without its stripes, (H, W, C), on the picture's range; None where nothing was taken out.
    added : float
        Mean square of the stripes that are in the picture, its range squared.
    leftover : float
        Mean square of those that are in the answer.
    perhaps : float
        Mean square of what is in the answer and may be none of the picture's: the interval covers both.
    out : bool
        Whether something was taken out.
    left : ndarray or None
        bool, (H, W): what was not measured, and padding, which have to stay as they are.
    """

    notes: tuple[str, ...] = ()
    values: NDArray[np.float32] | None = None
    added: float = 0.0
    leftover: float = 0.0
    perhaps: float = 0.0
    out: bool = False
    left: NDArray[np.bool_] | None = None

    def counted(self, answer: Answer) -> Answer:
        """Return the answer for the plane without stripes as that for the plane as it was given.

        What is left of the stripes adds to the error, for it is no noise that a method could have seen; in a law
        of noise that neighbours share, they were seen.
        """
        answer = replace(answer, notes=(*self.notes, *answer.notes))
        if self.added == 0 and self.perhaps == 0:
            return answer
        risk, seen = answer.risk, not self.out and answer.noise.shared
        return replace(
            answer,
            risk=None if risk is None else risk.plus(self.leftover, self.leftover / 2, self.perhaps),
            variance=answer.variance + (0.0 if seen or not answer.variance else self.added),
            candidates=tuple(self._row(row) for row in answer.candidates),
            completed=answer.completed or (self.out and answer.method == "none"),
        )

    def _row(self, row: Tried) -> Tried:
        if row.psnr is None or not math.isfinite(row.psnr):
            return row
        return replace(row, psnr=-10 * math.log10(10 ** (-row.psnr / 10) + self.leftover))


Look = Callable[[int], Taken]


def without_stripes(picture: Image, look: Look) -> tuple[Image, tuple[Taken, ...]]:
    """Return the picture without the stripes that are to be taken out, and what there is to say of each plane.

    Parameters
    ----------
    picture : Image
        What was measured.
    look : callable
        Takes them out of a plane, by its number.
    """
    taken = tuple(look(index) for index in range(picture.n_planes))
    if all(each.values is None for each in taken):
        return picture, taken
    exact = picture.array.dtype.itemsize > 2
    frame = typed(picture, "float64" if exact else "float32")
    return frame.with_planes([each.values for each in taken], [each.left for each in taken]), taken


def stripes_in(plane: Plane, asked: str | None = None) -> Taken:
    """Return what is to be taken out of a plane, and what there is to say of its stripes; see `decided`."""
    gone = plane.working.gone
    if gone.all() or plane.values.max() == plane.values.min():
        return Taken()
    step = plane.working.step / plane.working.factor

    def remove(out: Sequence[Stripes]) -> Removed:
        offsets = offsets_at(out) * moved_by(plane.values, gone, piled_ends(plane.values, gone))
        return Removed((plane.values - offsets).astype(np.float32), gone, float(np.square(offsets).mean()))

    return decided([stripes_of(plane.values, gone, along, step) for along in DIRECTIONS], asked, remove)


@dataclass(frozen=True)
class Removed:
    """A plane without stripes: its values, where it stays as it is, and the mean square of what was taken off."""

    values: NDArray[np.float32]
    left: NDArray[np.bool_]
    square: float


def decided(looked: Sequence[Stripes], asked: str | None, remove: Callable[[Sequence[Stripes]], Removed]) -> Taken:
    """Return what is taken out of a plane, and what there is to say.

    Parameters
    ----------
    looked : sequence of Stripes
        What was measured, along either direction.
    asked : str or None
        'columns' or 'rows': those, whatever they are; 'auto': those that are found; None: none.
    remove : callable
        Takes stripes out of the plane.
    """
    out = [one for one in looked if one.level > 0 and (one.along == asked or (asked == "auto" and one.found))]
    notes = [one.describe() for one in looked if one.found and one not in out]
    notes += [_said(one) for one in out]
    if asked is not None and not out:
        notes.append("no stripes were found, and none were taken out")
    if not out:
        left = math.fsum(one.level**2 for one in looked if one.found)
        return Taken(tuple(notes), added=left, leftover=left)
    found, leftover = remove(out), math.fsum(one.leftover for one in out)
    return Taken(tuple(notes), found.values, found.square + leftover, leftover, out=True, left=found.left)


def offsets_at(stripes: Sequence[Stripes], rows: slice = slice(None)) -> NDArray[np.floating]:
    """Return what is to be taken off some rows of a plane, of a shape that broadcasts to theirs."""
    total: NDArray[np.floating] = np.zeros((1, 1, 1))
    for one in stripes:
        total = total + (one.offsets[None] if one.along == "columns" else one.offsets[rows, None])
    return total


def _said(stripes: Stripes) -> str:
    left = 255 * math.sqrt(stripes.leftover)
    said = (
        f"stripes were taken out: offsets of the {stripes.along} of level {255 * stripes.level:.2g} (of 255), "
        f"known to about {left:.2g}, which counts in the stated error"
    )
    return said if stripes.found else f"{said}; they may as well be the picture's own"
