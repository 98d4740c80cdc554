"""A look at the headers of a FITS file before astropy parses them, which believes whatever number they say."""

from __future__ import annotations

import re
from math import prod
from typing import IO

from untaught.image.formats.base import BrokenError
from untaught.image.formats.fits_layout import BLOCK

MOST_AXES = 999  # in the standard; astropy asks for the length of each
_CARD, _MOST_BLOCKS = 80, 2**16
_NUMBER = re.compile(rb"(BITPIX|NAXIS|NAXIS\d{1,3}|PCOUNT|GCOUNT) *= *([+-]?\d+) *(?:/|$)")


def refuse_odd_headers(stream: IO[bytes], end: int) -> None:
    """Refuse a file of which a header says more axes than there can be; what else is wrong astropy says.

    Raises
    ------
    BrokenError
        Where one does.
    """
    at = 0
    while 0 <= at < end:
        stream.seek(at)
        numbers, length = _header(stream)
        axes = numbers.get(b"NAXIS", 0)
        if axes > MOST_AXES:
            raise BrokenError(f"a header says that there are {str(axes)[:20]} axes")
        if not length:
            return
        sides = [numbers.get(b"NAXIS%d" % axis, 0) for axis in range(1, axes + 1)]
        values = numbers.get(b"GCOUNT", 1) * (numbers.get(b"PCOUNT", 0) + (prod(sides) if sides else 0))
        size = abs(numbers.get(b"BITPIX", 8)) // 8 * values
        at += length + -(-size // BLOCK) * BLOCK


def _header(stream: IO[bytes]) -> tuple[dict[bytes, int], int]:
    """Return the numbers in a header that say how large its data are, and its length, 0 where it does not end."""
    found: dict[bytes, int] = {}
    for count in range(1, _MOST_BLOCKS):
        block = stream.read(BLOCK)
        for place in range(0, len(block), _CARD):
            card = block[place : place + _CARD]
            if card.rstrip() == b"END":
                return found, count * BLOCK
            number = _NUMBER.match(card)
            if number is not None:
                found.setdefault(number[1], int(number[2]))
        if len(block) < BLOCK:
            break
    return found, 0
