"""JPEG, 8 bits, grey or RGB."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np

from untaught.errors import InputError
from untaught.image.formats.base import (
    CutOffError,
    Format,
    dots_per_inch,
    flat,
    flat_objection,
    pillow,
    pillow_metadata,
    pillow_pixels,
)
from untaught.image.formats.exif import EXIF_HEADER, exif_block, exif_orientation
from untaught.image.image import Image
from untaught.image.reading import WHOLE, Reading

_QUALITY = 95
_MAX_SIDE = 65500
_MOST_PIXELS_A_BYTE = 512  # a block of 8 x 8 takes a bit at least
_MAX_EXIF = 65533 - len(EXIF_HEADER)
_MAX_XMP = 65533 - len(b"http://ns.adobe.com/xap/1.0/\0")
_MULTI = b"MPF\0"  # of the index of further pictures
_BEHIND = "further pictures in the file, such as a gain map (HDR) or one of depth, are not in the result"
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, b"\xff\xd9"


def read(path: Path, reading: Reading = WHOLE) -> Image:
    """Read a JPEG as stored: the EXIF orientation is kept as a tag, the pixels are not turned."""
    reading.refuse_others(path, "JPEG")
    data = path.read_bytes()
    with pillow(data, path, reading.memory) as opened:
        if opened.mode not in ("L", "RGB"):
            raise InputError(f"{path} is a {opened.mode} JPEG; convert it to RGB first")
        too_short = opened.width * opened.height > _MOST_PIXELS_A_BYTE * len(data)
        if too_short or data.find(_END_OF_IMAGE, _first_scan(data)) < 0:
            raise CutOffError
        array = pillow_pixels(opened)
        metadata = pillow_metadata(opened.info)
    axes = "YX" if array.ndim == 2 else "YXS"
    image = Image.of(array, axes, metadata=metadata, source=path.absolute())
    return replace(image, file_notes=(_BEHIND,)) if _MULTI in data[: _first_scan(data)] else image


def _first_scan(data: bytes) -> int:
    """Return where the compressed picture starts: no end marker after it means a cut-off file."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        if data[at + 1] == 0xFF:  # a filling byte
            at += 1
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1] == _START_OF_SCAN:
            return at + 2 + length
        at += 2 + length
    raise CutOffError


def write(stream: IO[bytes], image: Image) -> None:
    """Write at quality 95 without chroma subsampling; ICC, EXIF, XMP, resolution and comment stay.

    EXIF that is too large for its segment is left out but for the orientation, and so is XMP.
    """
    import PIL.Image

    extra: dict[str, Any] = {}
    exif = exif_block(image.metadata)
    if exif and len(exif) > _MAX_EXIF:
        exif = exif_block({"orientation": exif_orientation(exif) or 1})
    if exif:
        extra["exif"] = EXIF_HEADER + exif
    dpi = dots_per_inch(image.metadata)
    if dpi and min(dpi) >= 1 and max(dpi) < 2**16:
        extra["dpi"] = (round(dpi[0]), round(dpi[1]))
    for key, name in (("icc", "icc_profile"), ("xmp", "xmp"), ("comment", "comment")):
        if key in image.metadata and not (key == "xmp" and len(image.metadata[key]) > _MAX_XMP):
            extra[name] = image.metadata[key]
    buffer = BytesIO()
    picture = PIL.Image.fromarray(flat(image))
    # not optimize=True: Pillow then holds the file in a buffer that noise at 4:4:4 overflows
    picture.save(buffer, "JPEG", quality=_QUALITY, subsampling=0, **extra)
    stream.write(buffer.getbuffer())


def objection(image: Image) -> str | None:
    """Say why JPEG cannot hold `image`."""
    if image.alpha:
        return "JPEG cannot hold transparency; write .png or .tif instead"
    if max(image.height, image.width) > _MAX_SIDE:
        return f"JPEG ends at {_MAX_SIDE} pixels a side; write .png or .tif instead"
    return flat_objection(image, "JPEG", (np.uint8,))


JPEG = Format(
    "JPEG",
    (".jpg", ".jpeg"),
    lambda header: header.startswith(b"\xff\xd8\xff"),
    read,
    write,
    objection,
)


COARSE = 10.0  # grey levels; the libraries' tables are this coarse below a quality of about 60
MAGIC = b"\xff\xd8\xff"
LOWEST = 3  # cosines down and across whose steps are looked at: what blocks and ripples are made of


def compression_notes(picture: Image) -> tuple[str, ...]:
    """Return a note about what to do if a picture was read from a JPEG file with coarse steps; else nothing."""
    source = picture.source
    step = None if source is None else mean_step(source)
    if source is None or step is None or step < COARSE:
        return ()
    said = f"this JPEG was strongly compressed, its brightness rounded in steps of {step:.0f} grey levels"
    if not dejpegs(source):
        return (f"{said}, and its colours are stored in a way that 'untaught dejpeg' does not take",)
    return (f"{said}; 'untaught dejpeg' takes blocks and ripples out",)


def dejpegs(path: Path) -> bool:
    """Say whether `dejpeg` takes a JPEG: grey, or colours at the whole or half of the resolution."""
    import PIL.Image

    try:
        with PIL.Image.open(path, formats=("JPEG",)) as opened:
            layers = opened.layer  # type: ignore[attr-defined]
            factors = [(layers[0][1] / layer[1], layers[0][2] / layer[2]) for layer in layers]
            mixed = opened.mode == "L" or opened.info.get("adobe_transform") != 0
            return opened.mode in ("L", "RGB") and mixed and all(a == d and a in (1, 2) for a, d in factors)
    except (OSError, AttributeError, LookupError, ValueError):  # not there any more, or of another kind
        return False


def mean_step(path: Path) -> float | None:
    """Return the mean step of the lowest cosines of brightness, in grey levels; None for another file."""
    import PIL.Image

    try:
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                return None
            file.seek(0)
            with PIL.Image.open(file, formats=("JPEG",)) as opened:
                table = opened.quantization[opened.layer[0][3]]  # type: ignore[attr-defined]
    except (OSError, AttributeError, LookupError, ValueError):  # not there any more, or a kind without tables
        return None
    return float(np.mean(np.reshape(table, (8, 8))[:LOWEST, :LOWEST]))
