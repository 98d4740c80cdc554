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
_COLOURS = "RGB"
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
    shape : tuple of int
        Of the values.
    filter : tuple of int
        0 for red, 1 green, 2 blue, more for other colours, row by row of a square that is repeated; empty where
        there is no filter.
    black_behind : tuple of float
        What the camera gives without light behind each of these.
    camera : str
        Its name, as far as that is known.
    matrix : tuple of float
        From XYZ to the colours of the camera in light of D65, row by row; empty where it is not known.
    neutral : tuple of float
        The colour of the camera that is white, by its own white balance; empty where it is not known.
    tags : tuple
        What a DNG says of camera, colours and frame, as tifffile has tags, in the order of bytes `byteorder`.
    """

    pattern: str
    black: tuple[float, ...]
    white: float
    shape: tuple[int, ...] = ()
    filter: tuple[int, ...] = ()
    black_behind: tuple[float, ...] = ()
    camera: str = ""
    matrix: tuple[float, ...] = ()
    neutral: tuple[float, ...] = ()
    tags: tuple[Any, ...] = ()
    byteorder: str = ""


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
        array = array if array.ndim == 2 else np.ascontiguousarray(array[..., :3])
        mosaic = _mosaic(file, array)
        turn = _FLIPS.get(sizes.flip, 1)
    if said:
        raise CutOffError
    metadata: dict[str, Any] = {"raw": mosaic, "orientation": turn} if turn > 1 else {"raw": mosaic}
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


def _mosaic(file: Any, array: NDArray[Any]) -> Mosaic:
    """Return what a camera says of its values."""
    black, names = tuple(map(float, file.black_level_per_channel)), file.color_desc.decode("latin-1")
    filtered = array.ndim == 2 and file.raw_pattern is not None
    side = 0 if not filtered else len(file.raw_pattern)
    places = file.raw_colors_visible[:side, :side].ravel().tolist() if filtered else []
    matrix, white = np.asarray(file.rgb_xyz_matrix, float)[:3], np.asarray(file.camera_whitebalance, float)[:3]
    return Mosaic(
        pattern=_pattern(file, array),
        black=black,
        white=float(file.white_level),
        shape=array.shape,
        filter=tuple(_COLOURS.index(names[k]) if names[k] in _COLOURS else len(_COLOURS) for k in places),
        black_behind=tuple(black[k] for k in places),
        matrix=tuple(matrix.ravel().tolist()) if matrix.any() else (),
        neutral=tuple((white.min() / white).tolist()) if (white > 0).all() else (),
    )


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
    (".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".pef"),
    is_raw_start,
    read,
    None,
    no_objection,
    Library("rawpy", "photo"),
    written_as=".dng",
)
