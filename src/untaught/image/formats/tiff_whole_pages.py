"""What is whole of a stack whose file is cut off, or broken somewhere: the pages before the fault."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.image.formats.base import BrokenError, CutOffError, broken_by
from untaught.image.formats.tiff_layout import TIFFFILE_ERRORS, log_of_tifffile
from untaught.image.formats.tiff_metadata import metadata_of
from untaught.image.formats.tiff_pixels import is_readable, photometric, refuse_unreadable
from untaught.image.formats.tiff_series import Chosen
from untaught.image.image import Image
from untaught.image.lazy import SMALL, empty, release
from untaught.image.unnamed import Unnamed

UNNAMED = "Q"  # an axis of which the file does not say what it is
IMAGEJ = (("frames", "T"), ("slices", "Z"), ("channels", "C"))


@dataclass(frozen=True)
class Stated:
    """What a file says of its pages: the axes along which they follow each other, and their lengths."""

    axes: str
    lengths: tuple[int, ...]

    @property
    def pages(self) -> int:
        """How many there were."""
        return prod(self.lengths)


def whole_pages(path: Path) -> Image | Unnamed | None:
    """Read the pages before the fault of a broken TIFF; None where there are not several, or none is whole.

    Pages are found by their directories, which mostly lie beside them. Where they are not packed, and the program
    that wrote them says how many follow the first, or the place of the next directory does, they lie one behind
    the other, and are read so.

    Raises
    ------
    InputError
        For values that cannot be held, as in a whole file.
    """
    import tifffile

    with log_of_tifffile():
        try:
            with broken_by(*TIFFFILE_ERRORS), tifffile.TiffFile(path) as tif:
                return _of_file(tif, path)
        except (CutOffError, BrokenError):
            return None


def _of_file(tif: Any, path: Path) -> Image | Unnamed | None:
    first = tif.pages.first
    if not is_readable(first) or photometric(first) == "PALETTE" or first.is_reduced:
        return None
    refuse_unreadable(path, first)
    if str(first.axes) not in ("YX", "YXS"):
        return None
    stated, chained = _stated(tif, first), len(tif.pages)
    lying = _lying(tif, first, stated)
    there = chained if lying is None else lying.pages
    count, array = _decoded(tif, there, first) if lying is None else _mapped(tif, path, first, there)
    if count == 0 or there < 2:
        return None
    if lying is None and count < chained and not _may_be_alike(tif, count, first):
        return None
    told = stated or lying
    axes, kept = _axes(told, count)
    array = array[: prod(kept)].reshape(*kept, *first.shape)
    chosen = Chosen((), page=first, notes=(_note(prod(kept), count, None if told is None else told.pages),))
    metadata = metadata_of(tif, chosen)
    axes += str(first.axes)
    alpha = axes.endswith("S") and bool(first.extrasamples) and int(first.extrasamples[-1]) in (1, 2)
    if UNNAMED in axes:
        return Unnamed(array, axes, path.absolute(), metadata, alpha, chosen.notes)
    image = Image.of(array, axes, alpha=alpha, metadata=metadata, source=path.absolute())
    return replace(image, file_notes=chosen.notes)


def _note(read: int, whole: int, pages: int | None) -> str:
    """Say what was read and what was not."""
    if whole == pages:
        return f"the file is cut off or broken, but all {pages} pages are whole and were read"
    of = "" if pages is None else f" of {pages}"
    are, was = ("page is", "was") if whole == 1 else ("pages are", "were")
    steps = " and" if read == whole else f", and the {read} of them that make up whole steps of the first axis"
    rest = "the others are lost" if pages is not None else "whether there were more, it does not say"
    return f"the file is cut off or broken: the first {whole}{of} {are} whole{steps} {was} read; {rest}"


def _axes(stated: Stated | None, count: int) -> tuple[str, tuple[int, ...]]:
    """Return the axes that the pages follow each other along, and how much of them is there: whole steps."""
    if stated is None or not stated.lengths:
        return UNNAMED, (count,)
    inner = prod(stated.lengths[1:])
    if count < inner:
        return UNNAMED if len(stated.axes) > 1 else stated.axes, (count,)
    return stated.axes, (count // inner, *stated.lengths[1:])


def _stated(tif: Any, first: Any) -> Stated | None:
    """Return what the program that wrote the file says of its pages."""
    if first.is_imagej:
        texts: dict[str, Any] = tif.imagej_metadata or {}
        sizes = [(axis, int(texts.get(name, 1))) for name, axis in IMAGEJ]
        found = [(axis, size) for axis, size in sizes if size > 1]
        if not found and int(texts.get("images", 1)) > 1:
            found = [(UNNAMED, int(texts["images"]))]
        axes, lengths = "".join(axis for axis, _ in found), tuple(size for _, size in found)
        return Stated(axes, lengths) if found else None
    if first.is_shaped:
        said: dict[str, Any] = (tif.shaped_metadata or ({},))[0]
        shape = tuple(int(n) for n in said.get("shape", ()))
        lead = shape[: len(shape) - len(first.shape)]
        axes = str(said.get("axes", ""))
        axes = axes[: len(lead)] if len(axes) == len(shape) else UNNAMED * len(lead)
        if len(set(axes)) < len(axes):
            return Stated(UNNAMED, (prod(lead),))
        return Stated(axes, lead) if lead else None
    return None


def _lying(tif: Any, first: Any, stated: Stated | None) -> Stated | None:
    """Return the pages that lie behind the first without directories of their own before the end of the file."""
    plain = len(tif.pages) == 1 and first.is_contiguous and first.is_memmappable and first.dataoffsets
    if not plain:
        return None
    if stated is not None:
        return stated
    place = tif.pages.first.offset  # where its directory is, whose last word is the place of the next
    form = tif.tiff
    tif.filehandle.seek(place)
    (tags,) = struct.unpack(form.tagnoformat, tif.filehandle.read(form.tagnosize))
    tif.filehandle.seek(place + form.tagnosize + tags * form.tagsize)
    (following,) = struct.unpack(form.offsetformat, tif.filehandle.read(form.offsetsize))
    between, size = following - first.dataoffsets[0], int(first.nbytes)
    many = between // size
    return Stated(UNNAMED, (many,)) if many > 1 and between - many * size < 16 else None  # they are aligned


def _mapped(tif: Any, path: Path, first: Any, there: int) -> tuple[int, NDArray[Any]]:
    """Return how many pages lie in the file one behind the other, and their values."""
    dtype = np.dtype(tif.byteorder + first.dtype.char)
    offset, values = int(first.dataoffsets[0]), prod(first.shape)
    count = min(there, (tif.filehandle.size - offset) // (values * dtype.itemsize))
    if count < 1:
        return 0, np.zeros((0, *first.shape), dtype)
    shape = (count, *first.shape)
    if count * values * dtype.itemsize > SMALL:
        return count, np.memmap(path, dtype, "r", offset, shape)
    return count, np.fromfile(path, dtype, count * values, offset=offset).reshape(shape)


def _decoded(tif: Any, there: int, first: Any) -> tuple[int, NDArray[Any]]:
    """Return how many pages can be decoded until one cannot, or is of another kind, and their values."""
    array, count = np.zeros((0, *first.shape), first.dtype), 0
    for values in _values(tif, there, first):
        if not count:  # what is not there needs no room
            array = empty((there, *first.shape), first.dtype)
        array[count] = values
        count += 1
        release(array)
    return count, array[:count]


def _may_be_alike(tif: Any, index: int, first: Any) -> bool:
    """Say whether a page that cannot be read belongs to the stack of the first, and is no picture of its own."""
    try:
        page = tif.pages[index]
        return bool((page if hasattr(page, "tags") else page.aspage()).shape == first.shape)
    except TIFFFILE_ERRORS:
        return True


def _values(tif: Any, there: int, first: Any) -> Iterator[NDArray[Any]]:
    for index in range(there):
        try:
            page = tif.pages[index]
            page = page if hasattr(page, "tags") else page.aspage()
            ends = [start + length for start, length in zip(page.dataoffsets, page.databytecounts, strict=True)]
            same = (page.shape, page.dtype, page.photometric) == (first.shape, first.dtype, first.photometric)
            if not same or len(ends) < prod(page.chunked) or max(ends, default=0) > tif.filehandle.size:
                return
            values = page.asarray()
        except TIFFFILE_ERRORS:
            return
        yield values
