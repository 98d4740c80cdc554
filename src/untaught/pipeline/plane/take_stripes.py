"""Stripes of a picture's planes: said, or taken out before anything else is done."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from untaught.image.image import Image
from untaught.image.output_type import typed
from untaught.image.plane import Plane
from untaught.noise.estimation.stripes import Stripes, moved_by, stripes_of
from untaught.pipeline.answer import Answer
from untaught.results.restoration import Tried
from untaught.risk.estimate import Risk

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
    out : bool
        Whether something was taken out.
    """

    notes: tuple[str, ...] = ()
    values: NDArray[np.float32] | None = None
    added: float = 0.0
    leftover: float = 0.0
    out: bool = False

    def counted(self, answer: Answer) -> Answer:
        """Return the answer for the plane without stripes as that for the plane as it was given.

        What is left of the stripes adds to the error, for it is no noise that a method could have seen; in a law
        of noise that neighbours share, they were seen.
        """
        answer = replace(answer, notes=(*self.notes, *answer.notes))
        if self.added == 0:
            return answer
        risk, seen = answer.risk, not self.out and answer.noise.shared
        return replace(
            answer,
            risk=None if risk is None else Risk(risk.value + self.leftover, risk.error + self.leftover / 2),
            variance=answer.variance + (0.0 if seen or not answer.variance else self.added),
            candidates=tuple(self._row(row) for row in answer.candidates),
            completed=answer.completed or (self.out and answer.method == "none"),
        )

    def _row(self, row: Tried) -> Tried:
        if row.psnr is None or not math.isfinite(row.psnr):
            return row
        return replace(row, psnr=-10 * math.log10(10 ** (-row.psnr / 10) + self.leftover))


def without_stripes(picture: Image, asked: str | None) -> tuple[Image, tuple[Taken, ...]]:
    """Return the picture without the stripes that are to be taken out, and what there is to say of each plane.

    Parameters
    ----------
    picture : Image
        What was measured.
    asked : str or None
        'columns' or 'rows': those, whatever they are; 'auto': those that are found; None: none.
    """
    taken = tuple(stripes_in(plane, asked) for plane in picture.planes())
    if all(each.values is None for each in taken):
        return picture, taken
    exact = picture.array.dtype.itemsize > 2
    frame = typed(picture, "float64" if exact else "float32")
    return frame.with_planes([each.values for each in taken], _left(picture)), taken


def _left(picture: Image) -> Sequence[NDArray[np.bool_]]:
    """Return what was not measured, and padding, of every plane: markers that have to stay as they are."""
    return [plane.working.gone for plane in picture.planes()]


def stripes_in(plane: Plane, asked: str | None = None) -> Taken:
    """Return what is to be taken out of a plane, and what there is to say of its stripes."""
    gone = plane.working.gone
    if gone.all() or plane.values.max() == plane.values.min():
        return Taken()
    step = plane.working.step / plane.working.factor
    looked = [stripes_of(plane.values, gone, along, step) for along in DIRECTIONS]
    out = [one for one in looked if one.level > 0 and (one.along == asked or (asked == "auto" and one.found))]
    notes = [one.describe() for one in looked if one.found and one not in out]
    notes += [_said(one) for one in out]
    if asked is not None and not out:
        notes.append("no stripes were found, and none were taken out")
    if not out:
        left = math.fsum(one.level**2 for one in looked if one.found)
        return Taken(tuple(notes), added=left, leftover=left)
    offsets = sum(_laid(one) * moved_by(plane.values, gone) for one in out)
    values = (plane.values - offsets).astype(np.float32)
    leftover = math.fsum(one.leftover for one in out)
    return Taken(tuple(notes), values, float(np.square(offsets).mean()) + leftover, leftover, out=True)


def _laid(stripes: Stripes) -> NDArray[np.floating]:
    return stripes.offsets[None] if stripes.along == "columns" else stripes.offsets[:, None]


def _said(stripes: Stripes) -> str:
    left = 255 * math.sqrt(stripes.leftover)
    said = (
        f"stripes were taken out: offsets of the {stripes.along} of level {255 * stripes.level:.2g} (of 255), "
        f"known to about {left:.2g}, which counts in the stated error"
    )
    return said if stripes.found else f"{said}; they may as well be the picture's own"
