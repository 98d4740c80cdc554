"""A picture in another type of number, in the same units."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError, did_you_mean, one_of, quoted
from untaught.image.formats.tiff_layout import BOUNDS, Layout
from untaught.image.formats.tiff_ome import retyped_xml
from untaught.image.image import Image
from untaught.image.lazy import copied, pieces, release

SAME = "same"
OUTPUT_TYPES = (SAME, "float32", "float64")
EXACT = 1.2e-7  # of the range: what float32 cannot tell from a whole number


def output_type_of(output_type: str) -> str:
    """Return the type of the answer's numbers, one of `OUTPUT_TYPES`.

    Raises
    ------
    InputError
        For any other.
    """
    if not one_of(output_type, OUTPUT_TYPES):
        hint = did_you_mean(output_type, OUTPUT_TYPES) if isinstance(output_type, str) else ""
        raise InputError(
            f"there is no output type {quoted(output_type)}; {hint}choose {', '.join(OUTPUT_TYPES[:-1])} or "
            f"{OUTPUT_TYPES[-1]}"
        )
    return output_type


def typed(image: Image, output_type: str) -> Image:
    """Return a picture as `output_type`, one of `OUTPUT_TYPES`: the same numbers, range, axes and metadata.

    What its file said of the type of its numbers is changed with it, so that OME and ImageJ files stay such;
    ImageJ knows no numbers of 64 bits, and a file of these keeps its axes in the way of OME or of tifffile.
    """
    if output_type in (SAME, str(image.array.dtype)):
        return image
    metadata, layout = dict(image.metadata), image.metadata.get("tiff")
    if layout is not None:
        metadata["tiff"] = _retyped(layout, output_type)
    return replace(image, array=copied(image.array, np.dtype(output_type)), metadata=metadata)


def rounding(image: Image, values: NDArray[np.float32]) -> float:
    """Return the mean squared error that values get as numbers of an image's type, [0, 1] units squared.

        step^2 / 12,   step = 1 / (high - low),   for every value between two whole numbers; 0 for floats

    Of a picture in which only holes were filled, most values are whole already.

    Parameters
    ----------
    image : Image
        What has the type and the value range.
    values : ndarray
        A plane of it, [0, 1] units.

    References
    ----------
    Bennett, "Spectra of quantized signals", Bell System Technical Journal 27(3), 1948.
    """
    if image.array.dtype.kind == "f":
        return 0.0
    low, high = image.value_range
    between = 0
    for piece in pieces(values.shape):
        levels = low + (high - low) * values[piece].astype(np.float64)
        between += int((np.abs(levels - np.rint(levels)) > EXACT * max(high - low, abs(low), abs(high))).sum())
        release(values)
    return between / max(values.size, 1) / (high - low) ** 2 / 12


def _retyped(layout: Layout, dtype: str) -> Layout | None:
    if layout.kind == "imagej" and dtype == "float64":
        return None
    changes: dict[str, Any] = {"dtype": dtype, "colormap": None}
    if layout.kind == "ome":
        changes["description"] = retyped_xml(layout, {"float32": "float", "float64": "double"}[dtype])
    tags = tuple(tag for tag in layout.tags if tag[0] not in BOUNDS)
    return replace(layout, tags=tags, **changes)
