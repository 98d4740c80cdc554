"""The tasks with a name: how the operator of each follows from what a person gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from untaught.errors import InputError
from untaught.image.image import Image
from untaught.operators import Blur, Downsample, Identity, Mask, Mosaic, check_factor
from untaught.operators.psf import WORDS
from untaught.pipeline.tasks.inputs import (
    Operand,
    mask_of,
    measured_by_alpha,
    measured_by_colour,
    measured_by_number,
    psf_of,
)
from untaught.pipeline.tasks.output_image import Task

Colour = str | tuple[float, ...]


def inpainting(picture: Image, mask: Operand | None = None, missing_colour: Colour | None = None) -> Task:
    """Return the task of `untaught.inpaint`."""
    colour = (
        missing_colour if missing_colour is None or isinstance(missing_colour, str) else _numbers(missing_colour)
    )
    given = options({"mask": file_of(mask), "missing-color": colour})
    if mask is not None and missing_colour is None:
        return Task("inpaint", Mask(mask_of(mask, picture)), given)
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
    return Task("inpaint", Mask(found), given)


def upscaling(picture: Image, factor: int, kernel: str = "bicubic") -> Task:
    """Return the task of `untaught.upscale`."""
    operator = Downsample(check_factor(factor, picture.height, picture.width), kernel)
    return Task("upscale", operator, options({"factor": str(factor), "kernel": kernel}))


def deblurring(picture: Image, psf: Operand, border: str = "valid") -> Task:
    """Return the task of `untaught.deblur`."""
    operator = Blur(psf_of(psf), border)
    operator.picture_shape((1, operator.psf.shape[1], picture.height, picture.width))
    named = isinstance(psf, str) and psf.partition(":")[0] in WORDS
    return Task("deblur", operator, options({"psf": psf if named else file_of(psf), "border": border}))


def demosaicing(picture: Image, pattern: str | tuple[tuple[int, ...], ...] = "RGGB") -> Task:
    """Return the task of `untaught.demosaic`."""
    samples = picture.size("S") - picture.alpha
    if samples > 1:
        raise InputError(f"a mosaic is one plane of values, and {picture.name} has {samples} channels")
    return Task("demosaic", Mosaic(pattern), options({"pattern": pattern}))


def restoring(picture: Image) -> Task:
    """Return the task of `untaught.restore` without an operator: the picture itself was measured."""
    return Task("restore", Identity(), options({}))


def options(operands: Mapping[str, object]) -> dict[str, str] | None:
    """Return what was given as options of the command, or None where a part of it is neither text nor a file."""
    given = {name: value for name, value in operands.items() if value is not None}
    texts = {name: value for name, value in given.items() if isinstance(value, str)}
    return texts if len(texts) == len(given) else None


def file_of(operand: Operand | None) -> Operand | None:
    """Return the path of a file from the root; what is no file as it is."""
    return str(Path(operand).absolute()) if isinstance(operand, str | Path) else operand


def _numbers(colour: tuple[float, ...]) -> str:
    return ",".join(str(float(value)) for value in colour)


TASKS: dict[str, Callable[..., Task]] = {
    "inpaint": inpainting,
    "upscale": upscaling,
    "deblur": deblurring,
    "demosaic": demosaicing,
    "restore": restoring,
}
