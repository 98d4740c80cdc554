"""What a task needs beside the picture, from files, arrays or words: masks, point-spread functions, guides."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from untaught.errors import InputError, kind_of, quoted
from untaught.image.files import as_image, read
from untaught.image.image import Image, image_of_array
from untaught.image.lazy import empty, release
from untaught.image.orientation import laid_as
from untaught.image.values import doubles
from untaught.operators import check_psf
from untaught.operators.base import Shape, by
from untaught.operators.psf import WORDS, _from_words
from untaught.pipeline.options import ImageLike
from untaught.problem import tensor

Flags = NDArray[np.bool_]

BAND = 256  # rows that are looked at together


def measured_by_alpha(picture: Image) -> Flags:
    """Return (H, W), False where the picture is fully transparent; True everywhere without alpha."""
    if not picture.alpha:
        return np.ones((picture.height, picture.width), np.bool_)
    opacity = picture.samples_last(picture.array)[..., -1]
    return np.asarray((opacity > 0).all(axis=tuple(range(opacity.ndim - 2))))


def measured_by_number(picture: Image) -> Flags:
    """Return (H, W), False where a value is NaN, infinite or a no-data marker in any plane."""
    found = empty((picture.height, picture.width), np.bool_)
    for top in range(0, picture.height, BAND):
        rows = slice(top, top + BAND)
        parts = [picture.plane(index, (rows, slice(None))).missing for index in range(picture.n_planes)]
        found[rows] = ~np.logical_or.reduce(parts)
        release(picture.array)
    return found


def measured_by_colour(picture: Image, colour: str | tuple[float, ...]) -> Flags:
    """Return (H, W), False where the picture has exactly one colour: '#ff00ff', '255,0,255', or its numbers.

    Raises
    ------
    InputError
        For a colour that cannot be read, or with another number of samples than the picture's.
    """
    samples = picture.samples_last(picture.array)
    samples = samples[..., : samples.shape[-1] - picture.alpha]
    wanted = _colour(colour) if isinstance(colour, str) else tuple(colour)
    if len(wanted) == 1:
        wanted *= samples.shape[-1]
    if len(wanted) != samples.shape[-1]:
        raise InputError(
            f"the colour {quoted(colour)} has {len(wanted)} numbers, and a pixel of {picture.name} has "
            f"{samples.shape[-1]}"
        )
    hit = (samples == np.array(wanted)).all(axis=-1)
    return np.asarray(~hit.any(axis=tuple(range(hit.ndim - 2))))


def _colour(text: str) -> tuple[float, ...]:
    digits = text.removeprefix("#")
    try:
        if text.startswith("#") and len(digits) == 6:
            return tuple(float(int(digits[at : at + 2], 16)) for at in (0, 2, 4))
        if not text.startswith("#"):
            return tuple(float(part) for part in text.split(","))
    except ValueError:
        pass
    raise InputError(f"{text!r} is no colour; write #ff00ff, or its values as 255,0,255")


def psf_of(psf: ImageLike) -> Tensor:
    """Return a point-spread function as (1, C, kh, kw), from an array, a file, or words.

    Words are gaussian:SIGMA, disk:RADIUS and motion:LENGTH,ANGLE, in pixels and degrees, the angle from the
    rows' direction upwards. Files of whole numbers have no scale of their own, and are divided by their sum;
    arrays, and files of floats, have to sum to one.

    Raises
    ------
    InputError
        For a point-spread function that `check_psf` refuses, or words that are not understood.
    """
    if isinstance(psf, Tensor):
        return check_psf(psf)
    if isinstance(psf, str) and psf.partition(":")[0] in WORDS:
        return _from_words(psf)
    values = colours_of(opened(psf, "point-spread function"))
    if values.ndim == 3:
        values = np.moveaxis(values, -1, 0)[None]
    if isinstance(psf, str | Path) and values.dtype.kind in "biu" and values.any():
        values = values / values.sum(axis=(-2, -1), keepdims=True)
    return check_psf(torch.from_numpy(np.ascontiguousarray(doubles(values))))


def guide_of(guide: ImageLike, size: Shape, frame: Image | None = None) -> Tensor:
    """Return another picture of the same scene as (1, C, H, W) on [0, 1]; see `laid_guide`."""
    return tensor(laid_guide(guide, size, frame).plane(0).values)


def laid_guide(guide: ImageLike, size: Shape, frame: Image | None = None) -> Image:
    """Return another picture of the same scene; a file is turned as `frame` is stored.

    Raises
    ------
    InputError
        For a stack, or a picture of another size than `size`, height and width of what is restored.
    """
    picture = as_image(guide.numpy() if isinstance(guide, Tensor) else guide)
    picture = picture if frame is None else laid_as(picture, frame, alike=True)
    if (picture.height, picture.width) != tuple(size):
        raise InputError(
            f"the guide is {by(picture.height, picture.width)} pixels and the picture to be made {by(*size)}: "
            "they must be the same"
        )
    if picture.n_planes > 1:
        raise InputError(f"the guide has {picture.n_planes} planes; give one picture")
    return picture


def opened(operand: Any, what: str) -> Image:
    """Return what holds one picture."""
    if isinstance(operand, str | Path):
        image = read(operand)
    elif isinstance(operand, np.ndarray):
        image = image_of_array(operand)
    elif isinstance(operand, Image):
        image = operand
    else:
        raise InputError(f"the {what} is a path, a numpy array or an untaught.Image, not {kind_of(operand)}")
    if image.array.size == 0:
        raise InputError(f"the {what} is empty: its shape is {image.array.shape}")
    if image.lead_shape and max(image.lead_shape) > 1:
        raise InputError(f"{image.name} has the shape {image.array.shape}; give one picture, (height, width)")
    return image


def colours_of(image: Image) -> NDArray[Any]:
    """Return (H, W) or (H, W, C) values, alpha left out."""
    values = image.samples_last(image.array).reshape(image.height, image.width, -1)
    colours = values[..., : values.shape[-1] - image.alpha]
    return colours[..., 0] if colours.shape[-1] == 1 else colours


def as_options(operands: Mapping[str, object]) -> dict[str, str] | None:
    """Return what was given as options of the command, or None where a part of it is no text, number or file."""
    given = {name: value for name, value in operands.items() if value is not None}
    texts = {name: str(value) for name, value in given.items() if isinstance(value, str | int | float)}
    return texts if len(texts) == len(given) else None


def file_of(operand: ImageLike | None) -> ImageLike | None:
    """Return the path of a file from the root; what is no file as it is."""
    return str(Path(operand).absolute()) if isinstance(operand, str | Path) else operand
