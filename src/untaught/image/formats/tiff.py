"""TIFF: any depth, any axes; OME-TIFF and ImageJ hyperstacks come back as such.

A picture keeps the description, the tags and the layout it had, as long as its shape and type are
what was read: OME-XML and ImageJ's text describe the pages in their order, so they still hold.
"""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.image.axes import asked
from untaught.image.formats.base import CutOffError, Format
from untaught.image.formats.exif import DESCRIPTION, DIRECTORIES, TEXTS, Form, block_of, read_directory
from untaught.image.formats.tiff_layout import ORIENTATION, SOFTWARE, XMP, Layout, log_of_tifffile
from untaught.image.formats.tiff_writer import write
from untaught.image.image import Image
from untaught.image.limits import refuse_too_large
from untaught.image.unnamed import Unnamed, is_unnamed

_MAGIC = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_READABLE = ("MINISBLACK", "MINISWHITE", "RGB", "PALETTE")
# Tags that are true of the restored picture as of the one read, and hold no offsets into the file:
# document, maker, position, lookup table, artist, IPTC, Photoshop, GeoTIFF, GDAL, microscope text, ImageJ.
_KEPT_TAGS = (
    *(269, 271, 272, 285, 286, 287, 305, 306, 315, 316, 318, 319, 33432, 33723, 34377),
    *(33550, 33922, 34264, 34735, 34736, 34737, 42112, 42113, 34118, 34680, 34682),
)
_IMAGEJ_TAGS = (320, 50838, 50839)
_PLAIN = ("generic", "uniform")  # kinds whose description is a person's, not a program's of the pages
_ALPHA = (1, 2)  # ExtraSamples: premultiplied or not
# What tifffile logs, and then reads on, when pages or tags lie beyond the end of the file
_CUT_OFF = (
    "invalid page offset",
    "invalid offset to first page",
    "invalid value offset",
    "invalid valueoffset",
    "Missing data are zeroed",
    "invalid or corrupted file",
    "files are missing",
)


def read(path: Path) -> Image | Unnamed:
    """Read a TIFF whole: all pages of its one series, with tifffile's axes.

    A palette becomes RGB, except ImageJ's, which colours measured values and is carried along.
    Values that are stored inverted (white is zero) stay so. More than one series is refused, small
    copies of the picture (thumbnails, pyramid levels) left aside.
    """
    import tifffile

    with log_of_tifffile() as logged:
        with tifffile.TiffFile(path) as tif:
            series = _only_series(tif, path)
            page = series.keyframe
            axes = series.axes
            refuse_too_large(path, axes, series.shape)
            if not _is_readable(page):
                raise InputError(f"{path} holds {page.photometric.name} values; convert it to grey or RGB first")
            _refuse_cut_off(series)
            metadata = _metadata(tif, series)
            array = series.asarray()
        if any(marker in line for line in logged for marker in _CUT_OFF):
            raise CutOffError
    if page.photometric.name == "PALETTE" and metadata["tiff"].colormap is None:
        array, axes = _coloured(array, page.colormap), axes + "S"
    extra = tuple(int(e) for e in page.extrasamples)
    alpha = "S" in axes and bool(extra) and extra[-1] in _ALPHA
    if is_unnamed(axes):
        return Unnamed(array, axes, path.absolute(), metadata, alpha)
    image = Image.of(array, axes, alpha=alpha, metadata=metadata, source=path.absolute())
    if alpha and array.dtype.kind == "f" and len(axes) == 3:  # what programs write of any array of four channels
        told = (
            f"the last of the {image.size('S')} channels is opacity by what the file says, and was left as it is"
        )
        image = replace(image, notes=(f"{told}; where it is a channel, say {asked(axes.replace('S', 'C'))}",))
    return image


def _only_series(tif: Any, path: Path) -> Any:
    if len(tif.pages) == 0:
        raise CutOffError
    pictures = [s for s in tif.series if not s.keyframe.is_reduced] or tif.series[:1]
    if len(pictures) > 1:
        sizes = ", ".join("x".join(map(str, s.shape)) for s in pictures[:4])
        raise InputError(f"{path} holds {len(pictures)} pictures ({sizes}); split it into files")
    return pictures[0]


def _refuse_cut_off(series: Any) -> None:
    """Look before decoding whether the file reaches as far as its pages say."""
    for page in series.pages:
        if page is not None and len(page.dataoffsets) > 0:
            ends = np.add(page.dataoffsets, page.databytecounts)
            if int(ends.max()) > page.parent.filehandle.size:
                raise CutOffError


