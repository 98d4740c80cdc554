"""JPEG 2000, 1 to 16 bits, written without loss; profile, EXIF and XMP stay.

References
----------
ISO/IEC 15444-1: annex A (SIZ) and annex I (the boxes of a JP2 file).
"""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import numpy as np

from untaught.errors import InputError
from untaught.image.formats.base import BrokenError, CutOffError, Format, broken_by, flat, flat_objection
from untaught.image.formats.boxes import box, boxes
from untaught.image.formats.exif import exif_block, exif_orientation
from untaught.image.image import Image
from untaught.image.limits import refuse_to_hold
from untaught.image.reading import WHOLE, Reading

_JP2, _CODE = b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"
_END = b"\xff\xd9"
_EXIF, _XMP = b"JpgTiffExif->JP2", bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_CMYK = 12
_ICC = b"\x02\0\0"  # restricted; in JP2 there is no other kind


def read(path: Path, reading: Reading = WHOLE) -> Image:
    """Read the values as they are stored, the lowest bit the lowest, signed ones too."""
    import imagecodecs

    reading.refuse_others(path, "JPEG 2000")
    data = path.read_bytes()
    code = _codestream(data)
    at = data.find(_CODE, code[0])
    if at < 0 or len(data) < at + 42:
        raise CutOffError
    right, lower, left, upper = (int.from_bytes(data[k : k + 4], "big") for k in range(at + 8, at + 24, 4))
    refuse_to_hold(path, (lower - upper) * (right - left), reading.memory)
    if not data[code[0] : code[1]].rstrip(b"\0").endswith(_END):
        raise CutOffError
    metadata = _metadata(path, data)
    metadata["jpeg2000"] = (data[at + 42] & 0x7F) + 1 if len(data) > at + 42 else 8
    with broken_by(imagecodecs.Jpeg2kError, ValueError, RuntimeError):
        array = imagecodecs.jpeg2k_decode(data)
    if array.ndim > 3:
        raise BrokenError("it has more axes than a picture")
    alpha = array.ndim == 3 and array.shape[-1] in (2, 4)
    axes = "YX" if array.ndim == 2 else "YXS"
    return Image.of(array, axes, alpha=alpha, metadata=metadata, source=path.absolute())


def _codestream(data: bytes) -> tuple[int, int]:
    """Return where the compressed picture starts and ends."""
    if data.startswith(_CODE):
        return 0, len(data)
    for name, start, end in boxes(data):
        if name == b"jp2c":
            return start, end
    raise CutOffError


def _metadata(path: Path, data: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if data.startswith(_CODE):
        return found
    for name, start, end in boxes(data):
        content = data[start:end]
        if name == b"jp2h":
            for inner, first, last in boxes(data, start, end):
                if (
                    inner == b"colr"
                    and data[first] == 1
                    and int.from_bytes(data[first + 3 : first + 7], "big") == _CMYK
                ):
                    raise InputError(f"{path} is a CMYK picture; convert it to RGB first")
                if inner == b"colr" and data[first] == 2:
                    found["icc"] = data[first + 3 : last]
        elif name == b"uuid" and content.startswith(_EXIF):
            found["exif"] = content[len(_EXIF) :]
            found |= {"orientation": turn} if (turn := exif_orientation(found["exif"])) else {}
        elif name == b"uuid" and content.startswith(_XMP):
            found["xmp"] = content[len(_XMP) :]
    return found


def write(stream: IO[bytes], image: Image) -> None:
    """Write a JP2 without loss, in as many bits as it had."""
    import imagecodecs

    array = flat(image)
    bits = int(image.metadata.get("jpeg2000", 0))
    full = 8 * array.dtype.itemsize
    bits = bits if full // 2 < bits < full and image.array.dtype.kind == "u" else full
    array = np.minimum(array, 2**bits - 1).astype(array.dtype)
    data = bytes(imagecodecs.jpeg2k_encode(array, codecformat="JP2", level=0, reversible=True, bitspersample=bits))
    exif = exif_block(image.metadata)
    behind = b"" if exif is None else box(b"uuid", _EXIF + exif)
    if "xmp" in image.metadata:
        behind += box(b"uuid", _XMP + image.metadata["xmp"])
    at = 0
    for name, start, end in boxes(data):
        if name == b"jp2h" and "icc" in image.metadata:
            stream.write(box(name, _with_profile(data, start, end, image.metadata["icc"])))
        else:
            stream.write(data[at:end])
        if name == b"jp2h":
            stream.write(behind)
        at = end


def _with_profile(data: bytes, start: int, end: int, icc: bytes) -> bytes:
    """Return the header boxes with a profile in place of the named colour space."""
    kept = [(name, data[first:last]) for name, first, last in boxes(data, start, end)]
    return b"".join(box(name, _ICC + icc if name == b"colr" else content) for name, content in kept)


def objection(image: Image) -> str | None:
    """Say why JPEG 2000 cannot hold `image`."""
    return flat_objection(image, "JPEG 2000", (np.uint8, np.uint16, np.bool_))


JPEG2000 = Format(
    "JPEG 2000",
    (".jp2", ".j2k", ".jpf", ".jpx"),
    lambda header: header.startswith((_JP2, _CODE)),
    read,
    write,
    objection,
)
