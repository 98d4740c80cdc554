"""Boxes, what JPEG 2000 and JPEG XL files are made of: a length, a name and a content, one after the other."""

from __future__ import annotations

from collections.abc import Iterator

from untaught.image.formats.base import CutOffError


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name of each box, and where its content starts and ends.

    Raises
    ------
    CutOffError
        Where one is longer than the data.
    """
    at, end = start, len(data) if end is None else end
    while at + 8 <= end:
        length, name, head = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], 8
        if length == 1:
            length, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        after = end if length == 0 else at + length
        if after > end or after < at + head:
            raise CutOffError
        yield name, at + head, after
        at = after


def box(name: bytes, content: bytes) -> bytes:
    """Return a box as it is stored."""
    return (8 + len(content)).to_bytes(4, "big") + name + content
