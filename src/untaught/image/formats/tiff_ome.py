"""OME-XML of a file that is written: where its pictures lie."""

from __future__ import annotations

import re
from hashlib import sha256
from math import prod
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

import numpy as np

from untaught.image.formats.tiff_layout import Layout
from untaught.image.image import Image

_LENGTHS = {"A": "\u212b", "nm": "nm", "um": "\u00b5m", "mm": "mm", "m": "m"}
_TIMES = {"us": "\u00b5s", "ms": "ms", "s": "s"}
_IMAGE = re.compile(rb"<((?:\w+:)?)Image\b.*?</\1Image\s*>", flags=re.DOTALL)
_ATTRIBUTE = re.compile(rb"\b([A-Za-z]+)\s*=\s*([\"'])(.*?)\2")
_PIXELS = re.compile(rb"<(?:\w+:)?Pixels\b[^>]*>")
_TIFF_DATA = re.compile(rb"<((?:\w+:)?)TiffData\b[^>]*?(?:/>|>.*?</\1TiffData\s*>)", flags=re.DOTALL)


def ome_xml(layout: Layout) -> bytes | None:
    """Return the OME-XML that was read, made true of the file that is written; None where that cannot be done.

    The pages of a picture follow each other in the order of its dimensions, wherever the file that was read,
    or its companions, had them: first those of the main picture, then those of the others. What is not
    written is not described.
    """
    if layout.description is None:
        return None
    xml, pictures = layout.description, list(_IMAGE.finditer(layout.description))
    index, count = layout.image
    if len(pictures) != count:
        return None
    at = prod(size for size, axis in zip(layout.shape, layout.axes, strict=True) if axis not in "YXS")
    pages = {index: (0, at)}
    for other in layout.others:
        pages[other.index] = at, other.pages
        at += other.pages
    written = b"".join(_placed(pictures[k][0], *pages[k]) for k in sorted(pages))
    xml = xml[: pictures[0].start()] + written + xml[pictures[-1].end() :]
    endian = b'BigEndian="%s"' % (b"true" if layout.byteorder == ">" else b"false")
    return re.sub(rb'\bBigEndian="\w+"', endian, xml)


def is_ome(image: Image, axes: str) -> bool:
    """Tell whether a picture from elsewhere has what OME-XML alone can say: steps in units, names of channels."""
    known = bool(image.metadata.get("spacing")) or bool(image.metadata.get("channels"))
    order = "".join(axis for axis in axes if axis not in "YXS")
    return known and set(order) <= set("TZC") and axes.endswith(("YX", "YXS"))


def ome_of(image: Image) -> dict[str, Any]:
    """Return steps and names of channels as tifffile is told them."""
    found: dict[str, Any] = {"UUID": f"urn:uuid:{_uuid(image)}"}
    for axis, (step, unit) in image.metadata.get("spacing", {}).items():
        if axis in "XYZ" and unit in _LENGTHS:
            found |= {f"PhysicalSize{axis}": step, f"PhysicalSize{axis}Unit": _LENGTHS[unit]}
        elif axis == "T" and unit in _TIMES:
            found |= {"TimeIncrement": step, "TimeIncrementUnit": _TIMES[unit]}
    names = image.metadata.get("channels", ())
    if names and len(names) == image.size("C"):
        found["Channel"] = {"Name": list(names)}
    return found


def _uuid(image: Image) -> UUID:
    """Return a number for the file that follows from what is in it, so that the same result is the same file."""
    return uuid5(NAMESPACE_OID, sha256(np.ascontiguousarray(image.array).data).hexdigest())


def spacing_of(xml: bytes, index: int) -> dict[str, tuple[float, str]]:
    """Return the steps of the axes of a picture in OME-XML, as far as they are said in units that are known."""
    pictures = list(_PIXELS.finditer(xml))
    if not 0 <= index < len(pictures):
        return {}
    said = {
        name.decode(): value.decode(errors="replace") for name, _, value in _ATTRIBUTE.findall(pictures[index][0])
    }
    named = [(axis, f"PhysicalSize{axis}", "\u00b5m", _LENGTHS) for axis in "ZYX"]
    found = {}
    for axis, name, usual, units in [("T", "TimeIncrement", "s", _TIMES), *named]:
        unit = {long: short for short, long in units.items()}.get(said.get(f"{name}Unit", usual))
        try:
            step = float(said.get(name, 0))
        except ValueError:
            continue
        if unit is not None and step > 0:
            found[axis] = step, unit
    return found


def _placed(picture: bytes, first: int, count: int) -> bytes:
    """Say where the pages of a picture are, in place of all that was said of it."""
    blocks = iter((True,))

    def replace(match: re.Match[bytes]) -> bytes:
        if not next(blocks, False):
            return b""
        return b'<%sTiffData IFD="%d" PlaneCount="%d"/>' % (match[1], first, count)

    return _TIFF_DATA.sub(replace, picture)


def retyped_xml(layout: Layout, kind: str) -> bytes | None:
    """Return the OME-XML with the main picture's type of pixels, such as "float", in place of what it was."""
    if layout.description is None:
        return None
    pictures = list(_IMAGE.finditer(layout.description))
    index, count = layout.image
    if len(pictures) != count:
        return layout.description
    main = pictures[index]

    def retyped(match: re.Match[bytes]) -> bytes:
        bare = re.sub(rb"\s+SignificantBits=([\"']).*?\1", b"", match[0])
        return re.sub(rb"(\sType=)([\"']).*?\2", rb"\1\2" + kind.encode() + rb"\2", bare)

    changed = _PIXELS.sub(retyped, main[0], count=1)
    return layout.description[: main.start()] + changed + layout.description[main.end() :]
