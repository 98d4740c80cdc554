"""EXIF: directories of tags, as one block in PNG, JPEG and WebP, and hung on the first page of a TIFF.

A block is a TIFF without pixels: 8 bytes that say the byte order and where the first directory lies, and then
the directories. Values are carried as they are stored, so that tags nobody here knows are not lost.
"""

from __future__ import annotations

import struct
from collections.abc import Container
from dataclasses import dataclass
from io import BytesIO
from typing import IO, Any

EXIF_HEADER = b"Exif\x00\x00"
DESCRIPTION, ORIENTATION = 270, 274
EXIF_IFD, GPS_IFD, INTEROPERABILITY_IFD = DIRECTORIES = 34665, 34853, 40965
TEXTS = (271, 272, 305, 306, 315, 33432)  # maker, model, software, date, artist, copyright
_SHORT, _LONG, _LONG8 = 3, 4, 16
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}

Directory = dict[int, Any]
"""Code of a tag to (type, count, bytes as stored), or to the directory it leads to."""


@dataclass(frozen=True)
class Form:
    """How a file stores its numbers: `byteorder` is "<" or ">"; a BigTIFF has 8 bytes for each place in it."""

    byteorder: str
    big: bool = False

    @property
    def count(self) -> str:
        """How many tags follow, as `struct` writes it."""
        return "Q" if self.big else "H"

    @property
    def entry(self) -> str:
        """Code, type, count, and the value, or where it lies."""
        return "HHQ8s" if self.big else "HHI4s"

    @property
    def place(self) -> str:
        """Where something lies in the file."""
        return "Q" if self.big else "I"

    def size(self, letters: str) -> int:
        """Return how many bytes `letters` take."""
        return struct.calcsize("<" + letters)

    def pack(self, letters: str, *values: int | bytes) -> bytes:
        """Return `values` as bytes."""
        return struct.pack(self.byteorder + letters, *values)

    def unpack(self, letters: str, data: bytes) -> tuple[Any, ...]:
        """Return what `pack` packed; `struct.error` where `data` is of another length."""
        return struct.unpack(self.byteorder + letters, data)

    def number(self, data: bytes) -> int:
        """Return the whole number that is stored in 2, 4 or 8 bytes."""
        return int.from_bytes(data, "little" if self.byteorder == "<" else "big")


def read_directory(
    stream: IO[bytes], at: int, form: Form, codes: Container[int] | None = None, depth: int = 2
) -> Directory:
    """Read the directory at `at`, and, down to a depth, those it leads to; of itself only the tags in `codes`.

    Raises
    ------
    ValueError
        Where it reaches beyond the end of the file.
    """
    end = stream.seek(0, 2)

    def read(where: int, size: int) -> bytes:
        if where + size > end:
            raise ValueError("a directory reaches beyond the end of the file")
        stream.seek(where)
        return stream.read(size)

    each, head, found = form.size(form.entry), form.size(form.count), Directory()
    count = form.number(read(at, head))
    table = read(at + head, count * each)
    for start in range(0, len(table), each):
        code, kind, count, field = form.unpack(form.entry, table[start : start + each])
        if (codes is not None and code not in codes) or kind not in _SIZES:
            continue
        length = count * _SIZES[kind]
        inside = length <= len(field)
        if code not in DIRECTORIES:
            found[code] = kind, count, field[:length] if inside else read(form.number(field), length)
        elif depth and inside:
            found[code] = read_directory(stream, form.number(field[:length]), form, None, depth - 1)
    return found


def pack_directory(directory: Directory, at: int, form: Form) -> bytes:
    """Return a directory as it is stored at the place `at` of a file, what it leads to behind it."""
    width = form.size(form.place)
    table, rest = form.pack(form.count, len(directory)), b""
    behind = at + len(table) + len(directory) * form.size(form.entry) + width
    for code in sorted(directory):
        place = behind + len(rest)
        if isinstance(directory[code], dict):
            table += _link(code, place, form)
            rest += pack_directory(directory[code], place, form)
            continue
        kind, count, stored = directory[code]
        fits = len(stored) <= width
        table += form.pack(form.entry, code, kind, count, stored if fits else form.pack(form.place, place))
        rest += b"" if fits else stored + bytes(len(stored) % 2)
    return table + bytes(width) + rest


def _link(code: int, place: int, form: Form) -> bytes:
    return form.pack(form.entry, code, _LONG8 if form.big else _LONG, 1, form.pack(form.place, place))


def hang(stream: IO[bytes], directory: Directory) -> None:
    """Hang directories on the first page of the TIFF in `stream`: its tags are listed anew, at the end."""
    stream.seek(0)
    header = stream.read(16)
    order = byteorder_of(header)
    form = Form(order, header[2:4] == struct.pack(order + "H", 43))
    width, each = form.size(form.place), form.size(form.entry)
    stream.seek(form.number(header[width : 2 * width]))
    count = form.number(stream.read(form.size(form.count)))
    entries = [stream.read(each) for _ in range(count)]
    following = stream.read(width)
    at = stream.seek(0, 2)
    at += stream.write(bytes(at % 2))
    for code, inner in directory.items():
        entries.append(_link(code, at, form))
        at += stream.write(pack_directory(inner, at, form))
    entries.sort(key=lambda entry: form.number(entry[:2]))
    stream.write(form.pack(form.count, len(entries)) + b"".join(entries) + following)
    stream.seek(width)
    stream.write(form.pack(form.place, at))
    stream.seek(0, 2)


def block_of(directory: Directory, byteorder: str) -> bytes:
    """Return the EXIF block of a directory."""
    form = Form(byteorder)
    mark = b"II" if byteorder == "<" else b"MM"
    return mark + form.pack("HI", 42, 8) + pack_directory(directory, 8, form)


def byteorder_of(block: bytes) -> str:
    """Return "<" or ">", the order of the bytes of numbers in an EXIF block."""
    return ">" if block[:2] == b"MM" else "<"


def directory_of(block: bytes) -> Directory:
    """Return the directory in an EXIF block; an empty one where it cannot be read."""
    form = Form(byteorder_of(block))
    try:
        magic, at = form.unpack("HI", block[2:8])
        return read_directory(BytesIO(block), at, form) if magic == 42 else {}
    except (ValueError, struct.error):
        return {}


def exif_orientation(block: bytes) -> int | None:
    """Return the orientation 1..8 in an EXIF block; None where it has none or cannot be read."""
    kind, count, stored = directory_of(block).get(ORIENTATION, (0, 0, b""))
    if (kind, count) != (_SHORT, 1):
        return None
    value = Form(byteorder_of(block)).number(stored)
    return value if 1 <= value <= 8 else None


def turned_block(block: bytes, orientation: int) -> bytes:
    """Return an EXIF block with another orientation; as it is, where it has none or cannot be read."""
    if exif_orientation(block) is None:
        return block
    order = byteorder_of(block)
    changed = {**directory_of(block), ORIENTATION: (_SHORT, 1, struct.pack(order + "H", orientation))}
    return block_of(changed, order)


def exif_block(metadata: dict[str, Any]) -> bytes | None:
    """Return the EXIF block to write; one made for the orientation where there is nothing else."""
    if "exif" in metadata:
        return bytes(metadata["exif"])
    if metadata.get("orientation", 1) == 1:
        return None
    return block_of({ORIENTATION: (_SHORT, 1, struct.pack("<H", metadata["orientation"]))}, "<")
