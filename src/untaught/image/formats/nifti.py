"""NIfTI 1 and 2, .nii and .nii.gz: header, extensions and the scale of the numbers come back byte by byte."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from math import isfinite, prod
from pathlib import Path
from typing import IO, Any

import numpy as np

from untaught.errors import InputError
from untaught.image.formats.base import BrokenError, Format, Library, broken_by
from untaught.image.formats.packed import numbers, opened
from untaught.image.image import Image
from untaught.image.limits import refuse_to_hold
from untaught.image.reading import WHOLE, Reading

_ERRORS = (OSError, ValueError, TypeError, LookupError, ArithmeticError, EOFError, struct.error)
_LETTERS = "XYZTCUV"  # the axes in the order of the file, of which the first is the fastest
_TWO = (b"\x1c\x02\x00\x00", b"\x00\x00\x02\x1c")  # 540, the length of a NIfTI-2 header
_PAIR = b"ni"
_COLOURS = {("R", "G", "B"): False, ("R", "G", "B", "A"): True}  # and whether the last is opacity
_TIMES = {"sec": "s", "msec": "ms", "usec": "us"}
_LENGTHS = {"meter": "m", "mm": "mm", "micron": "um"}


@dataclass(frozen=True)
class Layout:
    """What stood before the numbers in the file, and of what kind these were; kept in ``metadata["nifti"]``."""

    head: bytes
    axes: str
    shape: tuple[int, ...]
    dtype: str
    stored: Any


def _is_nifti(header: bytes) -> bool:
    one = header[:4] in (b"\x5c\x01\x00\x00", b"\x00\x00\x01\x5c") and header[344:347] in (b"n+1", b"ni1")
    return one or header[4:7] in (b"n+2", b"ni2")


def read(path: Path, reading: Reading = WHOLE) -> Image:
    """Read the numbers as they are stored; slope and intercept are not applied, but noted."""
    import nibabel
    from nibabel.spatialimages import HeaderDataError

    reading.refuse_others(path, "NIfTI")
    with opened(path) as stream:
        start = stream.read(8)
        stream.seek(0)
        kind = nibabel.Nifti2Header if start[:4] in _TWO else nibabel.Nifti1Header
        with broken_by(*_ERRORS, HeaderDataError):
            header = kind.from_fileobj(stream, check=False)
            if bytes(header["magic"].tobytes()[:2]) == _PAIR:
                raise InputError(f"{path} is the header of a pair of files; save both as one, .nii")
            shape, stored = tuple(map(int, header.get_data_shape())), header.get_data_dtype()
            offset, units = int(header["vox_offset"]), header.get_xyzt_units()
            zooms, scale = [float(zoom) for zoom in header.get_zooms()], (header["scl_slope"], header["scl_inter"])
        if not 2 <= len(shape) <= len(_LETTERS) or min(shape) < 1 or offset < 0:
            raise BrokenError("its header says of no picture")
        axes = _LETTERS[: len(shape)][::-1]
        refuse_to_hold(path, prod(shape) * stored.itemsize, reading.memory)
        stream.seek(0)
        head, array, alpha = stream.read(offset), numbers(stream, shape[::-1], stored), False
    if stored.names is not None:
        axes, alpha = axes + "S", _COLOURS[stored.names]
        array = array.view(np.uint8).reshape(*array.shape, len(stored.names))
    metadata: dict[str, Any] = {"spacing": _spacing(axes, zooms, units)}
    metadata["nifti"] = Layout(head, axes, array.shape, array.dtype.newbyteorder("=").str, stored)
    image = Image.of(array, axes, alpha=alpha, metadata=metadata, source=path.absolute())
    return replace(image, file_notes=_notes(*(float(one) for one in scale)))


def _spacing(axes: str, zooms: list[float], units: tuple[str, str]) -> dict[str, tuple[float, str]]:
    length, time = _LENGTHS.get(units[0], ""), _TIMES.get(units[1], "")
    named = zip(_LETTERS, zooms, strict=False)
    return {axis: (zoom, time if axis == "T" else length) for axis, zoom in named if axis in "XYZT" and zoom > 0}


def _notes(slope: float, intercept: float) -> tuple[str, ...]:
    if not isfinite(slope) or slope == 0 or (slope, intercept) == (1, 0):  # not scaled
        return ()
    quantity = f"the quantity is {slope:g} times them plus {intercept:g}"
    return (f"the values are those stored in the file; {quantity}",)


def write(stream: IO[bytes], image: Image) -> None:
    """Write the header that was read and the new numbers; it is changed where these are of another type or size.

    A picture from elsewhere gets a header with its spacing; the position of its pixels is not known.
    """
    layout: Layout | None = image.metadata.get("nifti")
    if layout is None:
        stream.write(_new(image))
        return
    if (image.array.shape, image.array.dtype.str) == (layout.shape, layout.dtype):
        stream.write(layout.head)
        order = image.array.dtype.newbyteorder("<" if layout.stored.names else layout.stored.byteorder)
    else:
        order = image.array.dtype.newbyteorder("<")
        stream.write(_changed(layout, image))
    stream.write(np.ascontiguousarray(image.array).astype(order, copy=False).tobytes())


def _changed(layout: Layout, image: Image) -> bytes:
    """Return what stands before the numbers, made true of another type or size."""
    import nibabel

    kind = nibabel.Nifti2Header if layout.head[:4] in _TWO else nibabel.Nifti1Header
    size = kind.sizeof_hdr
    header = kind(layout.head[:size], check=False).as_byteswapped("<")
    header.set_data_dtype(image.array.dtype)
    finer = [image.width / _length(layout, "X"), image.height / _length(layout, "Y")]
    if finer != [1, 1]:
        shape = list(header.get_data_shape())
        shape[:2] = image.width, image.height
        header.set_data_shape(shape)
        move = np.diag([1 / finer[0], 1 / finer[1], 1, 1])
        move[:2, 3] = [(1 / one - 1) / 2 for one in finer]  # the corner of the picture stays where it is
        for get, put in ((header.get_qform, header.set_qform), (header.get_sform, header.set_sform)):
            affine, code = get(coded=True)
            if affine is not None:
                put(affine @ move, int(code))
        zooms = list(header.get_zooms())
        zooms[:2] = zooms[0] / finer[0], zooms[1] / finer[1]
        header.set_zooms(zooms)
    return bytes(header.binaryblock) + layout.head[size:]


def _length(layout: Layout, axis: str) -> int:
    return layout.shape[layout.axes.index(axis)]


def _new(image: Image) -> bytes:
    """Return the whole file of a picture from elsewhere."""
    import nibabel

    array = image.samples_last(image.array)
    letters = image.lead_axes + "YX"
    coloured = "S" in image.axes
    if coloured:
        names = "RGBA"[: array.shape[-1]]
        array = np.ascontiguousarray(array).view(np.dtype([(name, np.uint8) for name in names]))
    array = array[..., 0]
    last = max(_LETTERS.index(axis) for axis in letters)
    wanted = _LETTERS[: last + 1]
    array = array.transpose([letters.index(axis) for axis in wanted if axis in letters])
    array = array.reshape([image.size(axis) for axis in wanted])
    if array.dtype.kind == "b" or array.dtype == np.float16:
        array = array.astype(np.uint8 if array.dtype.kind == "b" else np.float32)
    spacing = image.metadata.get("spacing", {})
    steps = [spacing.get(axis, (1.0, ""))[0] for axis in "XYZ"]
    made = nibabel.Nifti1Image(array, np.diag([*steps, 1.0]), dtype=array.dtype)
    units = {unit: name for name, unit in (*_LENGTHS.items(), *_TIMES.items())}
    made.header.set_xyzt_units(*(units.get(spacing.get(axis, (1.0, ""))[1]) for axis in "XT"))
    if "T" in wanted:
        made.header.set_zooms((*steps, spacing.get("T", (1.0, ""))[0], *(1.0 for _ in wanted[4:])))
    return bytes(made.to_bytes())


def objection(image: Image) -> str | None:
    """Say why NIfTI cannot hold `image`."""
    layout: Layout | None = image.metadata.get("nifti")
    if layout is None:
        odd = [axis for axis in image.lead_axes if axis not in _LETTERS]
        if odd:
            return f"NIfTI has no axis {odd[0]}; write .tif or .npy instead"
        if "S" in image.axes and (image.array.dtype != np.uint8 or image.size("S") not in (3, 4)):
            return "NIfTI holds colours of 8 bits, red, green and blue, and no others; write .tif instead"
    elif len(image.axes) != len(layout.axes):
        return "the file that was read has other axes; write .tif or .npy instead"
    return None


NIFTI = Format(
    "NIfTI", (".nii", ".nii.gz"), _is_nifti, read, write, objection, Library("nibabel", "medical"), packed=True
)
