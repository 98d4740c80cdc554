"""FITS: any number type, cubes, scaled and unsigned integers, compressed images, and the other extensions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.image.formats.base import BrokenError, CutOffError, Format, Library, broken_by
from untaught.image.formats.fits_headers import refuse_odd_headers
from untaught.image.formats.fits_layout import BLOCK, Layout, axes_of, is_compressed, notes_of, unsigned
from untaught.image.formats.fits_writer import write
from untaught.image.formats.packed import opened
from untaught.image.image import Image
from untaught.image.limits import refuse_to_hold
from untaught.image.reading import WHOLE, Reading
from untaught.image.unnamed import Unnamed, is_unnamed

# astropy parses a header when it is asked for a card of it, and its parts have errors of their own, not all of
# which it shows; nothing but its calls stands inside
_ERRORS = (Exception,)
_EXTENSION = b"XTENSION"


@contextmanager
def _hdus(path: Path) -> Iterator[Any]:
    """Yield the list of header-data units, all headers read, the numbers as they are stored."""
    from astropy.io import fits

    with opened(path) as stream:
        end = stream.seek(0, 2)
        refuse_odd_headers(stream, end)
        stream.seek(0)
        with broken_by(*_ERRORS):
            found = fits.open(stream, memmap=False, lazy_load_hdus=False, do_not_scale_image_data=True)
        with found:
            with broken_by(*_ERRORS):
                data = [(hdu, hdu.fileinfo()) for hdu in found]
                # the size of a compressed image is that of the image; what it takes is known up to its padding
                needed = [
                    at["datLoc"] + (at["datSpan"] - BLOCK + 1 if is_compressed(hdu) else hdu.size)
                    for hdu, at in data
                ]
                stream.seek(max(at["datLoc"] + at["datSpan"] for _, at in data))
            if max(needed) > end or stream.read(len(_EXTENSION)) == _EXTENSION:  # one whose header does not end
                raise CutOffError
            yield found


def read(path: Path, reading: Reading = WHOLE) -> Image | Unnamed:
    """Read the largest image of a FITS file, or the extension that is asked for by its number.

    Integers stay as they are stored, also where a header scales them (BSCALE, BZERO), but for those that are
    shifted to be unsigned; where some of them are BLANK, they become floats with NaN. The first row of the array
    is the first of the file, which viewers show at the bottom.
    """
    with _hdus(path) as hdus:
        number, hdu = _chosen(hdus, path, reading)
        with broken_by(*_ERRORS):
            header, shape = hdu.header.copy(), tuple(int(side) for side in hdu.shape)
        axes, guessed = axes_of(header, shape)
        refuse_to_hold(path, prod(shape) * abs(int(header["BITPIX"])) / 8, reading.memory)
        with broken_by(*_ERRORS):
            stored = np.asarray(hdu.data)
        if stored.shape != shape:
            raise BrokenError("its image has another size than its header says")
        layout = Layout.of(number, hdu, header, axes)
        notes = notes_of(hdus, layout)
        if path.suffix.lower() != ".gz" and path.stat().st_size % BLOCK:
            notes += ("the file ends within a block, so that extensions behind may have been cut off",)
    array = _blanked(unsigned(stored, header), header)
    metadata: dict[str, Any] = {"fits": layout.read_as(array)}
    if is_unnamed(axes):
        return Unnamed(array, axes, path.absolute(), metadata, file_notes=notes)
    image = Image.of(array, axes, metadata=metadata, source=path.absolute())
    return replace(image, file_notes=notes, axes_notes=(guessed,) if guessed else ())


def _chosen(hdus: Any, path: Path, reading: Reading) -> tuple[int, Any]:
    """Return the image that is read, and its number in the file."""
    asked = reading.refuse_pages(path, "FITS", len(hdus))
    with broken_by(*_ERRORS):
        pictures = {
            k: hdu for k, hdu in enumerate(hdus) if hdu.is_image and len(hdu.shape) >= 2 and prod(hdu.shape)
        }
    if not pictures:
        rest = [hdu for hdu in hdus if not hdu.is_image]
        what = "only tables" if rest else "only headers and numbers in a line"
        raise InputError(f"{path} holds no picture, {what}; give a FITS file with an image")
    if asked >= 0:
        if asked not in pictures:
            known = ", ".join(map(str, pictures))
            raise InputError(f"extension {asked} of {path} is no picture; those that are have the numbers {known}")
        return asked, pictures[asked]
    number = max(pictures, key=lambda k: prod(pictures[k].shape))
    return number, pictures[number]


def _blanked(array: NDArray[Any], header: Any) -> NDArray[Any]:
    """Return integers as floats with NaN, where some are the number that the header has for no measurement."""
    blank = header.get("BLANK")
    if array.dtype.kind not in "iu" or not isinstance(blank, int):
        return array
    stored = unsigned(np.asarray([blank]).astype(array.dtype.str.replace("u", "i")), header)
    missing = array == stored[0]
    if not missing.any():
        return array
    floats = array.astype(np.float64)
    floats[missing] = np.nan
    return floats


def objection(image: Image) -> str | None:
    """Nothing: any type and any axes can be held."""
    return None


FITS = Format(
    "FITS",
    (".fits", ".fit", ".fts", ".fz", ".fits.gz", ".fit.gz", ".fts.gz"),
    lambda header: header.startswith(b"SIMPLE  ="),
    read,
    write,
    objection,
    Library("astropy", "astro"),
    packed=True,
)
