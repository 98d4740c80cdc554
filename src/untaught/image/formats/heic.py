"""HEIC and HEIF, read only: the one library that writes them would bring an encoder under another licence."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from untaught.image.formats.base import ANYTHING, BrokenError, Format, Library, broken_by, no_objection
from untaught.image.formats.boxes import boxes
from untaught.image.formats.exif import EXIF_HEADER
from untaught.image.image import Image
from untaught.image.limits import refuse_to_hold
from untaught.image.reading import WHOLE, Reading

_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_GAIN_MAP = "hdrgainmap"


def read(path: Path, reading: Reading = WHOLE) -> Image:
    """Read the main picture, or the one that is asked for, turned as it is to be shown; 10 bits become 16."""
    import pillow_heif

    data = path.read_bytes()
    deque(boxes(data), 0)  # the library reads what is cut off as far as that goes
    with broken_by(*ANYTHING):
        held = pillow_heif.open_heif(data, convert_hdr_to_8bit=False)
        count, main = len(held), held.primary_index
        if not count:
            raise BrokenError("it holds no picture")
    asked = reading.refuse_pages(path, "HEIC", count)
    with broken_by(*ANYTHING):
        one = held[asked if asked >= 0 else main]
    refuse_to_hold(path, 3 * prod(one.size), reading.memory)
    with broken_by(*ANYTHING):
        array = np.array(one)
    bits = int(one.info.get("bit_depth", 8))
    if array.dtype == np.uint16:
        array = array >> (16 - bits)
    alpha = "A" in one.mode
    axes = "YX" if array.ndim == 2 else "YXS"
    image = Image.of(np.ascontiguousarray(array), axes, alpha=alpha, metadata=_metadata(one.info),
                     source=path.absolute())  # fmt: skip
    return replace(image, file_notes=_notes(one.info, count, asked))


def _metadata(info: dict[str, Any]) -> dict[str, Any]:
    from pillow_heif import set_orientation

    info = dict(info)
    set_orientation(info)  # the decoder has turned the picture
    found = {name: bytes(info[key]) for key, name in (("icc_profile", "icc"), ("xmp", "xmp")) if info.get(key)}
    if info.get("exif"):
        found["exif"] = bytes(info["exif"]).removeprefix(EXIF_HEADER)
    return found


def _notes(info: dict[str, Any], count: int, asked: int) -> tuple[str, ...]:
    notes = []
    if count > 1:
        which = "the main one is" if asked < 0 else f"number {asked} is"
        notes.append(f"the file holds {count} pictures, of which {which} restored; '--series N' takes another")
    left = [
        word for key, word in (("depth_images", "a map of depth"), ("thumbnails", "thumbnails")) if info.get(key)
    ]
    if any(_GAIN_MAP in str(name) for name in info.get("aux") or ()):
        left.append("a gain map")
    if left:
        notes.append(f"{' and '.join(left)} in the file {'are' if len(left) > 1 else 'is'} not in the result")
    return tuple(notes)


HEIC = Format(
    "HEIC",
    (".heic", ".heif", ".hif"),
    lambda header: header[4:8] == b"ftyp" and header[8:12] in _BRANDS,
    read,
    None,
    no_objection,
    Library("pillow_heif", "photo"),
)
