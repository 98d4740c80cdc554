"""Which pixels a mask keeps: of hard and soft masks, of JPEG files, and of masks that mark the holes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion
from torch import Tensor

from untaught.errors import InputError, one_of, quoted
from untaught.image.image import Image
from untaught.image.lazy import empty, release
from untaught.image.orientation import laid_as
from untaught.operators import check_mask
from untaught.pipeline.options import ImageLike
from untaught.pipeline.tasks.inputs import BAND, colours_of, opened

MARKS = ("kept", "missing")  # what nonzero marks
LABELS = 128  # whole numbers below it are labels, of which 0 marks what is missing, and no shades
WHOLE = 0.95  # of white, from which on a pixel is kept: soft edges hold some of what was laid over the picture
MOST_SHADES = 1 / 3  # share of a mask's pixels that may lie between black and white
MOST_MISSING = 2 / 3  # share of the pixels from which on it is asked whether black marks the holes
SOLID = 0.2  # share of the kept pixels that lie among such, from which on they are no scattered samples


def laid_mask(mask: ImageLike, picture: Image) -> Image | Tensor:
    """Return a mask as it lies on the picture, with a note where that is not certain; see `laid_as`."""
    return mask if isinstance(mask, Tensor) else laid_as(opened(mask, "mask"), picture)


def mask_of(mask: ImageLike, picture: Image, marks: str | None = None) -> Tensor:
    """Return a mask as (1, C, H, W) of 1 and 0; nonzero keeps a pixel, zero marks it missing.

    Colours that all say the same count as one channel; a mask of as many channels as the picture has marks each of
    them. Alpha does not count. A file is turned as the picture is stored, see `laid_as`. Of a mask in shades, such
    as one with smooth edges or a JPEG file, what is not white is missing; see `kept_by`.

    Parameters
    ----------
    mask : path, Image, ndarray or Tensor
        The mask.
    picture : Image
        What it lies on.
    marks : {None, "kept", "missing"}
        What nonzero marks; None for "kept", and then it is asked where that leaves next to nothing.

    Raises
    ------
    InputError
        For a mask of another form or size, or that keeps everything or nothing, or a solid part so small that it
        seems to mark the holes.
    """
    check_marks(marks)
    image = laid_mask(mask, picture)
    if isinstance(image, Tensor):
        given = image == 0 if marks == "missing" else image
        return check_mask(given, picture.height, picture.width)
    values = colours_of(image)
    share = shares_of(values)
    if share is not None:
        _refuse_picture(share, image.name)
    kept = _kept(values, share, marks == "missing")
    found = check_mask(_flags(kept), picture.height, picture.width)
    if marks is None:
        _ask(found)
    return found


def _flags(kept: NDArray[np.bool_]) -> Tensor:
    """Return (H, W) or (H, W, C) as float32 (1, C, H, W), on the disk where that is large."""
    channels = kept.reshape(*kept.shape[:2], -1)
    rows = [slice(top, top + BAND) for top in range(0, len(channels), BAND)]
    same = all((channels[band] == channels[band, :, :1]).all() for band in rows)
    found = empty((1, 1 if same else channels.shape[2], *kept.shape[:2]), np.float32)
    for band in rows:
        found[0, :, band] = np.moveaxis(channels[band, :, : found.shape[1]], -1, 0)
        release(found)
    return torch.from_numpy(found)


def check_marks(marks: str | None) -> None:
    """Refuse a word that says nothing of what a mask marks."""
    if marks is not None and not one_of(marks, MARKS):
        raise InputError(f"the mask is said to mark {quoted(marks)}; what is not black is 'kept' or 'missing'")


def kept_by(values: NDArray[Any], missing: bool = False) -> NDArray[np.bool_]:
    """Return which pixels a mask keeps, of its shape.

    Of two values, and of labels, nonzero is kept. Of shades, what is at least `WHOLE` of the largest of them;
    where nonzero marks what is `missing`, what is as near to black.
    """
    return _kept(values, shares_of(values), missing)


def _kept(values: NDArray[Any], share: NDArray[np.floating] | None, missing: bool) -> NDArray[np.bool_]:
    if share is None:
        return np.asarray((values == 0) if missing else (values != 0))
    return np.asarray((1 - share if missing else share) >= WHOLE)


def _refuse_picture(share: NDArray[np.floating], name: str) -> None:
    """Refuse what is between black and white in too many places for a mask: a picture, perhaps."""
    between = float(((share > 1 - WHOLE) & (share < WHOLE)).mean())
    if between > MOST_SHADES:
        raise InputError(
            f"{name} is neither black nor white in {100 * between:.0f} % of its pixels, which no mask is; give "
            "one whose black marks what is missing and whose white marks what is kept"
        )


def in_shades(values: NDArray[Any]) -> bool:
    """Say whether a mask has shades between black and white."""
    if values.dtype.kind == "b":
        return False
    levels = np.unique(values)
    return len(levels) > 2 and (values.dtype.kind == "f" or int(levels[-1]) >= LABELS)


def shares_of(values: NDArray[Any]) -> NDArray[np.floating] | None:
    """Return the values of a mask over the largest; None where it has no shades."""
    return values / float(values.max()) if in_shades(values) else None


def _ask(kept: Tensor) -> None:
    """Ask which of the two is meant where a solid part of a picture is all that would be kept of it."""
    there = kept.amin(1)[0].numpy() > 0
    share = 1 - float(there.mean())
    if share <= MOST_MISSING or binary_erosion(there).sum() < SOLID * there.sum():
        return
    raise InputError(
        f"{100 * share:.0f} % of the pixels would be filled in by this mask, whose black marks what is missing; "
        "say which is meant, --mask-marks kept (mask_marks='kept'), or missing, where white marks the holes"
    )
