"""The values of a TIFF, of a large one without holding them: mapped where they are not packed, else unpacked."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.image.formats.base import BrokenError, broken_by
from untaught.image.formats.tiff_layout import TIFFFILE_ERRORS
from untaught.image.formats.tiff_series import Chosen
from untaught.image.lazy import SMALL, empty, in_words, release
from untaught.image.limits import default_memory

READ_AT_ONCE = 2**24  # bytes of the file
LET_GO = 2**26  # bytes that are decoded before their pages are let go of


def values_of(tif: Any, chosen: Chosen, memory: int | None = None) -> NDArray[Any]:
    """Return the values that were chosen: in memory where they are few, else as a map.

    `memory` is how many bytes may be used; by default half of what is free.

    Raises
    ------
    InputError
        Where one strip or tile is too large to be held.
    BrokenError
        Where the pages do not add up to the picture.
    OutputError
        Where the disk has no room to unpack them to.
    """
    dtype = np.dtype(chosen.keyframe.dtype)
    if prod(chosen.shape) * dtype.itemsize <= SMALL:
        with broken_by(*TIFFFILE_ERRORS):
            return chosen.asarray()
    mapped = _mapped(tif, chosen)
    return _decoded(tif, chosen, memory or default_memory()) if mapped is None else mapped


def _mapped(tif: Any, chosen: Chosen) -> NDArray[Any] | None:
    """Return a map of values that lie in the file one behind the other, uncompressed; None where they do not."""
    one = chosen.keyframe
    if len(chosen.series) > 1:
        return None
    with broken_by(*TIFFFILE_ERRORS):
        offset = one.dataoffsets[0] if chosen.page is not None else chosen.series[0].dataoffset
        if offset is None or not (one.is_contiguous and one.is_memmappable and one.parent is tif):
            return None
        dtype = np.dtype(tif.byteorder + one.dtype.char)
        mapped: NDArray[Any] = np.memmap(tif.filehandle.path, dtype, "r", int(offset), chosen.shape)
    return mapped


def _decoded(tif: Any, chosen: Chosen, memory: int) -> NDArray[Any]:
    """Return the values, unpacked page by page and segment by segment into a file without a name."""
    page = chosen.keyframe
    _refuse_segment(tif, page, memory)
    out = empty(chosen.shape, page.dtype)
    groups: Sequence[Sequence[Any]] = (
        [[chosen.page]] if chosen.page is not None else [s.pages for s in chosen.series]
    )
    pages = [page for group in groups for page in group]
    if prod(page.shape) * len(pages) != out.size:
        raise BrokenError("its pages do not add up to the picture")
    flat = out.reshape(len(pages), *page.shaped)
    for target, each in zip(flat, pages, strict=True):
        if each is not None:  # a page that is missing is zero
            _unpack(each, target)
            release(out)
    return out


def _unpack(page: Any, target: NDArray[Any]) -> None:
    """Decode a page into `target`: samples, depth, length, width and samples, as tifffile has them."""
    done = 0
    with broken_by(*TIFFFILE_ERRORS):
        for segment, (sample, depth, length, width, _), shape in page.segments(
            buffersize=READ_AT_ONCE, maxworkers=1
        ):
            if segment is None:
                continue
            view = target[sample, depth : depth + shape[0], length : length + shape[1], width : width + shape[2]]
            view[...] = segment[: view.shape[0], : view.shape[1], : view.shape[2]]
            done += view.nbytes
            if done > LET_GO:
                release(target)
                done = 0


def _refuse_segment(tif: Any, page: Any, memory: int) -> None:
    pieces = max(1, len(page.dataoffsets))
    largest = prod(page.shape) * np.dtype(page.dtype).itemsize // pieces
    if largest > memory:
        raise InputError(
            f"{tif.filehandle.path} is packed in pieces of {in_words(largest)}, each of which has to be "
            "held whole; save it in strips or tiles"
        )
