"""Arrays that need not fit in memory: files that are mapped, looked at and written piece by piece."""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from untaught.errors import OutputError

SMALL = 2**26  # bytes; an array up to here is held in memory, whatever it was read from
PIECE = 2**20  # values that are looked at together
_ROOMY = Path("/var/tmp")  # a disk, where the usual folder for temporary files may be memory


def is_mapped(array: NDArray[Any]) -> bool:
    """Tell whether an array is a view of a file."""
    return _map_of(array) is not None


def pieces(shape: tuple[int, ...]) -> Iterator[tuple[int | slice, ...]]:
    """Yield indices that together cover an array of a shape, about `PIECE` values each, in its order.

    Whole planes along the leading axes, or bands of rows of a plane that is larger.
    """
    if prod(shape) <= PIECE or not shape:
        yield (slice(None),) * len(shape)
        return
    inner = prod(shape[1:])
    if inner > PIECE and len(shape) > 2 and shape[0] * shape[1] > 1:
        for first in range(shape[0]):
            for rest in pieces(shape[1:]):
                yield (first, *rest)
        return
    rows = max(1, PIECE // max(1, inner))
    for top in range(0, shape[0], rows):
        yield (slice(top, top + rows), *(slice(None),) * (len(shape) - 1))


def bands(values: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Yield views of (..., H, W, S) that cover it, each of some rows of one plane; maps let go of each again."""
    height, row = values.shape[-3], max(1, prod(values.shape[-2:]))
    rows = max(1, PIECE // row)
    for where in np.ndindex(*values.shape[:-3]):
        for top in range(0, height, rows):
            yield values[where][top : top + rows]
            release(values)


def empty(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Return an array of zeros: in memory where it is small, else a file without a name that goes with it.

    Raises
    ------
    OutputError
        Where the disk has no room for it; the room is taken at once, so that no later write can fail for it.
    """
    dtype = np.dtype(dtype)
    nbytes = prod(shape) * dtype.itemsize
    if nbytes <= SMALL:
        return np.zeros(shape, dtype)
    folder = _folder()
    try:
        with tempfile.TemporaryFile(prefix="untaught-", dir=folder) as file:
            _reserve(file.fileno(), nbytes)
            return np.memmap(file, dtype, "r+", shape=shape)
    except OSError as error:
        raise OutputError(
            f"{folder} has no room for {in_words(nbytes)} that are worked on there ({error.strerror or error}); "
            "set TMPDIR to a folder that has"
        ) from error


def copied(array: NDArray[Any], dtype: DTypeLike | None = None) -> NDArray[Any]:
    """Return a copy that can be written to, of another type where one is given; see `empty` for where it is.

    Raises
    ------
    OutputError
        As in `empty`.
    """
    out = empty(array.shape, array.dtype if dtype is None else dtype)
    for where in pieces(array.shape):
        out[where] = array[where]
        release(array)
        release(out)
    return out


def release(array: NDArray[Any]) -> None:
    """Let go of the pages of a mapped file that were read or written; they stay in the file."""
    found = _map_of(array)
    if found is None or found.mode not in ("r", "r+", "w+") or not hasattr(mmap, "MADV_DONTNEED"):
        return  # what was written to a private map ("c") would be lost
    inner = getattr(found, "_mmap", None)
    if inner is not None:
        inner.madvise(mmap.MADV_DONTNEED)


def in_words(nbytes: float) -> str:
    """Return an amount of memory: '1.5 GiB', '300 MiB'."""
    for unit, name in ((2**30, "GiB"), (2**20, "MiB")):
        if nbytes >= unit:
            return f"{nbytes / unit:.3g} {name}"
    return f"{nbytes:.0f} bytes"


def free_memory() -> int:
    """Return how many bytes of memory are free, those that the system can take back included."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return min(int(line.split()[1]) * 1024, _limit())
    except OSError:
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (ValueError, OSError, AttributeError):  # no such system call here
        return 2**32


def _limit() -> int:
    """Return what is left of the memory that a container may use; without one, more than there is."""
    folder = Path("/sys/fs/cgroup")
    try:
        most, used = ((folder / name).read_text().strip() for name in ("memory.max", "memory.current"))
        return max(int(most) - int(used), 0)
    except (OSError, ValueError):  # no container, or "max"
        return 2**62


def _map_of(array: Any) -> np.memmap[Any, Any] | None:
    """Return the map that an array is a view of, or None."""
    found, base = None, array
    while isinstance(base, np.ndarray):
        found = base if isinstance(base, np.memmap) else found
        base = base.base
    return found


def _folder() -> str:
    """Return where temporary files go that may be large."""
    told = any(os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP"))
    if not told and _ROOMY.is_dir() and os.access(_ROOMY, os.W_OK | os.X_OK):
        return str(_ROOMY)
    return tempfile.gettempdir()


def _reserve(descriptor: int, nbytes: int) -> None:
    """Take room on the disk: writing to a map of a file that has none ends the process."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, nbytes)
        return
    blank = bytes(2**20)
    for _ in range(0, nbytes, len(blank)):
        os.write(descriptor, blank)
    os.ftruncate(descriptor, nbytes)
