"""What it is expected to gain that planes help each other: both ways tried on a part of a few of them."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from untaught.image.image import Image
from untaught.noise import NoiseModel
from untaught.pipeline.planes import Requests
from untaught.pipeline.request import Request
from untaught.pipeline.stacks.brightness import brightness_notes
from untaught.pipeline.stacks.find_series import Found, Series
from untaught.pipeline.stacks.take_pattern import WOULD, patterns_of
from untaught.pipeline.tasks.denoise import denoise_planes

SIDE = 96  # pixels of the part, in the middle of the planes
PLANES = 5  # in the middle of the longest series
WORDS = {"time": "as times: what moves is followed", "depth": "as slices of a volume"}


def together_notes(picture: Image, found: Found, noise: NoiseModel) -> tuple[str, ...]:
    """Return what would be done with planes that show the same, and what that is expected to gain.

    Parameters
    ----------
    picture : Image
        The stack.
    found : Found
        Its series.
    noise : NoiseModel
        Of the noisiest plane, on the picture's range.
    """
    found_notes = found.notes + brightness_notes(found.series, "keep", True)
    for pattern in patterns_of(picture, found.series):
        found_notes += () if pattern is None else tuple(pattern.notes("auto", WOULD))
    found = replace(found, notes=tuple(dict.fromkeys(found_notes)))
    if not found.series or noise.leaves_clean or noise.replaces:
        return found.notes
    longest = max(found.series, key=lambda one: len(one.planes))
    count = sum(len(one.planes) for one in found.series)
    said = (
        f"{count} of {picture.n_planes} planes would be restored with the help of their neighbours along "
        f"{longest.axis}, {WORDS[longest.along]}"
    )
    gain = _gain(picture, longest, noise)
    if gain is not None:
        said += (
            f"; on a part of {min(PLANES, len(longest.planes))} of them that is estimated to gain {gain:+.1f} dB"
        )
    return (said, *found.notes)


def _gain(picture: Image, series: Series, noise: NoiseModel) -> float | None:
    """Return the difference of the stated PSNR, decibels; None where there is none."""
    if noise.pixel_levels is not None:  # of another place
        return None
    part = _part(picture, series)
    request = Request(method="nonlocal", noise=noise)
    psnr = []
    for how in ("auto", "none"):
        asked = Requests.of(part, replace(request, together=how), time.monotonic())
        found = denoise_planes(asked).psnr
        if found is None:
            return None
        psnr.append(found.value)
    return psnr[0] - psnr[1]


def _part(picture: Image, series: Series) -> Image:
    """Return the middle of some planes of a series, as a picture of its own."""
    middle, most = len(series.planes) // 2, min(PLANES, len(series.planes))
    first = max(0, middle - most // 2)
    window = tuple(
        slice(start := max(0, (length - SIDE) // 2), start + SIDE) for length in (picture.height, picture.width)
    )
    planes = [picture.raw(index, (window[0], window[1])) for index in series.planes[first : first + most]]
    array, axes = np.stack(planes), f"{series.axis}YXS"
    array, axes = (array[..., 0], axes[:-1]) if array.shape[-1] == 1 else (array, axes)
    return replace(Image.of(array, axes, metadata=picture.metadata), value_range=picture.value_range)
