"""A layer and the JPEG file that it was read from: only the file has the steps that were rounded to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from untaught.errors import InputError, UntaughtError
from untaught.image.files import read
from untaught.image.find_format import format_of
from untaught.image.formats.jpeg import JPEG
from untaught.image.image import Image
from untaught.image.orientation import upright

if TYPE_CHECKING:
    from untaught.results.result import Result

NO_FILE = (
    "dejpeg goes by the table of steps that a JPEG file holds and a layer does not, and this layer was not read "
    "from such a file; open the JPEG itself, or denoise the layer"
)
DECODERS = 2
"""Grey levels by which two decoders may differ."""


def jpeg_of(layer: Image, path: str | None) -> Image:
    """Return the picture of the JPEG file that a layer shows, as it is stored.

    Parameters
    ----------
    layer : Image
        What the layer shows.
    path : str or None
        The file that napari has it from; else the one that our reader has noted.

    Raises
    ------
    InputError
        Where there is no such file, or the layer shows something else by now.
    """
    file = Path(path) if path else layer.source
    if file is None or not _is_jpeg(file):
        raise InputError(NO_FILE)
    stored = read(file)
    if not (alike(stored, layer) or alike(upright(stored), layer)):
        raise InputError(
            f"the layer does not show what {file.name} holds, so what was rounded in that file is not in it; open "
            "the JPEG again, and choose that layer"
        )
    return stored


def as_shown(result: Result, layer: Image) -> Result:
    """Return a result that lies as the layer does, where EXIF has the file turned."""
    if alike(result.input, layer):
        return result
    return replace(result, picture=upright(result.picture), input=upright(result.input))


def _is_jpeg(file: Path) -> bool:
    try:
        return format_of(file, None) is JPEG
    except UntaughtError:
        return False


def alike(one: Image, other: Image) -> bool:
    """Tell whether two pictures show the same, as two decoders may."""
    if one.array.shape != other.array.shape or other.array.dtype != one.array.dtype:
        return False
    return bool(np.abs(one.array.astype(np.int16) - other.array.astype(np.int16)).max() <= DECODERS)
