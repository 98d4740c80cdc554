"""How near a picture comes to the clean one, where there is a clean one: PSNR and SSIM."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.image.image import Image


@dataclass(frozen=True)
class Quality:
    """True PSNR in dB (infinite for equal pictures) and SSIM, over all channels."""

    psnr: float
    ssim: float

    def as_dict(self) -> dict[str, float | None]:
        """Return both for JSON, which has no infinity: None for the PSNR of equal pictures."""
        return {"psnr": self.psnr if math.isfinite(self.psnr) else None, "ssim": self.ssim}


def check_reference(picture: Image, reference: Image) -> None:
    """Refuse a reference that cannot be compared with `picture`.

    Raises
    ------
    InputError
        When shapes or the places of rows, columns and samples differ, one is of integers and the other is not, or
        nothing in it was measured.
    """
    if not picture.matches(reference):
        raise InputError(
            f"the reference {reference.name} is {_shape(reference)}, but {picture.name} is {_shape(picture)}; "
            "give the clean version of the same picture"
        )
    if (picture.array.dtype.kind == "f") != (reference.array.dtype.kind == "f"):
        raise InputError(
            f"the reference {reference.name} holds {reference.array.dtype} values, but {picture.name} holds "
            f"{picture.array.dtype}; convert one so that both mean the same"
        )
    if math.isnan(reference.used_range[0]):
        raise InputError(f"the reference {reference.name} holds no number at all")


def quality(picture: Image, reference: Image) -> Quality:
    """Compare a picture with the clean one.

        PSNR = 10 log10(range^2 / mean (x - r)^2), range = the picture's value range

    Values of the same type are compared as they are, floats always; integers of different types, each by its own
    range. Alpha is left out; so are values that the reference does not have (NaN). SSIM is scikit-image's, over
    the channels of a plane together, and the mean over the planes of a stack.

    Raises
    ------
    InputError
        As `check_reference`.
    """
    check_reference(picture, reference)
    low, high = picture.value_range
    same = picture.array.dtype.kind == "f" or picture.array.dtype == reference.array.dtype
    base = picture.value_range if same else reference.value_range  # a range is read off the values, noise and all
    restored = (_colours(picture) - low) / (high - low)
    clean = (_colours(reference) - base[0]) / (base[1] - base[0])
    known = np.isfinite(clean) & np.isfinite(restored)
    error = float(np.mean(np.square(restored - clean)[known]))
    psnr = -10 * math.log10(error) if error > 0 else math.inf
    return Quality(psnr, _ssim(np.where(known, restored, 0), np.where(known, clean, 0)))


def _ssim(restored: NDArray[Any], clean: NDArray[Any]) -> float:
    from skimage.metrics import structural_similarity

    values = [
        structural_similarity(clean[where], restored[where], data_range=1.0, channel_axis=-1)
        for where in np.ndindex(*clean.shape[:-3])
    ]
    return float(np.mean(values))


def _colours(image: Image) -> NDArray[np.float64]:
    view = image.samples_last(image.array)
    return np.asarray(view[..., : view.shape[-1] - image.alpha], dtype=np.float64)


def _shape(image: Image) -> str:
    return f"{' x '.join(str(n) for n in image.array.shape)} ({image.axes})"
