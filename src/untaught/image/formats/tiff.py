"""TIFF: any depth, any axes; OME-TIFF and ImageJ hyperstacks come back as such.

A picture keeps the description, the tags and the layout it had, as long as its shape and type are
what was read: OME-XML and ImageJ's text describe the pages in their order, so they still hold.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from untaught.image.axes import asked
from untaught.image.formats import dng
from untaught.image.formats.base import BrokenError, CutOffError, Format, broken_by
from untaught.image.formats.raw import RAW
from untaught.image.formats.tiff_layout import TIFFFILE_ERRORS, log_of_tifffile
from untaught.image.formats.tiff_metadata import exif_of, metadata_of
from untaught.image.formats.tiff_pieces import values_of
from untaught.image.formats.tiff_pixels import coloured, is_raw, photometric, refuse_unreadable
from untaught.image.formats.tiff_series import choose, refuse_cut_off
from untaught.image.formats.tiff_whole_pages import whole_pages
from untaught.image.formats.tiff_writer import write
from untaught.image.image import Image
from untaught.image.reading import WHOLE, Reading
from untaught.image.unnamed import Unnamed, is_unnamed

_MAGIC = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
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


def read(path: Path, reading: Reading = WHOLE) -> Image | Unnamed:
    """Read the main picture of a TIFF, or the one that is asked for, with tifffile's axes.

    The main picture is the largest series at its full size; series of one page that are alike are a stack. A
    palette becomes RGB, except ImageJ's, which colours measured values and is carried along. Values that are
    stored inverted (white is zero) stay so. A camera's raw file is handed on. Of a stack that is cut off, those
    pages are read that are whole.
    """
    try:
        return _read(path, reading)
    except (CutOffError, BrokenError):
        found = None if reading.asked else whole_pages(path)
        if found is None:
            raise
        return found


def _read(path: Path, reading: Reading) -> Image | Unnamed:
    import tifffile

    with log_of_tifffile() as logged:
        with broken_by(*TIFFFILE_ERRORS):
            tif = tifffile.TiffFile(path)
        with tif:
            if not reading.asked and is_raw(tif):
                RAW.require(path)
                exif = exif_of(tif, tif.pages.first, described=False)
                measured = dng.with_tags(dng.read(path, reading), tif)
                return replace(measured, metadata=measured.metadata | ({"exif": exif} if exif else {}))
            chosen = choose(tif, path, reading)
            page, axes = chosen.keyframe, chosen.axes
            refuse_unreadable(path, page)
            refuse_cut_off(chosen)
            metadata = metadata_of(tif, chosen)
            array = values_of(tif, chosen, reading.memory)
        if any(marker in line for line in logged for marker in _CUT_OFF):
            raise CutOffError
    if photometric(page) == "PALETTE" and metadata["tiff"].colormap is None:
        array, axes = coloured(array, page.colormap), axes + "S"
    extra = tuple(int(e) for e in page.extrasamples)
    alpha = "S" in axes and bool(extra) and extra[-1] in _ALPHA
    if is_unnamed(axes):
        return Unnamed(array, axes, path.absolute(), metadata, alpha, chosen.notes)
    image = Image.of(array, axes, alpha=alpha, metadata=metadata, source=path.absolute())
    image = replace(image, file_notes=chosen.notes)
    if alpha and array.dtype.kind == "f" and len(axes) == 3:  # what programs write of any array of four channels
        told = (
            f"the last of the {image.size('S')} channels is opacity by what the file says, and was left as it is"
        )
        say = f"{told}; where it is a channel, say {asked(axes.replace('S', 'C'))}"
        image = replace(image, axes_notes=(say,))
    return image


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
