"""Cameras' raw files, read only: the values as they were measured, each behind its colour of the filter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.image.formats.base import CutOffError, Format, Library, broken_by, no_objection
from untaught.image.formats.foreign import overheard, plainly_named
from untaught.image.image import Image
from untaught.image.limits import refuse_to_hold
from untaught.image.reading import WHOLE, Reading

_ERRORS = (OSError, ValueError, TypeError, LookupError, RuntimeError)
_FLIPS = {0: 1, 3: 3, 5: 8, 6: 6}  # LibRaw's turns as EXIF's
_BAYER, _X_TRANS = (2, 2), (6, 6)
_STARTS = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FOVb")


@dataclass(frozen=True)
class Mosaic:
    """What a camera says of its values; kept in ``metadata["raw"]``.

    Attributes
    ----------
    pattern : str
        The colours of the filter, row by row, as ``untaught demosaic --pattern`` takes them; "" where they are of
        another kind, or there is no filter.
    black : tuple of float
        What the camera gives without light, of each colour.
    white : float
        Where its values end.
    """

    pattern: str
    black: tuple[float, ...]
    white: float


def is_raw_start(header: bytes) -> bool:
    """Tell the kinds that do not pass for a TIFF; DNG, NEF, ARW and others do, and TIFF hands them on."""
    return header[8:11] == b"CR\x02" or header[4:12] == b"ftypcrx " or header.startswith(_STARTS)


def read(path: Path, reading: Reading = WHOLE) -> Image:
    """Read the values behind the colour filters, (Y, X), nothing taken off and nothing made of them."""
    import rawpy

    reading.refuse_others(path, "camera's raw")
    path.open("rb").close()  # what the disk has to say, in its own words
    opened = plainly_named(path)
    with opened as name, overheard() as said, broken_by(*_ERRORS, rawpy.LibRawError), _file(path, name) as file:
        sizes = file.sizes
        refuse_to_hold(path, 2 * sizes.height * sizes.width, reading.memory)
        if file.raw_image_visible is None:
            raise InputError(f"{path} holds no values as they were measured; develop it to TIFF")
        array = np.array(file.raw_image_visible)
        mosaic = Mosaic(
            _pattern(file, array), tuple(map(float, file.black_level_per_channel)), float(file.white_level)
        )
        turn = _FLIPS.get(sizes.flip, 1)
    if said:
        raise CutOffError
    metadata: dict[str, Any] = {"raw": mosaic, "orientation": turn} if turn > 1 else {"raw": mosaic}
    if array.ndim == 3:
        array = np.ascontiguousarray(array[..., :3])
    image = Image.of(array, "YX" if array.ndim == 2 else "YXS", metadata=metadata, source=path.absolute())
    return replace(image, file_notes=_notes(path, mosaic, array))


def _file(path: Path, name: str) -> Any:
    import rawpy

    try:
        return rawpy.imread(name)
    except rawpy.LibRawFileUnsupportedError:
        raise InputError(
            f"{path} is a camera's raw file of a kind that is not known here; develop it to TIFF"
        ) from None


def _pattern(file: Any, array: NDArray[Any]) -> str:
    """Return the colours of the filter from the first visible pixel on."""
    pattern = file.raw_pattern
    if array.ndim == 3 or pattern is None:
        return ""
    colours = file.color_desc.decode("latin-1")
    rows, columns = pattern.shape
    shifted = file.raw_colors_visible[:rows, :columns]
    if pattern.shape == _BAYER:
        return "".join(colours[k] for row in shifted for k in row)
    return "X-TRANS" if pattern.shape == _X_TRANS else ""


def _notes(path: Path, mosaic: Mosaic, array: NDArray[Any]) -> tuple[str, ...]:
    levels = f"black is {min(mosaic.black):g}, white {mosaic.white:g}"
    if array.ndim == 3:
        return (f"the colours are those of the camera, linear and unbalanced; {levels}",)
    of = f"'untaught demosaic {path.name} --pattern {mosaic.pattern}'" if mosaic.pattern else "a raw developer"
    kind = mosaic.pattern or "unknown"
    measured = f"each value lies behind one colour of a filter ({kind}), as it was measured; {levels}"
    return (f"{measured}; {of} makes a picture of such values",)


RAW = Format(
    "camera raw",
    (".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".pef"),
    is_raw_start,
    read,
    None,
    no_objection,
    Library("rawpy", "photo"),
)
