"""OME-XML of a file that is written: where its pictures lie."""

from __future__ import annotations

import re
from math import prod

from untaught.image.formats.tiff_layout import Layout

_IMAGE = re.compile(rb"<((?:\w+:)?)Image\b.*?</\1Image\s*>", flags=re.DOTALL)
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
