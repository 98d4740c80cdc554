"""PNG, 8 and 16 bits, grey or RGB, with or without alpha.

The pixels go through imagecodecs, which keeps 16-bit RGB whole; the chunks around them (profile,
EXIF, resolution, text) are parsed and spliced here.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from untaught.errors import InputError
from untaught.image import Image, refuse_too_many
from untaught.io._common import (
    CutOffError,
    Format,
    exif_block,
    exif_orientation,
    flat,
    flat_objection,
)

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_AFTER_HEADER = 8 + 25  # the signature, and IHDR, which always comes first and has 13 bytes
_MAX_RATIO = 1100  # deflate cannot shrink by more than about 1032
_MAX_PROFILE = 2**26
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_COLOUR_SPACE = (b"gAMA", b"cHRM", b"sRGB", b"cICP")
_TEXT = (b"tEXt", b"zTXt", b"iTXt")


def read(path: Path) -> Image:
    """Read a PNG; palettes become RGB(A), a transparent colour becomes alpha, 1 to 4 bits become 8.

    The value of 1-, 2- and 4-bit grey is stretched over 0..255. Animations are refused.
    """
    import imagecodecs

    data = path.read_bytes()
    if len(data) < _AFTER_HEADER:
        raise CutOffError
    width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
    refuse_too_many(path, width * height)
    if width * height * depth * _SAMPLES.get(colour, 1) / 8 > _MAX_RATIO * len(data):
        raise CutOffError
    chunks = list(_chunks(data))
    if any(kind == b"acTL" for kind, _ in chunks):
        raise InputError(f"{path} is an animation; give one picture of it")
    array = imagecodecs.png_decode(data)
    axes = "YX" if array.ndim == 2 else "YXS"
    alpha = array.ndim == 3 and array.shape[-1] in (2, 4)
    return Image.of(array, axes, alpha=alpha, metadata=_metadata(chunks), source=path.absolute())


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (kind, content) of every chunk up to IEND."""
    at, kind = len(_SIGNATURE), b""
    while kind != b"IEND":
        if at + 12 > len(data):
            raise CutOffError
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind = data[at + 4 : at + 8]
        if at + 12 + length > len(data):
            raise CutOffError
        yield kind, (b"" if kind == b"IDAT" else data[at + 8 : at + 8 + length])
        at += 12 + length


def _metadata(chunks: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    kept = []
    for kind, content in chunks:
        if kind == b"iCCP":
            _, _, packed = content.partition(b"\x00")
            profile = zlib.decompressobj().decompress(packed[1:], _MAX_PROFILE)
            found["icc"] = profile
        elif kind == b"eXIf":
            found["exif"] = content
            orientation = exif_orientation(content)
            if orientation is not None:
                found["orientation"] = orientation
        elif kind == b"pHYs" and len(content) == 9:
            x, y, unit = struct.unpack(">IIB", content)
            if x and y:
                found["resolution"] = (x / 100, y / 100, "cm") if unit == 1 else (float(x), float(y), "none")
        elif kind in (*_COLOUR_SPACE, *_TEXT):
            kept.append((kind, content))
    if kept:
        found["png"] = {"chunks": kept}
    return found


def write(stream: IO[bytes], image: Image) -> None:
    """Write a PNG; ICC, EXIF, resolution, colour space and text stay, 1-bit pictures become 8-bit."""
    import imagecodecs

    encoded = bytes(imagecodecs.png_encode(flat(image)))
    stream.write(encoded[:_AFTER_HEADER])
    for kind, content in _chunks_to_write(image.metadata):
        stream.write(struct.pack(">I", len(content)) + kind + content)
        stream.write(struct.pack(">I", zlib.crc32(kind + content)))
    stream.write(encoded[_AFTER_HEADER:])


def _chunks_to_write(metadata: dict[str, Any]) -> Iterator[tuple[bytes, bytes]]:
    if "icc" in metadata:
        yield b"iCCP", b"ICC profile\x00\x00" + zlib.compress(metadata["icc"])
    yield from metadata.get("png", {}).get("chunks", ())
    if "resolution" in metadata:
        x, y, unit = metadata["resolution"]
        per_metre = {"cm": 100.0, "inch": 100 / 2.54}.get(unit, 1.0)
        numbers = round(x * per_metre), round(y * per_metre)
        if min(numbers) > 0 and max(numbers) < 2**31:
            yield b"pHYs", struct.pack(">IIB", *numbers, int(unit in ("cm", "inch")))
    exif = exif_block(metadata)
    if exif:
        yield b"eXIf", exif


def objection(image: Image) -> str | None:
    """Say why PNG cannot hold `image`."""
    return flat_objection(image, "PNG", (np.uint8, np.uint16, np.bool_))


PNG = Format(
    "PNG",
    (".png",),
    lambda header: header.startswith(_SIGNATURE),
    read,
    write,
    objection,
)
