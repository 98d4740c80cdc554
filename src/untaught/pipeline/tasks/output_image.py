"""A task: an operator with a name. What of a picture it is about, and what its answer looks like."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from untaught.image.image import Image
from untaught.operators import Composition, Identity, Mask, Mosaic, Operator
from untaught.operators.base import Shape
from untaught.problem import array, tensor

KEEPS = 1e-3  # how far A(1) may be from 1 for an operator that keeps grey levels


@dataclass(frozen=True)
class Task:
    """What was asked for: a name, as on the command line, and an operator, with what that was made of."""

    name: str
    operator: Operator
    given: Mapping[str, str] | None = None  # see `Recipe.operands`

    @property
    def folded(self) -> tuple[Operator | None, Tensor | None]:
        """The operator without the masks that come last, None for the identity, and those masks, 1 and 0."""
        return folded(self.operator)


def folded(operator: Operator) -> tuple[Operator | None, Tensor | None]:
    """Take the masks that come last off an operator: they only say what was measured; see `Task.folded`."""
    if isinstance(operator, Identity):
        return None, None
    if isinstance(operator, Mask):
        return None, operator.mask
    if isinstance(operator, Composition):
        outer, last = folded(operator.outer)
        if outer is None:
            inner, mask = folded(operator.inner)
            return inner, mask if last is None else last if mask is None else mask * last
        return (operator if last is None else Composition(outer, operator.inner)), last
    return operator, None


def outermost(operator: Operator | None) -> Operator | None:
    """Return what happened last."""
    while isinstance(operator, Composition):
        operator = operator.outer
    return operator


def support_of(operator: Operator | None, y: Tensor) -> Tensor:
    """Return 1 where an operator measures anything at all, 0 where its measurement is always zero."""
    nothing_missing = torch.ones_like(y[:, :1])
    if operator is None or not operator.linear:
        return nothing_missing
    x = torch.rand(operator.picture_shape(y.shape), generator=torch.Generator().manual_seed(0))
    seen = operator.A(x.to(y.device)) != 0
    return nothing_missing if bool(seen.all()) else seen.float()


def keeps_levels(operator: Operator | None, y: Tensor) -> bool:
    """Say whether a measurement has the grey levels of the picture, as means of its pixels have."""
    if operator is None:
        return True
    if not operator.linear or y.ndim != 4:
        return False
    flat = operator.A(torch.ones(operator.picture_shape(y.shape), device=y.device))
    support = support_of(operator, y) > 0
    return bool((((flat - 1).abs() < KEEPS) | ~support).all())


def measurement(picture: Image, task: Task) -> Image:
    """Return the picture with the value range that suits the operator, and NaN in floats that a mask leaves out.

    Raises
    ------
    InputError
        If the picture does not fit the operator.
    """
    operator, mask = task.folded
    first = next(picture.planes())
    y = tensor(first.values)
    task.operator.picture_shape(y.shape)
    if not keeps_levels(operator, y):
        whole = picture.array.dtype.kind in "biu"
        return replace(picture, value_range=(0.0, picture.value_range[1]) if whole else (0.0, 1.0))
    if mask is None or picture.array.dtype.kind != "f" or mask.shape[1] > 1:
        return picture
    return _without(picture, mask[0, 0].numpy() > 0)


def _without(picture: Image, kept: NDArray[np.bool_]) -> Image:
    """Return a picture of floats with NaN where `kept`, (H, W), is False; a range that was found is found anew."""
    array = np.array(picture.array)
    values = picture.samples_last(array)
    values[..., ~kept, : values.shape[-1] - picture.alpha] = np.nan
    before, after = (Image.of(a, picture.axes, alpha=picture.alpha).value_range for a in (picture.array, array))
    found = picture.value_range == before
    return replace(picture, array=array, value_range=after if found else picture.value_range)


def first_pictures(measured: Image, task: Task) -> Iterator[NDArray[np.float32]]:
    """Yield (H, W, C) of every plane: what the operator makes of it at once."""
    for plane in measured.planes():
        y = tensor(plane.values)
        yield array(task.operator.visible(task.operator.initial(y)))


def framed(measured: Image, task: Task) -> Image:
    """Return the picture of the answer's size and channels, filled with `first_pictures`.

    It stands for every plane that could not be reached. Opacity goes with the size; where a mask says what is
    missing, the answer is opaque.
    """
    firsts = list(first_pictures(measured, task))
    height, width = firsts[0].shape[:2]
    samples = sum(plane.shape[-1] for plane in firsts) // math.prod(measured.lead_shape) + measured.alpha
    same = (height, width, samples) == (measured.height, measured.width, measured.size("S"))
    frame = measured if same else _resized(measured, (height, width, samples))
    frame = replace(frame, array=np.array(frame.array))
    if frame.alpha:
        _make_opaque(frame, task)
    return frame.with_planes(firsts)


def _resized(picture: Image, shape: Shape) -> Image:
    """Return an empty picture of another height, width and number of samples; alpha from the nearest pixel."""
    height, width, samples = shape
    coloured = samples > 1 or "S" in picture.axes
    array = np.zeros((*picture.lead_shape, *shape), picture.array.dtype)
    if picture.alpha:
        rows, columns = (
            (np.arange(new) * old) // new for old, new in ((picture.height, height), (picture.width, width))
        )
        array[..., -1] = picture.samples_last(picture.array)[..., -1][..., rows[:, None], columns]
    lost = {"tiff"} if samples == picture.size("S") else {"tiff", "png", "icc", "photometric"}
    metadata = {key: value for key, value in picture.metadata.items() if key not in lost}
    if "resolution" in metadata:
        x, y, unit = metadata["resolution"]
        metadata["resolution"] = (x * width / picture.width, y * height / picture.height, unit)
    axes = picture.lead_axes + ("YXS" if coloured else "YX")
    return replace(picture, array=array if coloured else array[..., 0], axes=axes, metadata=metadata)


def _make_opaque(frame: Image, task: Task) -> None:
    mask = task.folded[1]
    if mask is None:
        return
    opacity = frame.samples_last(frame.array)[..., -1]
    full = np.iinfo(opacity.dtype).max if opacity.dtype.kind in "iu" else 1
    opacity[..., (mask == 0).any(1)[0].numpy()] = full


def hint_of(guide: Tensor, operator: Operator | None, picture_shape: Shape) -> Tensor:
    """Return a guide of the size of what is shown, extended to the whole picture where that is larger."""
    missing = [picture_shape[axis] - guide.shape[axis] for axis in (-2, -1)]
    if operator is None or not any(missing):
        return guide
    at = torch.arange(picture_shape[-2] * picture_shape[-1]).reshape(1, 1, *picture_shape[-2:]).double()
    corner = int(operator.visible(at)[0, 0, 0, 0])
    top, left = divmod(corner, picture_shape[-1])
    return F.pad(guide, (left, missing[1] - left, top, missing[0] - top), mode="replicate")


def visible_size(operator: Operator | None, y: Tensor) -> Shape:
    """Return height and width of what is shown of the picture."""
    if operator is None:
        return tuple(y.shape[-2:])
    return tuple(operator.visible(torch.empty(operator.picture_shape(y.shape))).shape[-2:])


def sites(values: NDArray[Any], operator: Operator | None) -> NDArray[Any]:
    """Return (H, W, C) with the sites of a colour filter array as channels, where neighbours differ in colour."""
    last = outermost(operator)
    if not isinstance(last, Mosaic):
        return values
    rows, columns = len(last.rows), len(last.rows[0])
    height, width = values.shape[0] // rows, values.shape[1] // columns
    whole = values[: height * rows, : width * columns, 0]
    return whole.reshape(height, rows, width, columns).transpose(0, 2, 1, 3).reshape(height, width, rows * columns)
