"""PNG, 8 and 16 bits, grey or RGB, with or without alpha.

The pixels go through imagecodecs, which keeps 16-bit RGB whole; the chunks around them (profile,
EXIF, resolution, text) are parsed and spliced here.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.image.formats.base import BrokenError, CutOffError, Format, broken_by, flat, flat_objection
from untaught.image.formats.exif import exif_block, exif_orientation
from untaught.image.formats.palette import KEY, MOST, as_pillow
from untaught.image.image import Image
from untaught.image.limits import refuse_to_hold
from untaught.image.reading import WHOLE, Reading

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_AFTER_HEADER = 8 + 25  # the signature, and IHDR, which always comes first and has 13 bytes
_INTERLACE = 28  # where IHDR says 1 for Adam7
_ADAM7 = (  # first column and row, steps between columns and rows, of each pass
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
    *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
)
_MAX_RATIO = 1100  # deflate cannot shrink by more than about 1032
_MAX_UNPACKED = 2**26
_PIECE = 2**20
_SIDES = 2**31
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_LISTED = 3  # the kind of colour that names entries of a list
_COLOUR_SPACE = (b"gAMA", b"cHRM", b"sRGB", b"cICP")
_TEXT = (b"tEXt", b"zTXt", b"iTXt")
_XMP = b"XML:com.adobe.xmp\0"
_XMP_FORM = re.compile(_XMP + rb"([\0\1])\0[^\0]*\0[^\0]*\0")  # whether it is compressed; language, keyword


def read(path: Path, reading: Reading = WHOLE) -> Image:
    """Read a PNG; palettes become RGB(A), a transparent colour becomes alpha, 1 to 4 bits become 8.

    The value of 1-, 2- and 4-bit grey is stretched over 0..255. Animations are refused.
    """
    import imagecodecs

    reading.refuse_others(path, "PNG")
    data = path.read_bytes()
    if len(data) < _AFTER_HEADER:
        raise CutOffError
    width, height, depth, colour, *ways = struct.unpack(">IIBBBBB", data[16:29])
    if depth not in _DEPTHS.get(colour, ()):
        raise BrokenError(f"there is no colour type {colour} of {depth} bits")
    if not (0 < width < _SIDES and 0 < height < _SIDES) or ways not in ([0, 0, 0], [0, 0, 1]):
        raise BrokenError("its header is none")
    refuse_to_hold(path, width * height * max(depth, 8) // 8 * _SAMPLES[colour], reading.memory)
    if width * height * depth * _SAMPLES[colour] / 8 > _MAX_RATIO * len(data):
        raise CutOffError
    chunks = list(_chunks(memoryview(data)))
    if any(kind == b"acTL" for kind, _ in chunks):
        raise InputError(f"{path} is an animation; give one picture of it")
    needed = _needed(chunks, colour, depth)
    if data[_INTERLACE] == 1:
        array = _deinterlaced(needed)
    else:
        _refuse_cut_off(needed, height * (1 + -(-width * depth * _SAMPLES[colour] // 8)))
        with broken_by(imagecodecs.PngError, ValueError):
            array = imagecodecs.png_decode(_SIGNATURE + b"".join(chunk for _, chunk in needed))
    axes = "YX" if array.ndim == 2 else "YXS"
    alpha = array.ndim == 3 and array.shape[-1] in (2, 4)
    listed = _palette(needed, (depth, colour), array)
    metadata = _metadata(chunks) | ({} if listed is None else {KEY: listed})
    return Image.of(array, axes, alpha=alpha, metadata=metadata, source=path.absolute())


def _palette(
    chunks: list[tuple[bytes, memoryview]], kind: tuple[int, int], array: NDArray[Any]
) -> NDArray[np.uint8] | None:
    """Return the colours that a file lists, or black and white of one of 1 bit; None for another."""
    depth, colour = kind
    if (depth, colour) == (1, 0) and array.ndim == 2:
        return np.array([[0], [255]], np.uint8)
    content = {name: bytes(chunk[8:-4]) for name, chunk in chunks if name in (b"PLTE", b"tRNS")}
    if colour != _LISTED or b"PLTE" not in content or array.ndim != 3:
        return None
    colours = np.frombuffer(content[b"PLTE"], np.uint8)[: 3 * MOST].reshape(-1, 3)
    if array.shape[2] == 3:
        return colours
    opacity = np.full((len(colours), 1), 255, np.uint8)
    given = np.frombuffer(content.get(b"tRNS", b""), np.uint8)[: len(colours)]
    opacity[: len(given), 0] = given
    return np.concatenate([colours, opacity], 1)


def _chunks(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Yield (kind, whole chunk) up to IEND, their checksums verified."""
    at, kind = len(_SIGNATURE), b""
    while kind != b"IEND":
        if at + 12 > len(data):
            raise CutOffError
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if end > len(data):
            raise CutOffError
        kind = bytes(data[at + 4 : at + 8])
        if zlib.crc32(data[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            raise BrokenError(f"the checksum of chunk {kind.decode('latin-1')!r} is wrong")
        yield kind, data[at:end]
        at = end


def _needed(chunks: list[tuple[bytes, memoryview]], colour: int, depth: int) -> list[tuple[bytes, memoryview]]:
    """Return the chunks that the pixels need, as they have to be: of others libpng prints warnings.

    Raises
    ------
    BrokenError
        Where there is no palette that the pixels need, or no pixels.
    """
    content = {kind: chunk[8:-4] for kind, chunk in reversed(chunks)}
    palette, opacity = (len(content.get(kind, b"")) for kind in (b"PLTE", b"tRNS"))
    entries = palette // 3
    if colour == _LISTED and (not entries or palette % 3 or entries > 2**depth):
        raise BrokenError("it has no palette")
    fits = {_LISTED: 0 < opacity <= entries, 0: opacity == 2, 2: opacity == 6}
    names = [b"IHDR", *[b"PLTE"] * (colour == _LISTED), *[b"tRNS"] * fits.get(colour, False)]
    pixels = [(kind, chunk) for kind, chunk in chunks if kind == b"IDAT"]
    if not pixels:
        raise CutOffError
    first = {kind: (kind, chunk) for kind, chunk in reversed(chunks)}
    return [*(first[name] for name in names), *pixels, (b"IEND", memoryview(_chunk(b"IEND", b"")))]


def _refuse_cut_off(chunks: list[tuple[bytes, memoryview]], size: int) -> None:
    """Refuse pixels that unpack to another number of bytes than the header tells; none of it is held."""
    unpacker, found = zlib.decompressobj(), 0
    with broken_by(zlib.error):
        for kind, chunk in chunks:
            packed = bytes(chunk[8:-4]) if kind == b"IDAT" else b""
            while packed and found <= size and not unpacker.eof:
                found += len(unpacker.decompress(packed, _PIECE))
                packed = unpacker.unconsumed_tail
    if found < size:
        raise CutOffError
    if found > size:
        raise BrokenError("it has more pixels than its header says")


def _deinterlaced(chunks: list[tuple[bytes, memoryview]]) -> NDArray[Any]:
    """Decode an Adam7 picture: seven small ones, one after the other in the compressed data.

    imagecodecs decodes it too, but makes libpng print a warning on standard error.
    """
    import imagecodecs

    header = bytes(chunks[0][1][8:-4])
    width, height, depth, colour = struct.unpack(">IIBB", header[:10])
    middle = b"".join(chunk for kind, chunk in chunks if kind in (b"PLTE", b"tRNS"))
    packed = b"".join(chunk[8:-4] for kind, chunk in chunks if kind == b"IDAT")
    sizes = [(len(range(x, width, dx)), len(range(y, height, dy))) for x, y, dx, dy in _ADAM7]
    whole = sum(rows * (1 + -(-columns * depth * _SAMPLES[colour] // 8)) for columns, rows in sizes if columns)
    _refuse_cut_off(chunks, whole)
    with broken_by(zlib.error):
        samples, at = zlib.decompressobj().decompress(packed, whole), 0
    array: NDArray[Any] | None = None
    for x, y, dx, dy in _ADAM7:
        columns, rows = len(range(x, width, dx)), len(range(y, height, dy))
        if not columns or not rows:
            continue
        # a row has one byte that names its filter, and then its bits
        end = at + rows * (1 + -(-columns * depth * _SAMPLES[colour] // 8))
        size = struct.pack(">II", columns, rows)
        data = _chunk(b"IDAT", zlib.compress(samples[at:end], 1))
        with broken_by(imagecodecs.PngError, ValueError):
            part = imagecodecs.png_decode(
                _SIGNATURE + _chunk(b"IHDR", size + header[8:12] + b"\x00") + middle + data + _chunk(b"IEND", b"")
            )
        if array is None:
            array = np.empty((height, width, *part.shape[2:]), part.dtype)
        array[y::dy, x::dx] = part
        at = end
    if array is None:
        raise CutOffError
    return array


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def _metadata(chunks: list[tuple[bytes, memoryview]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    kept = []
    for kind, chunk in chunks:
        if kind == b"IDAT":
            continue
        content = bytes(chunk[8:-4])
        if kind == b"iCCP":
            _, _, packed = content.partition(b"\x00")
            found["icc"] = _unpacked(packed[1:])
        elif kind == b"eXIf":
            found["exif"] = content
            orientation = exif_orientation(content)
            if orientation is not None:
                found["orientation"] = orientation
        elif kind == b"pHYs" and len(content) == 9:
            x, y, unit = struct.unpack(">IIB", content)
            if x and y:
                found["resolution"] = (x / 100, y / 100, "cm") if unit == 1 else (float(x), float(y), "none")
        elif kind == b"iTXt" and (xmp := _xmp(content)):
            found["xmp"] = xmp
        elif kind in (*_COLOUR_SPACE, *_TEXT):
            kept.append((kind, content))
    if kept:
        found["png"] = {"chunks": kept}
    return found


def _xmp(text: bytes) -> bytes | None:
    """Return the XMP in an iTXt chunk; None where it is other text, or cannot be unpacked."""
    form = _XMP_FORM.match(text)
    if form is None:
        return None
    try:
        return _unpacked(text[form.end() :]) if form[1] == b"\1" else text[form.end() :]
    except BrokenError:
        return None


def _unpacked(data: bytes) -> bytes:
    with broken_by(zlib.error):
        return zlib.decompressobj().decompress(data, _MAX_UNPACKED)


def write(stream: IO[bytes], image: Image) -> None:
    """Write a PNG; ICC, EXIF, XMP, resolution, colour space and text stay; 1 bit and palettes, where these do."""
    import imagecodecs

    encoded = _with_palette(image) or bytes(imagecodecs.png_encode(flat(image)))
    stream.write(encoded[:_AFTER_HEADER])
    for kind, content in _chunks_to_write(image.metadata):
        stream.write(_chunk(kind, content))
    stream.write(encoded[_AFTER_HEADER:])


def _with_palette(image: Image) -> bytes | None:
    """Return a file with the colours that its source listed; None where these are not enough."""
    listed = as_pillow(image)
    if listed is None:
        return None
    palette, options = image.metadata[KEY], {}
    if palette.shape[1] == 4:
        options["transparency"] = palette[:, 3].tobytes()
    buffer = BytesIO()
    listed.save(buffer, "PNG", **options)
    return buffer.getvalue()


def _chunks_to_write(metadata: dict[str, Any]) -> Iterator[tuple[bytes, bytes]]:
    if "icc" in metadata:
        yield b"iCCP", b"ICC profile\x00\x00" + zlib.compress(metadata["icc"])
    yield from metadata.get("png", {}).get("chunks", ())
    if "xmp" in metadata:
        yield b"iTXt", _XMP + bytes(4) + metadata["xmp"]
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
