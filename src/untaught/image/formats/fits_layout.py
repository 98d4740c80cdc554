"""What a FITS file says of its image, so that it can be written back; shared by its reader and its writer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.image.axes import asked

_SPECTRAL = ("FREQ", "WAVE", "AWAV", "VELO", "VRAD", "VOPT", "ENER", "WAVN", "ZOPT", "BETA", "FELO", "LAMB")
_LETTERS = dict.fromkeys(_SPECTRAL, "C") | {"TIME": "T", "UTC": "T", "TAI": "T", "STOK": "P", "STOKES": "P"}
BLOCK = 2880  # bytes that all parts of a FITS file are multiples of
_COLOURS = 3
_MOST_NAMED = 6


@dataclass(frozen=True)
class Layout:
    """How an image stood in its FITS file; kept in ``metadata["fits"]``.

    Attributes
    ----------
    number : int
        Of its header-data unit.
    header : astropy.io.fits.Header
        As the image's own, of a compressed image too.
    axes : str
        As the file has them.
    stored, dtype : str
        The type of number in the file, and of the array that was made of it.
    shape : tuple of int
        Of the array.
    compression : dict or None
        How a compressed image is compressed again, as astropy's `CompImageHDU` is told.
    """

    number: int
    header: Any
    axes: str
    stored: str
    compression: dict[str, Any] | None
    dtype: str = ""
    shape: tuple[int, ...] = ()

    @classmethod
    def of(cls, number: int, hdu: Any, header: Any, axes: str) -> Layout:
        """Take from a header-data unit what is to come back."""
        compression = None
        if is_compressed(hdu):
            compression = {"compression_type": hdu.compression_type, "tile_shape": hdu.tile_shape}
        bits = int(header["BITPIX"])
        return cls(number, header, axes, f"f{-bits // 8}" if bits < 0 else f"i{bits // 8}", compression)

    def read_as(self, array: NDArray[Any]) -> Layout:
        """Return it with what the array is."""
        return replace(self, dtype=array.dtype.newbyteorder("=").str, shape=array.shape)

    @property
    def scale(self) -> tuple[float, float]:
        """BSCALE and BZERO of numbers that stay as they are stored; (1, 0) where they are not scaled."""
        if is_shifted(self.header):
            return 1.0, 0.0
        return float(self.header.get("BSCALE", 1)), float(self.header.get("BZERO", 0))


def is_compressed(hdu: Any) -> bool:
    """Tell whether an image is stored as a table of compressed tiles."""
    return type(hdu).__name__ == "CompImageHDU"  # to ask for the class would import all of astropy


def axes_of(header: Any, shape: tuple[int, ...]) -> tuple[str, str]:
    """Return a letter for each axis, and what to say where it was guessed.

    X and Y are the file's first two axes. The others are told by CTYPE: C for a spectrum, P for polarisation, T
    for time; three planes of which nothing is said are the colours of a camera, as programs for telescopes write
    them.
    """
    letters, note = ["Y", "X"], ""
    for k in range(3, len(shape) + 1):
        name = str(header.get(f"CTYPE{k}", "")).strip().upper()
        letter = _LETTERS.get(name.partition("-")[0], _LETTERS.get(name[:4], "Q"))
        if letter == "Q" and not name and len(shape) == k == 3 and shape[0] == _COLOURS:
            letter = "S"
            note = f"three planes of which the file says nothing were taken for colours; else say {asked('ZYX')}"
        letters.insert(0, letter)
    return "".join(letters), note


def is_shifted(header: Any) -> bool:
    """Tell whether BZERO is there to make integers unsigned, or bytes signed: FITS has neither."""
    bits, zero = int(header["BITPIX"]), header.get("BZERO", 0)
    return header.get("BSCALE", 1) == 1 and (
        (bits > 8 and zero == 2 ** (bits - 1)) or (bits == 8 and zero == -128)
    )


def unsigned(stored: NDArray[Any], header: Any) -> NDArray[Any]:
    """Return integers that are shifted as the unsigned (of bytes: signed) integers that they stand for."""
    if stored.dtype.kind not in "iu" or not is_shifted(header):
        return stored
    native = stored.astype(stored.dtype.newbyteorder("="))
    other = np.dtype(f"{'i' if native.dtype.kind == 'u' else 'u'}{native.dtype.itemsize}")
    top = other.type(1) << other.type(8 * other.itemsize - 1) if other.kind == "u" else np.int8(-128)
    return np.asarray(native.view(other) ^ top)


def notes_of(hdus: Any, layout: Layout) -> tuple[str, ...]:
    """Say which of the pictures is restored, and what its numbers are."""
    notes = []
    others = [k for k, hdu in enumerate(hdus) if k != layout.number and (not hdu.is_image or len(hdu.shape) > 0)]
    if others:
        named = ", ".join(f"{k} {hdus[k].name!r}" for k in others[:_MOST_NAMED])
        more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
        notes.append(
            f"extension {layout.number} {hdus[layout.number].name!r} is restored, and these are left as they are: "
            f"{named}{more}; '--series N' restores another"
        )
    scale, zero = layout.scale
    if (scale, zero) != (1, 0):
        notes.append(
            f"the values are those stored in the file; the quantity is {scale:g} times them plus {zero:g}"
        )
    return tuple(notes)
