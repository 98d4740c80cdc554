"""TIFF: any depth, any axes; OME-TIFF and ImageJ hyperstacks come back as such.

A picture keeps the description, the tags and the layout it had, as long as its shape and type are
what was read: OME-XML and ImageJ's text describe the pages in their order, so they still hold.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.image import Image, refuse_too_many
from untaught.io._common import CutOffError, Format, exif_orientation

_MAGIC = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_LOSSLESS = ("NONE", "LZW", "ADOBE_DEFLATE", "DEFLATE", "ZSTD", "LZMA", "PACKBITS")
_PREDICTABLE = ("LZW", "ADOBE_DEFLATE", "DEFLATE", "ZSTD", "LZMA")
_READABLE = ("MINISBLACK", "MINISWHITE", "RGB", "PALETTE")
# Tags that are true of the restored picture as of the one read, and hold no offsets into the file:
# document, maker, position, lookup table, artist, IPTC, Photoshop, GeoTIFF, GDAL, microscope text, ImageJ.
_KEPT_TAGS = (
    *(269, 271, 272, 285, 286, 287, 305, 306, 315, 316, 318, 319, 33432, 33723, 34377),
    *(33550, 33922, 34264, 34735, 34736, 34737, 42112, 42113, 34118, 34680, 34682),
)
_IMAGEJ_TAGS = (320, 50838, 50839)
_DESCRIPTION, _XMP, _ORIENTATION, _SOFTWARE = 270, 700, 274, 305
_ALPHA = (1, 2)  # ExtraSamples: premultiplied or not
_logger_lock = threading.Lock()
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


@dataclass(frozen=True)
class Layout:
    """How the file that was read was laid out; kept in ``metadata["tiff"]``.

    `tags` are tifffile's (code, type, count, encoded value, once), so `byteorder` goes with them.
    `description` is that of the first page; `kind` is tifffile's: ome, imagej, shaped, generic ...
    """

    kind: str
    shape: tuple[int, ...]
    axes: str
    dtype: str
    byteorder: str
    description: bytes | None
    shaped: dict[str, Any]
    tags: tuple[Any, ...]
    compression: str
    predictor: bool
    tile: tuple[int, int] | None
    extrasamples: tuple[int, ...]
    colormap: NDArray[Any] | None


def read(path: Path) -> Image:
    """Read a TIFF whole: all pages of its one series, with tifffile's axes.

    A palette becomes RGB, except ImageJ's, which colours measured values and is carried along.
    Values that are stored inverted (white is zero) stay so. More than one series is refused, small
    copies of the picture (thumbnails, pyramid levels) left aside.
    """
    import tifffile

    with _complaints() as complaints:
        with tifffile.TiffFile(path) as tif:
            series = _only_series(tif, path)
            page = series.keyframe
            axes = series.axes
            refuse_too_many(path, prod(s for s, a in zip(series.shape, axes, strict=True) if a != "S"))
            if not _is_readable(page):
                raise InputError(f"{path} holds {page.photometric.name} values; convert it to grey or RGB first")
            _refuse_cut_off(series)
            metadata = _metadata(tif, series)
            array = series.asarray()
        if any(marker in line for line in complaints for marker in _CUT_OFF):
            raise CutOffError
    if page.photometric.name == "PALETTE" and metadata["tiff"].colormap is None:
        array, axes = _coloured(array, page.colormap), axes + "S"
    extra = tuple(int(e) for e in page.extrasamples)
    alpha = "S" in axes and bool(extra) and extra[-1] in _ALPHA
    return Image.of(array, axes, alpha=alpha, metadata=metadata, source=path.absolute())


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """Collect what tifffile logs, instead of showing it."""
    lines: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    logger, handler = logging.getLogger("tifffile"), Collector()
    with _logger_lock:
        propagate, logger.propagate = logger.propagate, False
        logger.addHandler(handler)
        try:
            yield lines
        finally:
            logger.removeHandler(handler)
            logger.propagate = propagate


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
    if _XMP in tags:
        found["xmp"] = _encoded(tags[_XMP])
    if _ORIENTATION in tags and 1 <= int(tags[_ORIENTATION].value) <= 8:
        found["orientation"] = int(tags[_ORIENTATION].value)
    resolution = _resolution(page)
    if resolution:
        found["resolution"] = resolution
    codes = _KEPT_TAGS + (_IMAGEJ_TAGS[coloured:] if imagej else ())
    tile = (page.tilelength, page.tilewidth) if page.is_tiled else None
    shaped: dict[str, Any] = (tif.shaped_metadata or ({},))[0] if series.kind == "shaped" else {}
    found["tiff"] = Layout(
        kind=series.kind,
        shape=tuple(series.shape),
        axes=series.axes,
        dtype=str(series.dtype),
        byteorder=tif.byteorder,
        description=_encoded(tags[_DESCRIPTION]) if _DESCRIPTION in tags else None,
        shaped={k: v for k, v in shaped.items() if k not in ("shape", "axes", "truncated")},
        tags=tuple(tags[code].astuple() for code in codes if code in tags),
        compression=page.compression.name,
        predictor=page.predictor != 1,
        tile=tile if tile and not any(side % 16 for side in tile) else None,
        extrasamples=tuple(int(e) for e in page.extrasamples),
        colormap=page.colormap if coloured else None,
    )
    return found


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


def write(stream: IO[bytes], image: Image) -> None:
    """Write a TIFF, BigTIFF beyond 4 GB, laid out as the one that was read.

    Lossless compression is kept; pictures from other formats, and those that were compressed with
    loss, are deflated. An ``.ome.tif`` or ImageJ file stays one.
    """
    import tifffile

    array, axes = _canonical(image)
    layout = image.metadata.get("tiff")
    if layout is not None and (array.shape, axes, str(array.dtype)) != (
        layout.shape,
        layout.axes,
        layout.dtype,
    ):
        layout = None
    options = _samples(image, axes, layout) | _storage(array.dtype, layout)
    options |= _description(axes, layout)
    tags = _tags(image, layout)
    if "resolution" in image.metadata:
        x, y, unit = image.metadata["resolution"]
        options["resolution"] = (x, y)
        options["resolutionunit"] = {"inch": 2, "cm": 3}.get(unit, 1)
    if any(tag[0] == _SOFTWARE for tag in tags):
        options["software"] = False
    # what tifffile warns of or logs here is a tag it does not write, never a value
    with _complaints():
        tifffile.imwrite(
            stream,
            array,
            ome=False,
            byteorder=layout.byteorder if layout else "<",
            bigtiff=array.nbytes > 2**32 - 2**25,
            iccprofile=image.metadata.get("icc"),
            extratags=tags,
            **({"software": "untaught"} | options),
        )


def _canonical(image: Image) -> tuple[NDArray[Any], str]:
    """Return array and axes with the pixels last, as a page has them."""
    if image.axes.endswith(("YX", "YXS")):
        return np.ascontiguousarray(image.array), image.axes
    array = image.samples_last(image.array)
    axes = image.lead_axes + "YXS"
    if "S" not in image.axes:
        array, axes = array[..., 0], axes[:-1]
    return np.ascontiguousarray(array), axes


def _samples(image: Image, axes: str, layout: Layout | None) -> dict[str, Any]:
    """Say what the samples of a pixel are."""
    if layout is not None and layout.colormap is not None:
        return {"photometric": "palette", "colormap": layout.colormap}
    samples = image.size("S")
    rgb = samples - image.alpha == 3 or (samples > 3 and image.metadata.get("photometric") == "rgb")
    inverted = image.metadata.get("photometric") == "miniswhite"
    options: dict[str, Any] = {"photometric": "rgb" if rgb else "minisblack"}
    if inverted and not rgb:
        options["photometric"] = "miniswhite"
    if "S" not in axes:
        return options
    options["planarconfig"] = "contig" if axes.endswith("S") else "separate"
    extra = samples - (3 if rgb else 1)
    if layout is not None and len(layout.extrasamples) == extra:
        codes = layout.extrasamples
    else:
        codes = (0,) * (extra - image.alpha) + (2,) * image.alpha
    if codes:
        options["extrasamples"] = codes
    return options


def _storage(dtype: np.dtype[Any], layout: Layout | None) -> dict[str, Any]:
    integer = dtype.kind in "iu" and dtype.itemsize <= 4
    if layout is None or layout.compression not in _LOSSLESS:
        name, predictor = "ADOBE_DEFLATE", integer
    else:
        name, predictor = layout.compression, layout.predictor
    options: dict[str, Any] = {}
    if name != "NONE":
        options["compression"] = "ADOBE_DEFLATE" if name == "DEFLATE" else name
        # the predictors know integers up to 32 bits and floats
        options["predictor"] = predictor and name in _PREDICTABLE and (integer or dtype.kind == "f")
    if layout is not None and layout.tile and dtype.kind != "b":
        options["tile"] = layout.tile
    return options


def _description(axes: str, layout: Layout | None) -> dict[str, Any]:
    if layout is not None and layout.kind == "shaped":
        return {"metadata": {**layout.shaped, "axes": axes}}
    if layout is None:
        plain = axes in ("YX", "YXS", "SYX")
        return {"metadata": None if plain else {"axes": axes}}
    description = layout.description
    if description is not None and layout.kind == "ome":
        pages = prod(s for s, a in zip(layout.shape, axes, strict=True) if a not in "YXS")
        description = _ome_in_order(description, pages, layout.byteorder)
    return {"metadata": None, "description": description}


def _ome_in_order(xml: bytes, pages: int, byteorder: str) -> bytes:
    """Say in OME-XML that all planes lie in this file, in the order of its dimensions.

    That is how they are written, wherever the file that was read, or its companions, had them.
    """
    pattern = rb"<((?:\w+:)?)TiffData\b[^>]*?(?:/>|>.*?</\1TiffData\s*>)"
    seen = False

    def replace(match: re.Match[bytes]) -> bytes:
        nonlocal seen
        if seen:
            return b""
        seen = True
        return b'<%sTiffData IFD="0" PlaneCount="%d"/>' % (match[1], pages)

    xml = re.sub(pattern, replace, xml, flags=re.DOTALL)
    endian = b'BigEndian="%s"' % (b"true" if byteorder == ">" else b"false")
    return re.sub(rb'\bBigEndian="\w+"', endian, xml)


def _tags(image: Image, layout: Layout | None) -> list[Any]:
    """Return the tags beyond those that describe the pixels."""
    tags = list(layout.tags) if layout else []
    orientation = image.metadata.get("orientation") or exif_orientation(image.metadata.get("exif", b""))
    if orientation:
        tags.append((_ORIENTATION, 3, 1, orientation, True))
    if "xmp" in image.metadata:
        tags.append((_XMP, 1, len(image.metadata["xmp"]), image.metadata["xmp"], True))
    return tags


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
