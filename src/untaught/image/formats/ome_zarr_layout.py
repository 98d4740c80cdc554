"""How a picture lies in a Zarr folder, and whether all of it is there; shared by reader and writer."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from math import ceil, prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.image.formats.base import BrokenError
from untaught.image.lazy import SMALL, empty, release

LETTERS = "TCZYX"  # the order that the standard asks for
UNITS = {
    **{"A": "angstrom", "nm": "nanometer", "um": "micrometer", "mm": "millimeter", "m": "meter"},
    **{"us": "microsecond", "ms": "millisecond", "s": "second"},
}
SHORT_UNITS = {name: unit for unit, name in UNITS.items()} | {"seconds": "s"}
_PACKED, _HEAD = 1.1, 2**12  # how much longer what hardly packs may get; what stands beside the chunks
_LOST = 0.5  # share of the pixels around a gap that hold something, from which on it is no empty place


@dataclass(frozen=True)
class Layout:
    """Where a picture was; kept in ``metadata["zarr"]``.

    `where` is its group in the folder, `levels` its scales in that, the largest first; none for a bare array.
    """

    where: str
    levels: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    axes: str


def gaps(folder: Path, array: Any, values: NDArray[Any]) -> tuple[str, ...]:
    """Say which chunks are not there: Zarr reads them as a constant, for empty ones need not be written.

    Raises
    ------
    InputError
        Where what borders on them is not empty, so that they were lost.
    """
    size = tuple(array.shards or array.chunks)
    counts = [ceil(length / step) for length, step in zip(array.shape, size, strict=True)]
    absent = {
        at for at in product(*map(range, counts)) if not (folder / array.metadata.encode_chunk_key(at)).exists()
    }
    if not absent:
        return ()
    fill = array.metadata.fill_value
    borders = [values[where] != fill for at in sorted(absent) for where in _borders(at, size, counts, absent)]
    around = sum(int(border.sum()) for border in borders), sum(border.size for border in borders)
    missing = f"{len(absent)} of {int(np.prod(counts))} chunks of {folder} are missing"
    if around[0] > _LOST * around[1]:
        raise InputError(f"{missing}, amid a picture that is there; fetch or save it again")
    return (f"{missing}; they were taken for empty, with the value {fill}",)


def _borders(
    at: tuple[int, ...], size: tuple[int, ...], counts: list[int], absent: set[tuple[int, ...]]
) -> Iterator[tuple[Any, ...]]:
    """Yield where chunks that are there border on an absent one: in its plane, or both before and behind it.

    What is absent at the end of a film or a stack was never taken.
    """
    place: list[slice | int] = [slice(k * step, (k + 1) * step) for k, step in zip(at, size, strict=True)]
    for axis, count in enumerate(counts):
        found = []
        for step, edge in ((-1, at[axis] * size[axis] - 1), (1, (at[axis] + 1) * size[axis])):
            other = (*at[:axis], at[axis] + step, *at[axis + 1 :])
            if 0 <= other[axis] < count and other not in absent:
                found.append((*place[:axis], edge, *place[axis + 1 :]))
        if len(found) == 2 or axis >= len(counts) - 2:
            yield from found


def refuse_odd_chunks(folder: Path, array: Any) -> None:
    """Refuse an array of which a chunk is no file, or one that is longer than it can be: no decoder has a bound.

    Raises
    ------
    BrokenError
        Which one.
    """
    size = tuple(array.shards or array.chunks)
    if min(size, default=1) < 1 or min(array.chunks, default=1) < 1:
        raise BrokenError("its chunks are empty")
    most = prod(size) * array.dtype.itemsize * _PACKED + _HEAD + 16 * ceil(prod(size) / prod(array.chunks))
    seen = set()
    for here, folders, names in os.walk(folder, followlinks=True):
        if os.path.realpath(here) in seen:
            folders.clear()
            continue
        seen.add(os.path.realpath(here))
        for name in names:
            try:
                found = os.stat(os.path.join(here, name))
            except OSError:  # a link that leads nowhere: the chunk is not there
                continue
            if not stat.S_ISREG(found.st_mode):
                raise BrokenError(f"{name} is no file")
            if found.st_size > most and not name.startswith(".") and not name.endswith(".json"):
                raise BrokenError(f"{name} is larger than a chunk can be")


Box = tuple[slice, ...]
Read = Callable[[Box], NDArray[Any]]
"""Returns a part of an array, by a slice for each of its axes."""


def boxes(array: Any) -> Iterator[Box]:
    """Yield the parts of a Zarr array that are read and written at once: whole chunks, all of the last axis."""
    size = tuple(array.shards or array.chunks)
    counts = [ceil(length / step) for length, step in zip(array.shape[:-1], size[:-1], strict=True)]
    for at in product(*map(range, counts)):
        spans = zip(at, size[:-1], array.shape[:-1], strict=True)
        yield (*(slice(k * step, min((k + 1) * step, length)) for k, step, length in spans), slice(None))


def values_of(array: Any) -> NDArray[Any]:
    """Return all of a Zarr array, in a file where it is large."""
    if prod(array.shape) * array.dtype.itemsize <= SMALL:
        return np.asarray(array[...])
    values = empty(array.shape, array.dtype.newbyteorder("="))
    for box in boxes(array):
        values[box] = array[box]
        release(values)
    return values


def smaller(values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return means over blocks, as many as `shape` says along each axis; integers are rounded."""
    return part_of_smaller(lambda box: values[box], values.shape, shape, (slice(None),) * len(shape))


def part_of_smaller(read: Read, full: tuple[int, ...], shape: tuple[int, ...], box: Box) -> NDArray[Any]:
    """Return a part of what `smaller` makes of an array of the shape `full`; no more than that needs is read."""
    spans = [range(*one.indices(count)) for one, count in zip(box, shape, strict=True)]
    axis = next((k for k, span in enumerate(spans[:-1]) if len(span) > 1), None)
    if axis is None or shape == full:
        return _means(read, full, shape, spans)
    parts = ([*spans[:axis], range(k, k + 1), *spans[axis + 1 :]] for k in spans[axis])
    return np.concatenate([_means(read, full, shape, part) for part in parts], axis)


def _means(read: Read, full: tuple[int, ...], shape: tuple[int, ...], spans: list[range]) -> NDArray[Any]:
    edges = [
        np.round(np.arange(count + 1) * length / count).astype(np.intp)
        for length, count in zip(full, shape, strict=True)
    ]
    wanted = tuple(slice(int(e[s.start]), int(e[s.stop])) for e, s in zip(edges, spans, strict=True))
    values = result = read(wanted)
    for axis, (edge, span) in enumerate(zip(edges, spans, strict=True)):
        if full[axis] == shape[axis]:
            continue
        starts = edge[span.start : span.stop + 1] - edge[span.start]
        sums = np.add.reduceat(result, starts[:-1], axis=axis, dtype=np.float64)
        result = sums / np.diff(starts).reshape([-1 if k == axis else 1 for k in range(result.ndim)])
    return np.rint(result).astype(values.dtype) if values.dtype.kind in "iu" else result.astype(values.dtype)
