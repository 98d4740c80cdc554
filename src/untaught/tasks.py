"""The tasks with a name: how the operator of each follows from what a person gives."""

from __future__ import annotations

from collections.abc import Callable

from untaught.errors import InputError
from untaught.image import Image
from untaught.operands import (
    Operand,
    mask_of,
    measured_by_alpha,
    measured_by_colour,
    measured_by_number,
    psf_of,
)
from untaught.operators import Blur, Downsample, Identity, Mask, Mosaic, check_factor
from untaught.task import Task

Colour = str | tuple[float, ...]


def inpainting(picture: Image, mask: Operand | None = None, missing_colour: Colour | None = None) -> Task:
    """Return the task of `untaught.inpaint`."""
    if mask is not None and missing_colour is None:
        return Task("inpaint", Mask(mask_of(mask, picture)))
    kept = measured_by_alpha(picture) & measured_by_number(picture)
    if missing_colour is not None:
        kept &= measured_by_colour(picture, missing_colour)
    elif kept.all():
        raise InputError(
            f"nothing says which pixels of {picture.name} are missing: none is transparent or NaN; give a mask, "
            "or the colour of what is missing"
        )
    found = mask_of(kept, picture)
    if mask is not None:
        found = mask_of(found * mask_of(mask, picture), picture)
    return Task("inpaint", Mask(found))


def upscaling(picture: Image, factor: int, kernel: str = "bicubic") -> Task:
    """Return the task of `untaught.upscale`."""
    return Task("upscale", Downsample(check_factor(factor, picture.height, picture.width), kernel))


def deblurring(picture: Image, psf: Operand, border: str = "valid") -> Task:
    """Return the task of `untaught.deblur`."""
    operator = Blur(psf_of(psf), border)
    operator.picture_shape((1, operator.psf.shape[1], picture.height, picture.width))
    return Task("deblur", operator)


def demosaicing(picture: Image, pattern: str | tuple[tuple[int, ...], ...] = "RGGB") -> Task:
    """Return the task of `untaught.demosaic`."""
    samples = picture.size("S") - picture.alpha
    if samples > 1:
        raise InputError(f"a mosaic is one plane of values, and {picture.name} has {samples} channels")
    return Task("demosaic", Mosaic(pattern))


def restoring(picture: Image) -> Task:
    """Return the task of `untaught.restore` without an operator: the picture itself was measured."""
    return Task("restore", Identity())


TASKS: dict[str, Callable[..., Task]] = {
    "inpaint": inpainting,
    "upscale": upscaling,
    "deblur": deblurring,
    "demosaic": demosaicing,
    "restore": restoring,
}
