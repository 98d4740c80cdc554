"""What a TIFF says beside its values: description, tags, layout, EXIF, resolution."""

from __future__ import annotations

import struct
from typing import Any

from untaught.image.formats.base import broken_by
from untaught.image.formats.exif import DESCRIPTION, DIRECTORIES, TEXTS, Form, block_of, read_directory
from untaught.image.formats.tiff_layout import ORIENTATION, SOFTWARE, TIFFFILE_ERRORS, XMP, Layout, as_stored
from untaught.image.formats.tiff_ome import spacing_of
from untaught.image.formats.tiff_pixels import compression, photometric
from untaught.image.formats.tiff_series import Chosen

# Tags that are true of the restored picture as of the one read, and hold no offsets into the file:
# document, maker, position, lookup table, artist, IPTC, Photoshop, GeoTIFF, GDAL, microscope text, ImageJ.
_KEPT_TAGS = (
    *(269, 271, 272, 285, 286, 287, 305, 306, 315, 316, 318, 319, 33432, 33723, 34377),
    *(33550, 33922, 34264, 34735, 34736, 34737, 42112, 42113, 34118, 34680, 34682),
)
_IMAGEJ_TAGS = (320, 50838, 50839)
_MICROMETRE = ("um", "micron", "microns", "micrometer", "\u00b5m", "\u03bcm", "\\u00b5m")
_UNITS = dict.fromkeys(_MICROMETRE, "um") | {"nm": "nm", "mm": "mm", "a": "A", "\u00e5": "A"}
_PHOTOMETRIC = {"MINISWHITE": "miniswhite", "MINISBLACK": "minisblack"}
_PLAIN = ("generic", "uniform")  # kinds whose description is a person's, not a program's of the pages


def metadata_of(tif: Any, chosen: Chosen) -> dict[str, Any]:
    """Return what the writers need to give back, as `Image.metadata` has it."""
    page = chosen.keyframe
    first = page if chosen.page is not None else tif.pages.first
    tags = first.tags
    found: dict[str, Any] = {"photometric": _PHOTOMETRIC.get(photometric(page), "rgb")}
    if isinstance(page.iccprofile, bytes) and page.iccprofile:
        found["icc"] = page.iccprofile
    if XMP in tags:
        found["xmp"] = _encoded(tags[XMP])
    orientation = _whole(tags.valueof(ORIENTATION))
    if 1 <= orientation <= 8:
        found["orientation"] = orientation
    resolution = _resolution(page)
    if resolution:
        found["resolution"] = resolution
    exif = exif_of(tif, first, described=chosen.kind in _PLAIN)
    if exif:
        found["exif"] = exif
    found["tiff"] = layout = _layout(tif, chosen, tags)
    spacing = {}
    if layout.kind == "ome" and layout.description:
        spacing = spacing_of(layout.description, chosen.image[0])
    elif layout.kind == "imagej":
        spacing = _spacing_of_imagej(tif.imagej_metadata or {}, found.get("resolution"))
    if spacing:
        found["spacing"] = spacing
    return found


def _spacing_of_imagej(said: dict[str, Any], resolution: tuple[float, float, str] | None) -> dict[str, Any]:
    """Return the steps of the axes as ImageJ states them: a unit for all, and pixels to one of it."""
    found: dict[str, Any] = {}
    unit = _UNITS.get(str(said.get("unit", "")).strip().lower())
    if unit is not None and resolution is not None and resolution[2] == "none":
        found = {"Y": (1 / resolution[1], unit), "X": (1 / resolution[0], unit)}
    if unit is not None and _number(said.get("spacing")):
        found["Z"] = _number(said["spacing"]), unit
    if _number(said.get("finterval")) and str(said.get("tunit", "sec")).strip().lower() in ("sec", "s", "seconds"):
        found["T"] = _number(said["finterval"]), "s"
    return found


def _number(value: object) -> float:
    """Return a number above zero; 0 for what is none."""
    return float(value) if isinstance(value, int | float) and value > 0 else 0.0


def _layout(tif: Any, chosen: Chosen, tags: Any) -> Layout:
    page = chosen.keyframe
    imagej = chosen.kind == "imagej"
    coloured = imagej and photometric(page) == "PALETTE"
    codes = _KEPT_TAGS + (_IMAGEJ_TAGS[coloured:] if imagej else ())
    with broken_by(*TIFFFILE_ERRORS):
        tile = (page.tilelength, page.tilewidth) if page.is_tiled else None
        shaped: dict[str, Any] = (tif.shaped_metadata or ({},))[0] if chosen.kind == "shaped" else {}
        kept = tuple(as_stored(tags[code]) for code in codes if code in tags)
    return Layout(
        kind=chosen.kind,
        shape=chosen.shape,
        axes=chosen.axes,
        dtype=str(page.dtype),
        byteorder=tif.byteorder,
        description=_description(chosen, tags),
        shaped={k: v for k, v in shaped.items() if k not in ("shape", "axes", "truncated")},
        tags=kept,
        compression=compression(page),
        predictor=page.predictor != 1,
        tile=tile if tile and all(side > 0 and not side % 16 for side in tile) else None,
        extrasamples=tuple(int(e) for e in page.extrasamples),
        colormap=page.colormap if coloured else None,
        image=chosen.image,
        others=chosen.others,
    )


def _description(chosen: Chosen, tags: Any) -> bytes | None:
    """Return the description; what a program says of all pages is not true of one alone."""
    page = chosen.page
    if DESCRIPTION not in tags or (page is not None and (page.is_ome or page.is_imagej or page.is_shaped)):
        return None
    return _encoded(tags[DESCRIPTION])


def exif_of(tif: Any, first: Any, described: bool) -> bytes | None:
    """Return what EXIF knows of the picture as one block; None where there is no word, camera, date or place."""
    form = Form(tif.byteorder, tif.is_bigtiff)
    codes = (ORIENTATION, *TEXTS, *DIRECTORIES, *([DESCRIPTION] if described else []))
    try:
        directory = read_directory(tif.filehandle, first.offset, form, codes)
    except (ValueError, struct.error):  # a broken one; the picture does not need it
        return None
    return block_of(directory, tif.byteorder) if directory.keys() - {ORIENTATION, SOFTWARE} else None


def _encoded(tag: Any) -> bytes:
    value = tag.astuple()[3]
    return bytes(value).rstrip(b"\x00") if isinstance(value, bytes) else str(value).encode()


def _resolution(page: Any) -> tuple[float, float, str] | None:
    """Return (x, y, unit); None where the tags are absent, zero, or say nothing."""
    x, y = (_ratio(page.tags.valueof(code)) for code in (282, 283))
    unit = {1: "none", 3: "cm"}.get(_whole(page.tags.valueof(296)) or 2, "inch")
    return None if min(x, y) <= 0 or (x, y, unit) == (1, 1, "none") else (x, y, unit)


def _ratio(value: object) -> float:
    """Return a number, or a quotient of two; 0 for what is neither."""
    over, under = value if isinstance(value, tuple) and len(value) == 2 else (value, 1)
    if not isinstance(over, int | float) or not isinstance(under, int | float) or not under:
        return 0.0
    return over / under


def _whole(value: object) -> int:
    """Return a whole number; 0 for what is none."""
    return int(value) if isinstance(value, int) else 0
