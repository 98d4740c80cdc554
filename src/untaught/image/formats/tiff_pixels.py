"""What the values of a page of a TIFF stand for, and which of that can be held."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.image.formats.base import BrokenError, broken_by
from untaught.image.formats.tiff_layout import TIFFFILE_ERRORS

_GREY = ("MINISBLACK", "MINISWHITE")
_READABLE = (*_GREY, "RGB", "PALETTE")
_RAW = ("CFA", "LINEAR_RAW")
_DNG_VERSION, _PHOTOMETRIC, _SUB_IFDS = 50706, 262, 330
_WHOLE = ("compression", "photometric", "predictor", "samplesperpixel", "imagelength", "imagewidth")
_PAGES_LOOKED_AT = 8  # a raw file has a few previews and its values


def photometric(page: Any) -> str:
    """Return what the values stand for, by its name in the standard; the samples tell what is not stated."""
    if page.tags.valueof(_PHOTOMETRIC) is None:
        return "RGB" if page.samplesperpixel - len(page.extrasamples) == 3 else "MINISBLACK"
    return str(getattr(page.photometric, "name", page.photometric))


def compression(page: Any) -> str:
    """Return how a page is compressed, by its name in the standard, NONE where nothing is said of it."""
    import tifffile

    try:  # a bare number where there is no such tag
        return str(tifffile.COMPRESSION(int(page.compression)).name)
    except (ValueError, TypeError):
        return f"number {page.compression}"


def is_readable(page: Any) -> bool:
    """Tell whether the values are grey or RGB, or become that."""
    name = photometric(page)
    # the JPEG decoder makes RGB of YCbCr, nothing else does
    return name in _READABLE or (name == "YCBCR" and "JPEG" in compression(page))


def is_raw(tif: Any) -> bool:
    """Tell a camera's raw file, whatever previews it has: DNG says so, others hold a colour filter array."""
    with broken_by(*TIFFFILE_ERRORS):
        if _DNG_VERSION in tif.pages.first.tags:
            return True
        for page in islice(tif.pages, _PAGES_LOOKED_AT):
            tags = getattr(page, "tags", {})
            inner = list(page.pages) if _SUB_IFDS in tags and page.pages else []
            if any(photometric(one) in _RAW for one in (page, *inner) if hasattr(one, "tags")):
                return True
    return False


def refuse_unreadable(path: Path, page: Any) -> None:
    """Refuse, by name, values that are not grey or RGB numbers, or are packed in a way that is not known.

    Raises
    ------
    InputError
        With what to do.
    """
    import tifffile

    if not all(isinstance(getattr(page, name), int) for name in _WHOLE):
        raise BrokenError("a tag that says how it is stored is no whole number")
    name = photometric(page)
    if name in _RAW:
        raise InputError(
            f"{path} holds values behind a colour filter array; save them as .npy for 'untaught demosaic'"
        )
    if not is_readable(page):
        raise InputError(f"{path} holds {name} values; convert it to grey or RGB first")
    try:
        tifffile.TIFF.DECOMPRESSORS[int(page.compression)]
    except (KeyError, ImportError, ValueError):
        raise InputError(
            f"{path} is compressed by {compression(page)}, which is not read; save it without compression"
        ) from None
    if page.dtype is None:
        kind = getattr(page.sampleformat, "name", page.sampleformat)
        raise InputError(
            f"{path} holds {kind} values of {page.bitspersample} bits, which are not read; convert it to 8 or 16 "
            "bits, or to floats"
        )
    if page.dtype.kind == "c":
        raise InputError(f"{path} holds complex values; save their modulus, or two pictures of real numbers")


def coloured(indices: NDArray[Any], colormap: NDArray[Any] | None) -> NDArray[Any]:
    """Look the colours up: uint8 where they are 8-bit colours on a 16-bit scale, else uint16.

    Raises
    ------
    BrokenError
        Where there are values without a colour.
    """
    if colormap is None or np.ndim(colormap) != 2 or len(colormap) != 3 or indices.dtype.kind not in "bu":
        raise BrokenError("the colours of its palette are missing")
    if int(indices.max(initial=0)) >= colormap.shape[1]:
        raise BrokenError("its palette has fewer colours than its values name")
    for step in (257, 256):
        if not (colormap % step).any():
            colormap = (colormap // step).astype(np.uint8)
            break
    return np.ascontiguousarray(np.moveaxis(colormap[:, indices.astype(np.intp)], 0, -1))
