"""How near a picture comes to the clean one, where there is a clean one: PSNR, RMSE and SSIM."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.image.image import Image

WHOLE = {(0.0, 1.0), (0.0, 255.0), (0.0, 65535.0)}
"""Value ranges that mean black to white."""


@dataclass(frozen=True)
class Quality:
    """True PSNR in dB (infinite for equal pictures), SSIM, and RMSE in the picture's units, over all channels."""

    psnr: float
    ssim: float
    rmse: float

    def as_dict(self) -> dict[str, float | None]:
        """Return them for JSON, which has no infinity: None for the PSNR of equal pictures."""
        return {"psnr": self.psnr if math.isfinite(self.psnr) else None, "ssim": self.ssim, "rmse": self.rmse}


def check_reference(picture: Image, reference: Image) -> None:
    """Refuse a reference that cannot be compared with `picture`.

    Raises
    ------
    InputError
        When shapes or the places of rows and columns differ, or nothing in it was measured.
    """
    places = [[image.axes.index(axis) for axis in "YX"] for image in (picture, reference)]
    if picture.array.shape != reference.array.shape or places[0] != places[1]:
        raise InputError(
            f"the reference {reference.name} is {_shape(reference)}, but {picture.name} is {_shape(picture)}; "
            "give the clean version of the same picture"
        )
    if math.isnan(reference.used_range[0]):
        raise InputError(f"the reference {reference.name} holds no number at all")


def quality(picture: Image, reference: Image) -> Quality:
    """Compare a picture with the clean one.

        PSNR = 10 log10(range^2 / MSE),   MSE = RMSE^2 = mean (x - r)^2,   range = the picture's value range

    Both are taken to be in the same units, whatever their types: the mean of many frames is a float beside a frame
    of integers. Where the types differ and each has the whole range of its own, such as 8 and 16 bits, or 8 bits
    and [0, 1], black and white are made the same, if the two means are then nearer to each other. Alpha is left
    out; so are values that the reference does not have (NaN). SSIM is scikit-image's, over the channels of a plane
    together, and the mean over the planes of a stack.

    Raises
    ------
    InputError
        As `check_reference`.
    """
    check_reference(picture, reference)
    low, high = picture.value_range
    # what the axes of the reference are called makes no difference, but for which values are opacity
    alpha = picture.alpha or reference.alpha
    values, truth = (_colours(replace(each, axes=picture.axes), alpha) for each in (picture, reference))
    known = np.isfinite(truth) & np.isfinite(values)
    base, top = _units(picture, reference, values[known], truth[known])
    restored, clean = (values - low) / (high - low), (truth - base) / (top - base)
    error = float(np.mean(np.square(restored - clean)[known]))
    psnr = -10 * math.log10(error) if error > 0 else math.inf
    ssim = _ssim(np.where(known, restored, 0), np.where(known, clean, 0))
    return Quality(psnr, ssim, (high - low) * math.sqrt(error))


def _units(
    picture: Image, reference: Image, values: NDArray[np.float64], truth: NDArray[np.float64]
) -> tuple[float, float]:
    """Return what is black and white in the reference."""
    ours, theirs = picture.value_range, reference.value_range
    whole = picture.array.dtype != reference.array.dtype and {ours, theirs} <= WHOLE
    if not whole or ours == theirs or not values.size:
        return ours
    mean = (values.mean() - ours[0]) / (ours[1] - ours[0])
    apart = [abs((truth.mean() - low) / (high - low) - mean) for low, high in (ours, theirs)]
    return theirs if apart[1] < apart[0] else ours


def _ssim(restored: NDArray[Any], clean: NDArray[Any]) -> float:
    from skimage.metrics import structural_similarity

    values = [
        structural_similarity(clean[where], restored[where], data_range=1.0, channel_axis=-1)
        for where in np.ndindex(*clean.shape[:-3])
    ]
    return float(np.mean(values))


def _colours(image: Image, alpha: bool) -> NDArray[np.float64]:
    view = image.samples_last(image.array)
    return np.asarray(view[..., : view.shape[-1] - alpha], dtype=np.float64)


def _shape(image: Image) -> str:
    return f"{' x '.join(str(n) for n in image.array.shape)} ({image.axes})"
