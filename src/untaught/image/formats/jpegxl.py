"""JPEG XL: 8 and 16 bits and floats, written without loss; EXIF and XMP stay."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from untaught.errors import InputError
from untaught.image.formats.base import CutOffError, Format, broken_by, flat, flat_objection
from untaught.image.formats.boxes import box, boxes
from untaught.image.formats.exif import exif_block, turned_block
from untaught.image.image import Image
from untaught.image.limits import refuse_to_hold
from untaught.image.orientation import UPRIGHT, upright
from untaught.image.reading import WHOLE, Reading

_CODE, _BOXED = b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"
_TYPE = box(b"ftyp", b"jxl \0\0\0\0jxl ")
_SIZES = (9, 13, 18, 30)  # bits that a side may take
_RATIOS = ((1, 1), (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_NOTE = "a colour profile inside a JPEG XL file is not read, and is not in the result"
_PACKED = "its EXIF or XMP is packed by Brotli, which is not read, and is not in the result"


def read(path: Path, reading: Reading = WHOLE) -> Image:
    """Read a picture turned as it is to be shown; several frames are refused."""
    import imagecodecs

    reading.refuse_others(path, "JPEG XL")
    data = path.read_bytes()
    code, metadata, notes = _parts(data)
    width, height, plain = _header(code)
    refuse_to_hold(path, height * width, reading.memory)
    with broken_by(imagecodecs.JpegxlError, ValueError, RuntimeError):
        array = imagecodecs.jpegxl_decode(data)
    if array.ndim > 2 + (array.shape[-1] <= 4):
        raise InputError(f"{path} is an animation; give one picture of it")
    alpha = array.ndim == 3 and array.shape[-1] in (2, 4)
    axes = "YX" if array.ndim == 2 else "YXS"
    image = Image.of(array, axes, alpha=alpha, metadata=metadata, source=path.absolute())
    return replace(image, file_notes=notes + (() if plain else (_NOTE,)))


def _parts(data: bytes) -> tuple[bytes, dict[str, Any], tuple[str, ...]]:
    """Return the compressed picture, EXIF and XMP, and what to say of what is packed."""
    if data.startswith(_CODE):
        return data, {}, ()
    code, found, packed = b"", dict[str, Any](), False
    for name, start, end in boxes(data):
        if name == b"jxlc":
            code = data[start:end]
        elif name == b"jxlp":
            code += data[start + 4 : end]
        elif name == b"Exif":  # the decoder turns the picture, so that it is upright
            block = data[start + 4 + int.from_bytes(data[start : start + 4], "big") : end]
            found["exif"] = turned_block(block, UPRIGHT)
        elif name == b"xml ":
            found["xmp"] = data[start:end]
        packed |= name == b"brob"
    if not code:
        raise CutOffError
    return code, found, (_PACKED,) if packed else ()


def _header(code: bytes) -> tuple[int, int, bool]:
    """Return width and height, and whether the picture is of 8 bits in the usual colours (sRGB)."""
    if len(code) < 16:
        raise CutOffError
    bits, at = int.from_bytes(code[2:16], "little"), 0

    def take(count: int) -> int:
        nonlocal at
        at += count
        return bits >> (at - count) & ((1 << count) - 1)

    def side(small: bool) -> int:
        return 8 * (take(5) + 1) if small else take(_SIZES[take(2)]) + 1

    small = bool(take(1))
    height, ratio = side(small), take(3)
    width = side(small) if ratio == 0 else height * _RATIOS[ratio][0] // _RATIOS[ratio][1]
    return width, height, bool(take(1))


def write(stream: IO[bytes], image: Image) -> None:
    """Write without loss, upright: what EXIF says of that counts for nothing here."""
    import imagecodecs

    image = upright(image)
    array = image.samples_last(image.array)
    array = array.reshape(image.height, image.width, -1) if array.dtype.kind == "f" else flat(image)
    array = array[..., 0] if array.ndim == 3 and array.shape[-1] == 1 else array
    code = bytes(imagecodecs.jpegxl_encode(np.ascontiguousarray(array), lossless=True, usecontainer=False))
    exif = exif_block(image.metadata)
    exif = None if exif is None else turned_block(exif, UPRIGHT)
    boxed = b"" if exif is None else box(b"Exif", bytes(4) + exif)
    if "xmp" in image.metadata:
        boxed += box(b"xml ", image.metadata["xmp"])
    stream.write(_BOXED + _TYPE + boxed + box(b"jxlc", code) if boxed else code)


def objection(image: Image) -> str | None:
    """Say why JPEG XL cannot hold `image`."""
    return flat_objection(image, "JPEG XL", (np.uint8, np.uint16, np.float16, np.float32, np.bool_))


JPEGXL = Format("JPEG XL", (".jxl",), lambda header: header.startswith((_CODE, _BOXED)), read, write, objection)
