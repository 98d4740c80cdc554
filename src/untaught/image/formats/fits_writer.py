"""The writing half of FITS."""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from io import BytesIO
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from untaught.image.formats.fits_layout import Layout, is_shifted
from untaught.image.formats.packed import opened
from untaught.image.image import Image

_STATISTICS = ("DATAMIN", "DATAMAX")
_SUMS = ("CHECKSUM", "DATASUM")
_DISTORTIONS = ("A_ORDER", "B_ORDER", "AP_ORDER", "BP_ORDER")


def write(stream: IO[bytes], image: Image) -> None:
    """Write FITS: the image with its header and in its type of number, and all else that its file held.

    Integers are scaled as they were. Compressed images are compressed again, without loss. A line HISTORY says
    what was done. Colours of a picture from elsewhere become planes.
    """
    from astropy.io import fits

    layout: Layout | None = image.metadata.get("fits")
    source = image.source if layout is not None and image.source is not None and image.source.is_file() else None
    with warnings.catch_warnings(), nullcontext() if source is None else opened(source) as old:
        warnings.simplefilter("ignore")
        made = _made(image, layout)
        if old is None or layout is None:
            first = isinstance(made, fits.PrimaryHDU)
            hdus = fits.HDUList([made] if first else [fits.PrimaryHDU(), made])
        else:
            options = {"do_not_scale_image_data": True, "disable_image_compression": True}
            hdus = fits.open(old, memmap=False, lazy_load_hdus=False, **options)
            hdus[layout.number] = made
        sums = layout is not None and any(key in layout.header for key in _SUMS)
        if sums:
            made.add_checksum()
        whole = BytesIO()  # of a file astropy wants to know the name and the mode
        hdus.writeto(whole, output_verify="silentfix+ignore")
        stream.write(whole.getbuffer())


def _made(image: Image, layout: Layout | None) -> Any:
    """Return the header-data unit of the image."""
    from astropy.io import fits

    if layout is None:
        made = fits.PrimaryHDU(_planes(image))
        made.header["ROWORDER"] = ("TOP-DOWN", "the first row is the upper one")
        made.header.add_history("written by untaught")
        return made
    header = _header(image, layout)
    array = _stored(image, layout)
    shifted = is_shifted(layout.header)
    scale, zero = layout.scale
    if layout.compression is not None:
        lossless = {"quantize_level": 0.0, "compression_type": "GZIP_2"} if array.dtype.kind == "f" else {}
        made = fits.CompImageHDU(array, header, **(layout.compression | lossless))
    elif layout.number == 0:
        made = fits.PrimaryHDU(array, header)
    else:
        made = fits.ImageHDU(array, header)
    if not shifted and (scale, zero) != (1, 0):
        made.header["BSCALE"], made.header["BZERO"] = scale, zero
    return made


def _planes(image: Image) -> NDArray[Any]:
    """Return the array of a picture from elsewhere, its colours as planes, in numbers that FITS has."""
    array = image.samples_last(image.array)
    array = np.moveaxis(array, -1, -3) if "S" in image.axes else array[..., 0]
    if array.dtype == np.bool_:
        array = array.astype(np.uint8)
    return np.ascontiguousarray(array.astype(np.float32) if array.dtype == np.float16 else array)


def _stored(image: Image, layout: Layout) -> NDArray[Any]:
    """Return the array as numbers of the file's type; as it is, where another type was asked for."""
    array = np.ascontiguousarray(image.array)
    whole = layout.stored.startswith("i") and array.dtype.kind == "f" and array.dtype.str == layout.dtype
    if not whole:
        return array
    kind = np.dtype(layout.stored)
    blank = int(layout.header["BLANK"])
    missing = np.isnan(array)
    if is_shifted(layout.header):  # astropy shifts unsigned integers itself
        shift = 2 ** (8 * kind.itemsize - 1)
        kind, blank = np.dtype(f"u{kind.itemsize}"), blank + shift
    info = np.iinfo(kind)
    rounded = np.clip(np.rint(np.where(missing, 0, array)), float(info.min), float(info.max)).astype(kind)
    rounded[missing] = blank
    return rounded


def _header(image: Image, layout: Layout) -> Any:
    """Return the header, true of the image that is written."""
    header = layout.header.copy()
    for key in (*_SUMS, "BSCALE", "BZERO"):
        header.remove(key, ignore_missing=True)
    if image.array.dtype.kind == "f" and layout.stored.startswith("i") and image.array.dtype.str != layout.dtype:
        header.remove("BLANK", ignore_missing=True)
    if all(key in header for key in _STATISTICS):
        scale, zero = layout.scale
        header["DATAMIN"], header["DATAMAX"] = (end * scale + zero for end in image.used_range)
    if image.array.shape != layout.shape:
        _resize(header, image, layout)
    header.add_history("restored by untaught: noise and what else was asked for was taken out")
    return header


def _resize(header: Any, image: Image, layout: Layout) -> None:
    """Make the coordinates those of a picture of another size; distortions, which are of pixels, go."""
    old = dict(zip(layout.axes, layout.shape, strict=True))
    for k, (axis, size) in enumerate((("X", image.width), ("Y", image.height)), start=1):
        finer = size / old[axis]
        if f"CRPIX{k}" in header:
            header[f"CRPIX{k}"] = (header[f"CRPIX{k}"] - 0.5) * finer + 0.5
        for key in (f"CDELT{k}", *(f"CD{row}_{k}" for row in (1, 2, 3))):
            if key in header:
                header[key] = header[key] / finer
    for key in _DISTORTIONS:
        header.remove(key, ignore_missing=True)
