"""AVIF, 8, 10 and 12 bits."""

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
    broken_by,
    flat,
    flat_objection,
    pillow,
    pillow_metadata,
)
from untaught.image.formats.exif import exif_block
from untaught.image.image import Image
from untaught.image.orientation import upright
from untaught.image.reading import WHOLE, Reading

_QUALITY = 100
_CONFIGURATION = b"av1C"
_NAMES = {"icc": "colour profile", "exif": "EXIF", "xmp": "XMP"}


def read(path: Path, reading: Reading = WHOLE) -> Image:
    """Read a picture as stored, of more than 8 bits as 16; sequences are refused."""
    import imagecodecs

    reading.refuse_others(path, "AVIF")
    data = path.read_bytes()
    with pillow(data, path, reading.memory) as opened:
        if getattr(opened, "n_frames", 1) > 1:
            raise InputError(f"{path} is an animation; give one picture of it")
        metadata = pillow_metadata(opened.info)
    bits = _bits(data)
    with broken_by(imagecodecs.AvifError, ValueError, RuntimeError):
        array = imagecodecs.avif_decode(data)
    metadata["avif"] = bits
    alpha = array.ndim == 3 and array.shape[-1] in (2, 4)
    axes = "YX" if array.ndim == 2 else "YXS"
    image = Image.of(array, axes, alpha=alpha, metadata=metadata, source=path.absolute())
    lost = [_NAMES[key] for key in _NAMES if key in metadata]
    if bits == 8 or not lost:
        return image
    return replace(
        image, file_notes=(f"an AVIF of {bits} bits is written without its {', '.join(lost)}; .tif keeps it",)
    )


def _bits(data: bytes) -> int:
    """Return the bits of a sample, from the configuration of the codec."""
    at = data.find(_CONFIGURATION)
    if at < 0 or at + 7 > len(data):
        raise CutOffError
    flags = data[at + 6]
    return 12 if flags & 0x20 else 10 if flags & 0x40 else 8


def write(stream: IO[bytes], image: Image) -> None:
    """Write without loss; where there is a profile, EXIF or XMP, 8 bits at the highest quality with these."""
    import imagecodecs
    import PIL.Image

    array = flat(image)
    extra: dict[str, Any] = {"icc_profile": image.metadata.get("icc"), "xmp": image.metadata.get("xmp")}
    extra["exif"] = exif_block(image.metadata)
    extra = {name: value for name, value in extra.items() if value}
    bits = 8 if array.dtype == np.uint8 else max(10, int(image.metadata.get("avif", 12)))
    if bits > 8 or not extra:
        array = flat(upright(image))
        stream.write(imagecodecs.avif_encode(np.minimum(array, 2**bits - 1), level=100, bitspersample=bits))
        return
    if array.ndim == 3 and array.shape[-1] == 2:
        array = array[..., [0, 0, 0, 1]]
    buffer = BytesIO()
    PIL.Image.fromarray(array).save(buffer, "AVIF", quality=_QUALITY, subsampling="4:4:4", **extra)
    stream.write(buffer.getbuffer())


def objection(image: Image) -> str | None:
    """Say why AVIF cannot hold `image`."""
    if image.array.dtype == np.uint16 and int(image.array.max(initial=0)) >= 2**12:
        return "AVIF holds 12 bits at most; write .png or .tif instead"
    return flat_objection(image, "AVIF", (np.uint8, np.uint16, np.bool_))


AVIF = Format(
    "AVIF",
    (".avif",),
    lambda header: header[4:12] in (b"ftypavif", b"ftypavis"),
    read,
    write,
    objection,
)
