"""DNG: a camera's values, restored, for raw developers; behind their filter, or as linear colours.

Adobe, "Digital Negative Specification", version 1.4. It is read as any raw file is (`raw`), and only values that
were read from one are written, for black, white, the filter and the colours of the camera are known of no others.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from untaught.image.formats import raw
from untaught.image.formats.base import Format, Library
from untaught.image.formats.exif import TEXTS, byteorder_of, directory_of, hang
from untaught.image.formats.raw import Mosaic
from untaught.image.formats.tiff_layout import FRACTIONS, ORIENTATION, SOFTWARE, as_stored, log_of_tifffile
from untaught.image.image import Image
from untaught.image.reading import WHOLE, Reading

VERSION, BACKWARD = (50706, 1, 4, b"\x01\x04\x00\x00", True), (50707, 1, 4, b"\x01\x01\x00\x00", True)
CAMERA, MATRIX, NEUTRAL, ILLUMINANT = 50708, 50721, 50728, 50778
_BYTE, _ASCII, _SHORT, _LONG = 1, 2, 3, 4
_FRACTION, _SIGNED = FRACTIONS
_ACROSS, _FILTER, _BLACK_ACROSS, _BLACK, _WHITE = 33421, 33422, 50713, 50714, 50717
_OF_MOSAICS = (51009,)  # corrections that are done behind the filter
_OF_THE_SIZE = (50719, 50720, 51009, 51022, 51125)  # crops, and corrections by place
_D65, _PER = 21, 10000
_CONTIGUOUS = 3  # samples of a colour


def read(path: Path, reading: Reading = WHOLE) -> Image:
    """Read a raw file; see `raw.read`."""
    return raw.read(path, reading)


def write(stream: IO[bytes], image: Image) -> None:
    """Write values behind their filter, or with three samples linear colours; not compressed."""
    import tifffile

    mosaic: Mosaic = image.metadata["raw"]
    exif = image.metadata.get("exif", b"")
    known = directory_of(exif)
    byteorder = mosaic.byteorder or byteorder_of(exif)
    tags = [VERSION, BACKWARD, *_levels(mosaic, image), *_colours(mosaic, image)]
    if byteorder == byteorder_of(exif):
        tags += [(code, *known[code], True) for code in TEXTS if code in known]
    tags.append((ORIENTATION, _SHORT, 1, image.metadata.get("orientation", 1), True))
    named = any(tag[0] == SOFTWARE for tag in tags)
    options: dict[str, Any] = {"photometric": "cfa" if _filtered(mosaic, image) else "linear_raw"}
    if "S" in image.axes:
        options["planarconfig"] = "contig"
    with log_of_tifffile(), tifffile.TiffWriter(stream, byteorder=byteorder) as tif:
        array = np.ascontiguousarray(image.array)
        tif.write(array, metadata=None, extratags=tags, software=False if named else "untaught", **options)
    directories = {code: value for code, value in known.items() if isinstance(value, dict)}
    if directories and byteorder == byteorder_of(exif):
        hang(stream, directories)


def objection(image: Image) -> str | None:
    """Object to all but a camera's values in 16 bits, behind a filter of red, green, blue or as colours."""
    mosaic = image.metadata.get("raw")
    if not isinstance(mosaic, Mosaic):
        return "a DNG holds what was read from a camera's raw file, and this was not; write .tif"
    if image.array.dtype != np.uint16:
        return f"a DNG holds 16 bits without a sign, not {image.array.dtype}; write .tif"
    if image.axes == "YXS" and image.size("S") == _CONTIGUOUS:
        return None
    if image.axes != "YX":
        return f"a DNG holds one picture, grey or of three colours, not the axes {image.axes}; write .tif"
    if image.array.shape != mosaic.shape:
        return "behind a filter a DNG holds as many values as were read, and here are others; write .tif"
    if mosaic.filter and max(mosaic.filter) > 2:
        return "the filter has other colours than red, green and blue; write .tif"
    return None


def _filtered(mosaic: Mosaic, image: Image) -> bool:
    return bool(mosaic.filter) and image.axes == "YX"


def _levels(mosaic: Mosaic, image: Image) -> list[Any]:
    """Return the tags of the filter, and of what is black and white."""
    white, side = round(mosaic.white), round(len(mosaic.filter) ** 0.5)
    if not _filtered(mosaic, image):
        samples = image.size("S")
        black = tuple(round(mosaic.black[k]) for k in range(samples))
        return [(_BLACK, _LONG, samples, black, True), (_WHITE, _LONG, samples, (white,) * samples, True)]
    black = tuple(round(level) for level in mosaic.black_behind)
    return [
        (_ACROSS, _SHORT, 2, (side, side), True),
        (_FILTER, _BYTE, side * side, bytes(mosaic.filter), True),
        (_BLACK_ACROSS, _SHORT, 2, (side, side), True),
        (_BLACK, _LONG, side * side, black, True),
        (_WHITE, _LONG, 1, white, True),
    ]


def _colours(mosaic: Mosaic, image: Image) -> list[Any]:
    """Return what a DNG that was read says of its colours and its frame; else what is known of the camera."""
    if mosaic.tags:
        left_out: tuple[int, ...] = () if _filtered(mosaic, image) else _OF_MOSAICS
        if image.array.shape[:2] != mosaic.shape[:2]:
            left_out = _OF_THE_SIZE
        return [tag for tag in mosaic.tags if tag[0] not in left_out]
    tags: list[Any] = [(CAMERA, _ASCII, 0, mosaic.camera or "unknown", True)]
    if mosaic.matrix:
        parts = tuple(number for one in mosaic.matrix for number in (round(one * _PER), _PER))
        tags += [(MATRIX, _SIGNED, 9, parts, True), (ILLUMINANT, _SHORT, 1, _D65, True)]
    if mosaic.neutral:
        parts = tuple(number for one in mosaic.neutral for number in (round(one * _PER), _PER))
        tags.append((NEUTRAL, _FRACTION, 3, parts, True))
    return tags


def with_tags(image: Image, tif: Any) -> Image:
    """Return a raw picture with what its file, opened by tifffile, says of its colours, where that is a DNG."""
    tags = tif.pages.first.tags
    if VERSION[0] not in tags:
        return image
    kept = tuple(as_stored(tags[code]) for code in KEPT if code in tags)
    mosaic = replace(image.metadata["raw"], tags=kept, byteorder=tif.byteorder)
    return replace(image, metadata=image.metadata | {"raw": mosaic})


KEPT = (
    *(CAMERA, 50709, 50718, 50719, 50720, MATRIX, 50722, 50723, 50724, 50725, 50726, 50727, NEUTRAL, 50729, 50730),
    *(
        50732,
        50733,
        50734,
        50735,
        50736,
        50738,
        50739,
        ILLUMINANT,
        50779,
        50931,
        50932,
        50936,
        50937,
        50938,
        50939,
    ),
    *(50939, 50940, 50941, 50942, 50964, 50965, 50981, 50982, 51009, 51022, 51107, 51108, 51109, 51110, 51125),
)
"""Camera, crops, matrices, white balance, profile, corrections; not how values were packed, nor their noise."""

DNG = Format("DNG", (".dng",), lambda header: False, read, write, objection, Library("rawpy", "photo"))
"""Known by its content as the TIFF that it is, which hands it on."""
