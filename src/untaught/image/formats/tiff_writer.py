"""The writing half of TIFF."""

from __future__ import annotations

from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from untaught.image.formats.exif import (
    DESCRIPTION,
    TEXTS,
    Directory,
    byteorder_of,
    directory_of,
    exif_orientation,
    hang,
)
from untaught.image.formats.tiff_layout import ORIENTATION, SOFTWARE, XMP, Layout, log_of_tifffile
from untaught.image.formats.tiff_ome import is_ome, ome_of, ome_xml
from untaught.image.formats.tiff_others import write_others
from untaught.image.image import Image
from untaught.image.lazy import copied, is_mapped

_LOSSLESS = ("NONE", "LZW", "ADOBE_DEFLATE", "DEFLATE", "ZSTD", "LZMA", "PACKBITS")
_PREDICTABLE = ("LZW", "ADOBE_DEFLATE", "DEFLATE", "ZSTD", "LZMA")


def write(stream: IO[bytes], image: Image) -> None:
    """Write a TIFF, BigTIFF beyond 4 GB, laid out as the one that was read.

    Lossless compression is kept; pictures from other formats, and those that were compressed with
    loss, are deflated. An ``.ome.tif`` or ImageJ file stays one. Other pictures of the file that was read, those
    that `Layout.others` names, follow unchanged.
    """
    import tifffile

    layout = image.metadata.get("tiff")
    if layout is not None and (image.array.shape, str(image.array.dtype)) != (layout.shape, layout.dtype):
        layout = None
    # the file's own letters and order of pages, whatever the axes were taken for
    array, axes = _canonical(image) if layout is None else (np.ascontiguousarray(image.array), layout.axes)
    exif = image.metadata.get("exif", b"")
    known = directory_of(exif)
    options = (
        _samples(image, axes, layout) | _storage(array.dtype, layout) | _description(image, axes, layout, known)
    )
    options |= _resolution(image) | _tags(image, layout, known)
    # what tifffile warns of or logs here is a tag it does not write, never a value
    with log_of_tifffile():
        byteorder = layout.byteorder if layout else byteorder_of(exif)
        others = layout.others if layout else ()
        array = _ordered(array, byteorder)
        bigtiff = array.nbytes + sum(other.nbytes for other in others) > 2**32 - 2**25
        ome = layout is None and is_ome(image, axes)
        with tifffile.TiffWriter(stream, ome=ome, byteorder=byteorder, bigtiff=bigtiff) as tif:
            tif.write(array, iccprofile=image.metadata.get("icc"), **options)
            write_others(tif, image.source, others)
    directories = {code: value for code, value in known.items() if isinstance(value, dict)}
    if directories:
        hang(stream, directories)


def _ordered(array: NDArray[Any], byteorder: str | None) -> NDArray[Any]:
    """Return a mapped array in an order of bytes: tifffile would turn all of it around at once."""
    dtype = np.dtype(f"{byteorder or '='}{array.dtype.str[1:]}")
    return copied(array, dtype) if is_mapped(array) and dtype != array.dtype else array


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
    samples = image.size("S") if layout is None else dict(zip(axes, layout.shape, strict=True)).get("S", 1)
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


def _description(image: Image, axes: str, layout: Layout | None, exif: Directory) -> dict[str, Any]:
    if layout is not None and layout.kind == "shaped":
        return {"metadata": {**layout.shaped, "axes": image.axes if image.axes_given else axes}}
    if layout is None:
        if is_ome(image, axes):
            return {"metadata": {"axes": axes, **ome_of(image)}}
        plain = axes in ("YX", "YXS", "SYX")
        if not plain:
            return {"metadata": {"axes": axes}}
        *_, text = exif.get(DESCRIPTION, (b"",))
        return {"metadata": None, "description": text.rstrip(b"\0") or None}
    description = layout.description
    if description is not None and layout.kind == "ome":
        description = ome_xml(layout)
        if description is None:
            return {"metadata": {"axes": axes}}
    return {"metadata": None, "description": description}


def _resolution(image: Image) -> dict[str, Any]:
    if "resolution" not in image.metadata:
        return {}
    x, y, unit = image.metadata["resolution"]
    return {"resolution": (x, y), "resolutionunit": {"inch": 2, "cm": 3}.get(unit, 1)}


def _tags(image: Image, layout: Layout | None, exif: Directory) -> dict[str, Any]:
    """Say what the tags are beyond those that describe the pixels."""
    tags = [(code, *exif[code], True) for code in TEXTS if code in exif]
    if layout is not None:
        tags = list(layout.tags)
    orientation = image.metadata.get("orientation") or exif_orientation(image.metadata.get("exif", b""))
    if orientation:
        tags.append((ORIENTATION, 3, 1, orientation, True))
    if "xmp" in image.metadata:
        tags.append((XMP, 1, len(image.metadata["xmp"]), image.metadata["xmp"], True))
    named = any(tag[0] == SOFTWARE for tag in tags)
    return {"extratags": tags, "software": False if named else "untaught"}
