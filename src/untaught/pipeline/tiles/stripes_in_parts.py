"""Stripes of a plane that is not held: measured on evenly thinned lines, taken out band by band."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from untaught.image.image import Image
from untaught.image.lazy import PIECE, empty, release
from untaught.image.plane import Plane
from untaught.image.working import Scale
from untaught.noise.estimation.stripes import PILED, Stripes, moved_by, stripes_in_lines, thinning
from untaught.pipeline.plane.take_stripes import Removed, Taken, decided, offsets_at
from untaught.pipeline.tiles.survey import scale_of

Bands = Iterator[tuple[slice, Plane]]


def stripes_in_parts(picture: Image, index: int, asked: str | None = None) -> Taken:
    """Return what is to be taken out of a plane, and what there is to say; the same as of one that is held.

    In a memory of some rows, and of the lines that are looked at: 2^22 values of a channel.
    """
    scale = scale_of(picture, index)
    ends, varied = _ends(picture, index, scale)
    if not varied:
        return Taken()

    def remove(out: Sequence[Stripes]) -> Removed:
        channels, square, size = len(picture.group(index)), 0.0, picture.height * picture.width
        values = empty((picture.height, picture.width, channels), np.float32)
        left = empty((picture.height, picture.width), np.bool_)
        for rows, band in _bands(picture, index, scale):
            gone = band.working.gone
            offsets = offsets_at(out, rows) * moved_by(band.values, gone, ends)
            values[rows], left[rows] = band.values - offsets, gone
            square += float(np.square(offsets).sum())
            release(values)
            release(left)
        return Removed(values, left, square / (size * channels))

    return decided([_stripes(picture, index, scale, ends, along) for along in ("columns", "rows")], asked, remove)


def _bands(picture: Image, index: int, scale: Scale) -> Bands:
    """Yield rows that together are all of a plane, and the part of it that they are."""
    count = max(1, PIECE // picture.width)
    for top in range(0, picture.height, count):
        rows = slice(top, min(top + count, picture.height))
        yield rows, replace(picture.plane(index, (rows, slice(None))), scale=scale)
        release(picture.array)


def _ends(picture: Image, index: int, scale: Scale) -> tuple[tuple[float, ...], bool]:
    """Return the ends of the range at which values were cut off, as `piled_ends` does, and whether any differ."""
    counts: dict[float, int] = {}
    size, low, high = 0, np.inf, -np.inf
    for _, band in _bands(picture, index, scale):
        there = band.values[~band.working.gone]
        if not there.size:
            continue
        size += there.size
        for end in {float(there.min()), float(there.max())} | set(counts):
            counts[end] = counts.get(end, 0) + int((there == end).sum())
        low, high = min(low, float(there.min())), max(high, float(there.max()))
        counts = {end: count for end, count in counts.items() if end in (low, high)}
    return tuple(end for end in (low, high) if counts.get(end, 0) > PILED * size), low < high


def _stripes(picture: Image, index: int, scale: Scale, ends: tuple[float, ...], along: str) -> Stripes:
    """Return the stripes along one direction, from every so many-th line across them."""
    across = along == "columns"
    shape = (picture.height, picture.width) if across else (picture.width, picture.height)
    thin, step, parts = thinning(*shape), 0.0, list[tuple[NDArray[np.float32], NDArray[np.bool_]]]()
    for rows, band in _bands(picture, index, scale):
        some = slice(-rows.start % thin, None, thin) if across else slice(None, None, thin)
        own = (some, slice(None)) if across else (slice(None), some)
        values, lost = band.values[own], ~moved_by(band.values, band.working.gone, ends)[own]
        parts.append((values, lost) if across else (values.swapaxes(0, 1), lost.swapaxes(0, 1)))
        step = band.working.step / band.working.factor
    values, lost = (np.concatenate(each, axis=0 if across else 1) for each in zip(*parts, strict=True))
    return stripes_in_lines(values, lost, along, step)
