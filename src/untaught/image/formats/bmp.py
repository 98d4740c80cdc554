"""BMP, 8 bits, grey or RGB."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np

from untaught.image.formats.base import (
    PILLOW_ERRORS,
    Format,
    broken_by,
    dots_per_inch,
    flat,
    flat_objection,
    pillow,
    pillow_metadata,
)
from untaught.image.formats.palette import KEY, MOST, as_pillow
from untaught.image.image import Image
from untaught.image.reading import WHOLE, Reading

_MAX_SIDE = 32767


def read(path: Path, reading: Reading = WHOLE) -> Image:
    """Read a BMP; palettes become RGB, or grey where all their colours are, and 1 bit becomes 8."""
    reading.refuse_others(path, "BMP")
    with pillow(path.read_bytes(), path, reading.memory) as opened:
        metadata = pillow_metadata({key: value for key, value in opened.info.items() if key == "dpi"})
        with broken_by(*PILLOW_ERRORS):
            wanted = {"1": "L", "P": "RGB"}.get(opened.mode, opened.mode)
            listed = opened.getpalette("RGB") if opened.mode == "P" else None
            array = np.array(opened.convert(wanted))
    if listed:
        metadata[KEY] = np.array(listed, np.uint8)[: 3 * MOST].reshape(-1, 3)
    elif wanted == "L" and opened.mode == "1":
        metadata[KEY] = np.array([[0], [255]], np.uint8)
    axes = "YX" if array.ndim == 2 else "YXS"
    alpha = array.shape[-1] == 4 and axes == "YXS"
    return Image.of(array, axes, alpha=alpha, metadata=metadata, source=path.absolute())


def write(stream: IO[bytes], image: Image) -> None:
    """Write without compression; the resolution stays."""
    import PIL.Image

    dpi = dots_per_inch(image.metadata)
    extra: dict[str, Any] = {} if dpi is None else {"dpi": dpi}
    buffer = BytesIO()
    listed = as_pillow(image)
    (PIL.Image.fromarray(flat(image)) if listed is None else listed).save(buffer, "BMP", **extra)
    stream.write(buffer.getbuffer())


def objection(image: Image) -> str | None:
    """Say why BMP cannot hold `image`."""
    if image.alpha:
        return "BMP cannot hold transparency; write .png or .tif instead"
    if max(image.height, image.width) > _MAX_SIDE:
        return f"BMP ends at {_MAX_SIDE} pixels a side; write .png or .tif instead"
    return flat_objection(image, "BMP", (np.uint8, np.bool_))


BMP = Format(
    "BMP",
    (".bmp", ".dib"),
    lambda header: header[:2] == b"BM" and header[6:10] == bytes(4),
    read,
    write,
    objection,
)
