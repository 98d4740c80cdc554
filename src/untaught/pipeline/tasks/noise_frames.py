"""Dark and flat frames from files and folders, in the data's own units."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from untaught.errors import InputError
from untaught.image.files import read
from untaught.image.find_format import SUFFIXES, is_named_as_picture
from untaught.image.image import Image
from untaught.noise.estimation.flat_frames import Exposure
from untaught.noise.estimation.photon_transfer import Transfer, photon_transfer

MOST_SIDE = 768  # pixels of a frame that are looked at, in its middle: bounds memory, and tells a variance to .2 %
LEAST_SIDE = 16


def transfer_of(sources: Sequence[Path]) -> Transfer:
    """Return the photon transfer curve of dark and flat frames.

    Parameters
    ----------
    sources : sequence of Path
        Files, of which stacks hold several frames, and folders of them. Names with "dark" or "bias" in them, of
        the file or its folder, are of dark frames.

    Raises
    ------
    InputError
        For files that cannot be read, a folder without any, and frames that tell nothing.
    """
    return photon_transfer([frame for source in sources for path in _files(source) for frame in _frames(path)])


def _files(source: Path) -> list[Path]:
    if not source.is_dir():
        return [source]
    found = sorted(
        path
        for path in source.rglob("*")
        if is_named_as_picture(path) and path.is_file() and not path.name.startswith(".")
    )
    if not found:
        raise InputError(
            f"{source} holds no picture; give a folder of dark and flat frames ({', '.join(SUFFIXES)})"
        )
    return found


def _frames(path: Path) -> Iterator[Exposure]:
    """Yield every channel of every page, its middle, as float32; integers of 16 bits are exact in that."""
    image = read(path)
    name = "/".join(path.absolute().parts[-2:])
    for channel, values in _channels(image):
        if min(values.shape) < LEAST_SIDE:
            raise InputError(
                f"{path} is {image.width} x {image.height} pixels, too small for a frame; give at least "
                f"{LEAST_SIDE} x {LEAST_SIDE}"
            )
        if not np.isfinite(values).all():
            raise InputError(f"{path} holds values that are not numbers; give frames as the camera wrote them")
        yield Exposure(values, name, channel)


def _channels(image: Image) -> Iterator[tuple[int, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]]:
    view = image.samples_last(image.array)
    top, left = (max(0, (side - MOST_SIDE) // 2) // 2 * 2 for side in (image.height, image.width))
    where_channel = image.lead_axes.find("C")
    for where in np.ndindex(*image.lead_shape):
        for sample in range(image.size("S") - image.alpha):
            cut = view[where][top : top + MOST_SIDE, left : left + MOST_SIDE, sample]
            channel = sample if where_channel < 0 else where[where_channel]
            yield channel, np.ascontiguousarray(cut, dtype=np.float32)
