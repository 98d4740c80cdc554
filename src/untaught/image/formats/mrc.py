"""MRC and CCP4 maps: the header, labels and all, and what stands between it and the numbers, come back."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from untaught.image.formats.base import BrokenError, CutOffError, Format, Library, broken_by
from untaught.image.formats.packed import numbers, opened
from untaught.image.image import Image
from untaught.image.limits import refuse_to_hold
from untaught.image.reading import WHOLE, Reading

_HEADER = 1024
_ERRORS = (OSError, ValueError, TypeError, LookupError, ArithmeticError)
_STACK, _VOLUMES = 0, 401  # space groups: of single pictures, and of several volumes
_LABEL, _DONE = 80, b"restored by untaught"
_VERSION = 20141
_TYPES = ("bool", "int8", "uint8", "int16", "uint16", "float16", "float32")
_ANGSTROMS = {"A": 1.0, "nm": 10.0, "um": 1e4, "mm": 1e7}


@dataclass(frozen=True)
class Layout:
    """What stood before the numbers; kept in ``metadata["mrc"]``."""

    head: bytes
    axes: str
    shape: tuple[int, ...]
    dtype: str
    byteorder: Literal["<", ">"]


def read(path: Path, reading: Reading = WHOLE) -> Image:
    """Read a picture, a stack of pictures (T), a volume (Z), or volumes, as the space group says."""
    from mrcfile.utils import dtype_from_mode

    reading.refuse_others(path, "MRC")
    with opened(path) as stream:
        first = stream.read(_HEADER)
        if len(first) < _HEADER:
            raise CutOffError
        with broken_by(*_ERRORS):
            order: Literal["<", ">"] = "<" if first[212] in (0x44, 0x41) else ">"
            header = _header_of(first, order)
            extended, stored = (
                int(header["nsymbt"]),
                np.dtype(dtype_from_mode(int(header["mode"]))).newbyteorder(order),
            )
        axes, shape = _axes(header)
        if extended < 0 or min(shape) < 1:
            raise BrokenError("its header says of no picture")
        refuse_to_hold(path, prod(shape) * stored.itemsize, reading.memory)
        head, array = first + stream.read(extended), numbers(stream, shape, stored)
    metadata: dict[str, Any] = {"spacing": _spacing(header, axes)}
    metadata["mrc"] = Layout(head, axes, shape, array.dtype.newbyteorder("=").str, order)
    return Image.of(array, axes, metadata=metadata, source=path.absolute())


def _header_of(head: bytes, order: str) -> Any:
    from mrcfile.dtypes import HEADER_DTYPE

    return np.frombuffer(head[:_HEADER], HEADER_DTYPE.newbyteorder(order)).reshape(())


def _axes(header: Any) -> tuple[str, tuple[int, ...]]:
    """Return the axes; a file of one section is a picture, in a stack sections are times, in a volume slices."""
    columns, rows, sections, depth = (int(header[name]) for name in ("nx", "ny", "nz", "mz"))
    if int(header["ispg"]) >= _VOLUMES and depth > 0 and sections % depth == 0:
        return "TZYX", (sections // depth, depth, rows, columns)
    if sections == 1:
        return "YX", (rows, columns)
    return ("TYX" if int(header["ispg"]) == _STACK else "ZYX"), (sections, rows, columns)


def _spacing(header: Any, axes: str) -> dict[str, tuple[float, str]]:
    found = {}
    for axis, name, size in (("X", "x", "mx"), ("Y", "y", "my"), ("Z", "z", "mz")):
        if axis in axes and int(header[size]) > 0 and float(header["cella"][name]) > 0:
            found[axis] = float(header["cella"][name]) / int(header[size]), "A"
    return found


def write(stream: IO[bytes], image: Image) -> None:
    """Write the header that was read, with the statistics of the new numbers and a label that says what was done.

    Bytes without a sign, which the format does not have, become numbers of 16 bits.
    """
    layout: Layout | None = image.metadata.get("mrc")
    order = "<" if layout is None else layout.byteorder
    array = np.ascontiguousarray(image.samples_last(image.array)[..., 0] if layout is None else image.array)
    wider = {"|b1": np.int8, "|u1": np.uint16}.get(array.dtype.str)
    array = array if wider is None else array.astype(wider)
    header = _new(image) if layout is None else _header_of(layout.head, order).copy()
    _describe(header, array)
    if layout is not None:
        _label(header)
        header["mode"] = _mode(array) if array.dtype.str != layout.dtype else header["mode"]
        if array.shape != layout.shape:
            _resize(header, image)
    stream.write(header.tobytes() + (b"" if layout is None else layout.head[_HEADER:]))
    stream.write(array.astype(array.dtype.newbyteorder(order), copy=False).tobytes())


def _mode(array: NDArray[Any]) -> int:
    from mrcfile.utils import mode_from_dtype

    return int(mode_from_dtype(array.dtype))


def _describe(header: Any, array: NDArray[Any]) -> None:
    """Make least, greatest and mean value, and the spread, those of the numbers; of NaN nothing is said."""
    numbers = array[np.isfinite(array)].astype(np.float64) if array.dtype.kind == "f" else array
    header["dmin"], header["dmax"] = numbers.min(), numbers.max()
    header["dmean"], header["rms"] = numbers.mean(dtype=np.float64), numbers.std(dtype=np.float64)


def _label(header: Any) -> None:
    """Add a line to the labels; where all are taken, nothing."""
    count = int(header["nlabl"])
    if 0 <= count < len(header["label"]):
        header["label"][count] = _DONE.ljust(_LABEL)
        header["nlabl"] = count + 1


def _resize(header: Any, image: Image) -> None:
    """Make the header true of more, smaller pixels; the cell stays as large as it was."""
    for axis, size in (("x", image.width), ("y", image.height)):
        finer = size / int(header[f"n{axis}"])
        for name in (f"m{axis}", f"n{axis}start"):
            header[name] = round(int(header[name]) * finer)
        header[f"n{axis}"] = size


def _new(image: Image) -> Any:
    """Return the header of a picture, a stack (of T) or a volume from elsewhere."""
    header = np.zeros((), _header_of(bytes(_HEADER), "<").dtype)
    sections = image.n_planes
    volume = image.lead_axes != "T" and sections > 1
    sizes = image.width, image.height, sections
    spacing = image.metadata.get("spacing", {})
    for axis, name, size in zip("XYZ", "xyz", sizes, strict=True):
        header[f"n{name}"], header[f"m{name}"] = size, size if axis != "Z" or volume else 1
        step, unit = spacing.get(axis, (0.0, ""))
        header["cella"][name] = step * _ANGSTROMS.get(unit, 0.0) * int(header[f"m{name}"])
    header["mode"] = _mode(image.array) if image.array.dtype.kind != "b" else 0
    header["cellb"], header["map"], header["machst"] = (90, 90, 90), b"MAP ", (0x44, 0x44, 0, 0)
    header["mapc"], header["mapr"], header["maps"] = 1, 2, 3
    header["ispg"], header["nversion"] = int(volume), _VERSION
    header["label"][0], header["nlabl"] = b"written by untaught".ljust(_LABEL), 1
    return header


def objection(image: Image) -> str | None:
    """Say why MRC cannot hold `image`."""
    if image.array.dtype.name not in _TYPES:
        return f"MRC cannot hold {image.array.dtype} values; write .tif or .npy, or take --output-type float32"
    layout: Layout | None = image.metadata.get("mrc")
    if layout is None and ("S" in image.axes or len(image.lead_axes) > 1):
        return f"MRC holds planes, one after the other, and no axes {image.axes}; write .tif or .npy instead"
    return None


MRC = Format(
    "MRC",
    (".mrc", ".mrcs", ".map", ".ccp4", ".rec", ".st"),
    lambda header: header[208:212] == b"MAP ",
    read,
    write,
    objection,
    Library("mrcfile", "science"),
    packed=True,
)
