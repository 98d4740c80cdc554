"""WebP, 8 bits, RGB or RGBA, written lossless."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np

from untaught.errors import InputError
from untaught.image.formats.base import (
    CutOffError,
    Format,
    flat,
    flat_objection,
    pillow,
    pillow_metadata,
    pillow_pixels,
)
from untaught.image.formats.exif import exif_block
from untaught.image.image import Image
from untaught.image.reading import WHOLE, Reading

_MAX_SIDE = 16383


def read(path: Path, reading: Reading = WHOLE) -> Image:
    """Read a WebP picture as RGB or RGBA; the format knows no grey. Animations are refused."""
    reading.refuse_others(path, "WebP")
    data = path.read_bytes()
    if len(data) < 16 or len(data) < 8 + int.from_bytes(data[4:8], "little"):
        raise CutOffError
    with pillow(data, path, reading.memory) as opened:
        if getattr(opened, "n_frames", 1) > 1:
            raise InputError(f"{path} is an animation; give one picture of it")
        metadata = pillow_metadata(opened.info)
        array = pillow_pixels(opened)
    return Image.of(array, "YXS", alpha=array.shape[-1] == 4, metadata=metadata, source=path.absolute())


def write(stream: IO[bytes], image: Image) -> None:
    """Write lossless, colours under full transparency too; grey is written as RGB of equal values."""
    import PIL.Image

    array = flat(image)
    if array.ndim == 2:
        array = np.repeat(array[..., None], 3, axis=-1)
    elif array.shape[-1] == 2:
        array = array[..., [0, 0, 0, 1]]
    extra: dict[str, Any] = {}
    exif = exif_block(image.metadata)
    if exif:
        extra["exif"] = exif
    for key, name in (("icc", "icc_profile"), ("xmp", "xmp")):
        if key in image.metadata:
            extra[name] = image.metadata[key]
    buffer = BytesIO()
    PIL.Image.fromarray(array).save(buffer, "WEBP", lossless=True, exact=True, **extra)
    stream.write(buffer.getbuffer())


def objection(image: Image) -> str | None:
    """Say why WebP cannot hold `image`."""
    if max(image.height, image.width) > _MAX_SIDE:
        return f"WebP ends at {_MAX_SIDE} pixels a side; write .png or .tif instead"
    return flat_objection(image, "WebP", (np.uint8, np.bool_))


WEBP = Format(
    "WebP",
    (".webp",),
    lambda header: header[:4] == b"RIFF" and header[8:12] == b"WEBP",
    read,
    write,
    objection,
)
