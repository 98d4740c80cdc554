"""A picture at half its resolution, and its frequency bands, by the discrete cosine transform.

Keeping the low half of an orthonormal cosine transform leaves white noise white, with a quarter of its variance
in the smaller picture; interpolating would not. The transform mirrors at the border, so nothing shows there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from scipy import fft
from torch import Tensor

Axes = tuple[int, ...]
PICTURE: Axes = (2, 3)  # rows and columns of (F, C, H, W)


def _forward(x: Tensor, axes: Axes) -> Tensor:
    """Return the orthonormal cosine transform along some axes."""
    x = x.detach()
    if x.is_cpu:
        workers = torch.get_num_threads()
        return torch.from_numpy(fft.dctn(x.float().numpy(), axes=axes, norm="ortho", workers=workers))
    for axis in axes:
        x = (x.movedim(axis, -1) @ _cosines(x.shape[axis], x).T).movedim(-1, axis)
    return x


def _back(coefficients: Tensor, axes: Axes) -> Tensor:
    """Return the float32 picture that has these coefficients."""
    if coefficients.is_cpu:
        workers = torch.get_num_threads()
        values = fft.idctn(coefficients.numpy(), axes=axes, norm="ortho", workers=workers)
        return torch.from_numpy(values).float()
    for axis in axes:
        matrix = _cosines(coefficients.shape[axis], coefficients)
        coefficients = (coefficients.movedim(axis, -1) @ matrix).movedim(-1, axis)
    return coefficients


def _cosines(n: int, like: Tensor) -> Tensor:
    """Return the (n, n) matrix of the transform: to take a picture to the processor and back would take longer."""
    at = torch.arange(n, dtype=torch.float64, device=like.device)
    matrix = torch.cos(math.pi / n * at[:, None] * (at + 0.5)) * math.sqrt(2 / n)
    matrix[0] /= math.sqrt(2)
    return matrix.to(like.dtype)


def halved(x: Tensor, axes: Axes = PICTURE) -> Tensor:
    """Return (F, C, H, W) at half the resolution, (F, C, ceil(H/2), ceil(W/2)), values on the same scale.

    White noise of variance v becomes white noise of variance v h w / (H W). Other `axes` likewise.
    """
    coefficients = _forward(x, axes)
    share = 1.0
    for axis in axes:
        half = -(-x.shape[axis] // 2)
        coefficients = coefficients.narrow(axis, 0, half)
        share *= half / x.shape[axis]
    return _back(coefficients * math.sqrt(share), axes)


def enlarged(x: Tensor, size: Sequence[int], axes: Axes = PICTURE) -> Tensor:
    """Return (F, C, h, w) at the larger `size` (H, W): the smoothest picture of which `x` is the halved one."""
    coefficients = _forward(x, axes)
    share = 1.0
    for axis, count in zip(axes, size, strict=True):
        more = list(coefficients.shape)
        more[axis] = count - x.shape[axis]
        coefficients = torch.cat([coefficients, coefficients.new_zeros(more)], axis)
        share *= count / x.shape[axis]
    return _back(coefficients * math.sqrt(share), axes)


def bands(x: Tensor, edges: Sequence[float], axes: Axes = PICTURE) -> list[Tensor]:
    """Split (F, C, H, W) into frequency bands; edges rise, as shares of the highest frequency of any of the axes.

    The first band starts at 0; what lies above the last edge is left out. Every band is an orthogonal projection.
    """
    coefficients = _forward(x, axes)
    frequency = coefficients.new_zeros([1] * x.ndim)
    for axis in axes:
        shape = [1] * x.ndim
        shape[axis] = x.shape[axis]
        along = torch.arange(x.shape[axis], device=x.device) / x.shape[axis]
        frequency = torch.maximum(frequency, along.to(frequency.dtype).view(shape))
    starts = (0.0, *edges[:-1])
    return [
        _back(coefficients * ((frequency >= start) & (frequency < end)), axes)
        for start, end in zip(starts, edges, strict=True)
    ]
