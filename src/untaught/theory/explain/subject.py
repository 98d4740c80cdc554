"""The small grey picture that an explanation is about, made of the person's own, and the noise for it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from untaught.errors import InputError
from untaught.image.image import Image
from untaught.image.plane import Plane
from untaught.noise import NoiseModel, measure
from untaught.noise.shares import GAPS, part
from untaught.pipeline.tasks.denoise import denoise

SEEN = 5 / 255  # less is measured on texture, too
ADDED = 25 / 255  # where the picture has no noise of its own
FLAT = 1e-9  # range below which there is nothing to explain
Values = NDArray[np.float32]


@dataclass(frozen=True)
class Subject:
    """What is experimented on.

    Attributes
    ----------
    picture : Tensor
        (1, 1, h, w), grey, in [0, 1]; free of noise, as far as that can be had.
    sigma : float
        Noise that is added to it in the experiments, as a share of the value range.
    notes : tuple of str
        What was done to the person's picture, in sentences.
    """

    picture: Tensor
    sigma: float
    notes: tuple[str, ...]


def subject_of(picture: Image, noise: NoiseModel | None, side: int) -> Subject:
    """Cut the central square, average it down to at most `side` pixels of grey, and take its noise away.

    Parameters
    ----------
    picture : Image
        The person's; of a stack the first plane that is not of one value.
    noise : NoiseModel or None
        As much is added in the experiments; None for as much as was measured in the picture.
    side : int
        Of the subject, at most.

    Raises
    ------
    InputError
        If the central square is of one value.
    """
    plane = next((p for p in picture.planes() if p.values.max() > p.values.min()), None)
    if plane is None:
        raise InputError(f"every plane of {picture.name} is of one value: there is no structure to explain")
    length, small, notes = _small(plane, side)
    if not float(np.ptp(small)) > FLAT:
        raise InputError(
            f"the middle of {picture.name} is of one value: there is no structure to explain; cut out a part that "
            "has some"
        )
    if picture.n_planes > 1:
        notes = (f"of {picture.n_planes} planes this is the first with something on it ({plane.label})", *notes)
    level = _level(plane)
    left = level * small.shape[0] / (length * math.sqrt(plane.values.shape[2]))
    if left >= SEEN:
        small = _cleaned(small, left)
        notes += (
            f"noise of level {255 * left:.0f} (of 255) was left in it and was removed first, by similar patches: "
            "the experiments need a picture of which the truth is known",
        )
    sigma, said = _added(noise, level)
    tensor = torch.from_numpy(np.ascontiguousarray(small, dtype=np.float32))[None, None]
    return Subject(tensor, sigma, (*picture.notes, *notes, said))


def _small(plane: Plane, side: int) -> tuple[int, Values, tuple[str, ...]]:
    """Return the length of the central square in pixels, the square in grey and reduced, and what was done."""
    height, width, channels = plane.values.shape
    length = min(height, width)
    top, left = (height - length) // 2, (width - length) // 2
    square = plane.values[top : top + length, left : left + length].mean(axis=2)
    notes = []
    if height != width:
        notes.append(f"of {width} x {height} pixels the central {length} x {length} were taken")
    if length > side:
        reduced = torch.nn.functional.interpolate(torch.from_numpy(square)[None, None], size=side, mode="area")
        square = reduced[0, 0].numpy()
        notes.append(f"{length} x {length} pixels were averaged down to {side} x {side}")
    if channels > 1:
        notes.append("the colours were averaged to grey")
    if plane.missing.any():
        notes.append(part(int(plane.missing.sum()), plane.missing.size, "pixel", GAPS))
    return length, square, tuple(notes)


def _level(plane: Plane) -> float:
    """Return the level of the noise in the picture; 0 where none can be told from texture."""
    if np.unique(plane.values).size <= 2:  # black and white: there is no grey to measure noise on
        return 0.0
    level = measure(plane.values, plane.missing).model.level
    return level if level >= SEEN else 0.0


def _cleaned(small: Values, level: float) -> Values:
    return np.asarray(denoise(small, method="nonlocal", sigma=level).image, dtype=np.float32)


def _added(noise: NoiseModel | None, level: float) -> tuple[float, str]:
    """Return how much noise is added, and why so much."""
    what = "white Gaussian noise of level"
    if noise is not None:
        if not noise.level > 0:
            raise InputError("noise of level 0 was asked for: without noise there is nothing to stop for")
        return noise.level, f"{what} {255 * noise.level:.0f} (of 255) is added, as strong as was asked for"
    if level:
        return level, f"{what} {255 * level:.0f} (of 255) is added, as strong as was measured in the whole picture"
    return ADDED, f"no noise was found in the picture; {what} {255 * ADDED:.0f} (of 255) is added"
