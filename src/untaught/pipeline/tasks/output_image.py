"""A task: an operator with a name. What of a picture it is about, and what its answer looks like."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.image.image import Image
from untaught.image.lazy import PIECE, copied, empty, release
from untaught.operators.base import Shape
from untaught.operators.structure import keeps_levels, windowed
from untaught.pipeline.task import Task
from untaught.pipeline.tiles.through_operator import ThroughOperator
from untaught.problem import array, tensor


def measurement(picture: Image, task: Task, parts: ThroughOperator | None = None) -> Image:
    """Return the picture with the value range that suits the operator, and NaN in floats that a mask leaves out.

    `parts` is how its planes are taken, where they are not taken whole.

    Raises
    ------
    InputError
        If the picture does not fit the operator.
    """
    operator, mask = task.folded
    window = (slice(0, picture.height), slice(0, picture.width))
    if parts is not None:
        window = parts.tiling.tiles(picture.height, picture.width)[0].window
        operator = windowed(operator, window)
    y = tensor(picture.plane(0, window).values)
    if parts is None:
        task.measures.picture_shape(y.shape)
    if not keeps_levels(operator, y):
        whole = picture.array.dtype.kind in "biu"
        return replace(picture, value_range=(0.0, picture.value_range[1]) if whole else (0.0, 1.0))
    if mask is None or picture.array.dtype.kind != "f" or mask.shape[1] > 1:
        return picture
    return _without(picture, mask[0, 0].numpy())


def _without(picture: Image, mask: NDArray[np.float32]) -> Image:
    """Return a picture of floats with NaN where a mask, (H, W), is 0; a range that was found is found anew."""
    array = copied(picture.array)
    values = picture.samples_last(array)
    for rows in _bands(picture):
        values[..., rows, :, :][..., mask[rows] == 0, : values.shape[-1] - picture.alpha] = np.nan
        release(array)
    before, after = (Image.of(a, picture.axes, alpha=picture.alpha).value_range for a in (picture.array, array))
    found = picture.value_range == before
    return replace(picture, array=array, value_range=after if found else picture.value_range)


def _bands(picture: Image) -> Iterator[slice]:
    """Yield rows that together are all of a plane."""
    rows = max(1, PIECE // picture.width)
    for top in range(0, picture.height, rows):
        yield slice(top, min(top + rows, picture.height))


def first_pictures(
    measured: Image, task: Task, parts: ThroughOperator | None = None
) -> Iterator[NDArray[np.float32]]:
    """Yield (H, W, C) of every plane: what the operator makes of it at once, or of its parts."""
    for index in range(measured.n_planes):
        if parts is None:
            y = tensor(measured.plane(index).values)
            yield array(task.measures.visible(task.measures.initial(y)))
            continue
        height, width = parts.scale * measured.height, parts.scale * measured.width
        found = empty((height, width, parts.channels(measured, index)), np.float32)
        for tile in parts.tiling.tiles(measured.height, measured.width):
            shown = tile.scaled(parts.scale)
            found[shown.own] = parts.first(measured.plane(index, tile.window), tile)[shown.core]
            release(found)
            release(measured.array)
        yield found


def framed(measured: Image, task: Task, parts: ThroughOperator | None = None) -> Image:
    """Return the picture of the answer's size and channels, filled with `first_pictures`.

    It stands for every plane that could not be reached. Opacity goes with the size; where a mask says what is
    missing, the answer is opaque.
    """
    firsts = list(first_pictures(measured, task, parts))
    height, width = firsts[0].shape[:2]
    samples = sum(plane.shape[-1] for plane in firsts) // math.prod(measured.lead_shape) + measured.alpha
    same = (height, width, samples) == (measured.height, measured.width, measured.size("S"))
    frame = measured if same else _resized(measured, (height, width, samples), task)
    frame = replace(frame, array=copied(frame.array))
    if frame.alpha:
        _make_opaque(frame, task)
    return frame.with_planes(firsts)


def _resized(picture: Image, shape: Shape, task: Task) -> Image:
    """Return an empty picture of another height, width and number of samples; its alpha goes with the size."""
    height, width, samples = shape
    coloured = samples > 1 or "S" in picture.axes
    array = empty((*picture.lead_shape, *shape), picture.array.dtype)
    if picture.alpha:
        array[..., -1] = _opacity(picture, (height, width), task)
    lost = {"tiff"} if samples == picture.size("S") else {"tiff", "png", "icc", "photometric"}
    metadata = {key: value for key, value in picture.metadata.items() if key not in lost}
    if "resolution" in metadata:
        x, y, unit = metadata["resolution"]
        metadata["resolution"] = (x * width / picture.width, y * height / picture.height, unit)
    if "spacing" in metadata:
        finer = {"Y": picture.height / height, "X": picture.width / width}
        metadata["spacing"] = {
            axis: (step * finer.get(axis, 1.0), unit) for axis, (step, unit) in metadata["spacing"].items()
        }
    made = picture.lead_axes + "YXS"
    axes = picture.axes + ("S" if coloured and "S" not in picture.axes else "")
    array = (array if coloured else array[..., 0]).transpose([made.index(axis) for axis in axes])
    array = array if array.flags.c_contiguous else copied(array)
    return replace(picture, array=array, axes=axes, metadata=metadata)


def _opacity(picture: Image, size: Shape, task: Task) -> NDArray[Any]:
    """Return the opacity at a size, (..., H, W): of another size what the operator makes of it at once."""
    opacity = picture.samples_last(picture.array)[..., -1]
    if opacity.shape[-2:] == tuple(size):
        return opacity
    full = np.iinfo(opacity.dtype).max if opacity.dtype.kind in "iu" else 1
    planes = (opacity.reshape(-1, *opacity.shape[-2:]) / full).astype(np.float32)
    made = [
        array(task.measures.visible(task.measures.initial(tensor(plane[..., None]))))[..., 0] for plane in planes
    ]
    values = full * np.clip(np.stack(made), 0, 1).reshape(*opacity.shape[:-2], *size)
    return (np.rint(values) if opacity.dtype.kind in "iu" else values).astype(opacity.dtype)


def _make_opaque(frame: Image, task: Task) -> None:
    mask = task.folded[1]
    if mask is None:
        return
    opacity = frame.samples_last(frame.array)[..., -1]
    full = np.iinfo(opacity.dtype).max if opacity.dtype.kind in "iu" else 1
    for rows in _bands(frame):
        opacity[..., rows, :][..., (mask[..., rows, :] == 0).any(1)[0].numpy()] = full
        release(opacity)