def _is_readable(page: Any) -> bool:
    name = page.photometric.name
    # the JPEG decoder makes RGB of YCbCr, nothing else does
    return name in _READABLE or (name == "YCBCR" and "JPEG" in page.compression.name)


def _metadata(tif: Any, series: Any) -> dict[str, Any]:
    page, first = series.keyframe, tif.pages.first
    tags = first.tags
    imagej = series.kind == "imagej"
    coloured = imagej and page.photometric.name == "PALETTE"
    found: dict[str, Any] = {"photometric": _photometric(page)}
    if page.iccprofile:
        found["icc"] = bytes(page.iccprofile)
    if XMP in tags:
        found["xmp"] = _encoded(tags[XMP])
    if ORIENTATION in tags and 1 <= int(tags[ORIENTATION].value) <= 8:
        found["orientation"] = int(tags[ORIENTATION].value)
    resolution = _resolution(page)
    if resolution:
        found["resolution"] = resolution
    exif = _exif(tif, described=series.kind in _PLAIN)
    if exif:
        found["exif"] = exif
    codes = _KEPT_TAGS + (_IMAGEJ_TAGS[coloured:] if imagej else ())
    tile = (page.tilelength, page.tilewidth) if page.is_tiled else None
    shaped: dict[str, Any] = (tif.shaped_metadata or ({},))[0] if series.kind == "shaped" else {}
    found["tiff"] = Layout(
        kind=series.kind,
        shape=tuple(series.shape),
        axes=series.axes,
        dtype=str(series.dtype),
        byteorder=tif.byteorder,
        description=_encoded(tags[DESCRIPTION]) if DESCRIPTION in tags else None,
        shaped={k: v for k, v in shaped.items() if k not in ("shape", "axes", "truncated")},
        tags=tuple(tags[code].astuple() for code in codes if code in tags),
        compression=page.compression.name,
        predictor=page.predictor != 1,
        tile=tile if tile and not any(side % 16 for side in tile) else None,
        extrasamples=tuple(int(e) for e in page.extrasamples),
        colormap=page.colormap if coloured else None,
    )
    return found


def _exif(tif: Any, described: bool) -> bytes | None:
    """Return what EXIF knows of the picture as one block; None where there is no word, camera, date or place."""
    form = Form(tif.byteorder, tif.is_bigtiff)
    codes = (ORIENTATION, *TEXTS, *DIRECTORIES, *([DESCRIPTION] if described else []))
    try:
        directory = read_directory(tif.filehandle, tif.pages.first.offset, form, codes)
    except (ValueError, struct.error):  # a broken one; the picture does not need it
        return None
    return block_of(directory, tif.byteorder) if directory.keys() - {ORIENTATION, SOFTWARE} else None


def _photometric(page: Any) -> str:
    name = page.photometric.name
    return {"MINISWHITE": "miniswhite", "MINISBLACK": "minisblack"}.get(name, "rgb")


def _encoded(tag: Any) -> bytes:
    value = tag.astuple()[3]
    return bytes(value).rstrip(b"\x00") if isinstance(value, bytes) else str(value).encode()


def _resolution(page: Any) -> tuple[float, float, str] | None:
    """Return (x, y, unit); None where the tags are absent, zero, or say nothing."""
    numbers = []
    for code in (282, 283):
        value = page.tags[code].value if code in page.tags else 0
        over, under = value if isinstance(value, tuple) else (value, 1)
        numbers.append(over / under if under else 0.0)
    unit = {1: "none", 3: "cm"}.get(int(page.tags[296].value) if 296 in page.tags else 2, "inch")
    x, y = numbers
    return None if min(x, y) <= 0 or (x, y, unit) == (1, 1, "none") else (x, y, unit)


def _coloured(indices: NDArray[Any], colormap: NDArray[Any]) -> NDArray[Any]:
    """Look the colours up: uint8 where they are 8-bit colours on a 16-bit scale, else uint16."""
    for step in (257, 256):
        if not (colormap % step).any():
            colormap = (colormap // step).astype(np.uint8)
            break
    return np.ascontiguousarray(np.moveaxis(colormap[:, indices], 0, -1))


def objection(image: Image) -> str | None:
    """Nothing: any type and any axes can be held."""
    return None


TIFF = Format(
    "TIFF",
    (".tif", ".tiff"),
    lambda header: header.startswith(_MAGIC),
    read,
    write,
    objection,
)
