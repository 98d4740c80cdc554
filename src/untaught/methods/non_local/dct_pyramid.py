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


def _forward(x: Tensor) -> Tensor:
    """Return the orthonormal cosine transform of (1, C, H, W), without the leading 1."""
    picture = x[0].detach()
    if picture.is_cpu:
        workers = torch.get_num_threads()
        return torch.from_numpy(fft.dctn(picture.double().numpy(), axes=(1, 2), norm="ortho", workers=workers))
    rows, columns = (_cosines(n, picture) for n in picture.shape[1:])
    return rows @ picture @ columns.T


def _back(coefficients: Tensor) -> Tensor:
    """Return the float32 picture (1, C, H, W) that has these coefficients, (C, H, W)."""
    if coefficients.is_cpu:
        workers = torch.get_num_threads()
        values = fft.idctn(coefficients.numpy(), axes=(1, 2), norm="ortho", workers=workers)
        return torch.from_numpy(values).float()[None]
    rows, columns = (_cosines(n, coefficients) for n in coefficients.shape[1:])
    return (rows.T @ coefficients @ columns)[None]


def _cosines(n: int, like: Tensor) -> Tensor:
    """Return the (n, n) matrix of the transform: to take a picture to the processor and back would take longer."""
    at = torch.arange(n, dtype=torch.float64, device=like.device)
    matrix = torch.cos(math.pi / n * at[:, None] * (at + 0.5)) * math.sqrt(2 / n)
    matrix[0] /= math.sqrt(2)
    return matrix.to(like.dtype)


def halved(x: Tensor) -> Tensor:
    """Return (1, C, H, W) at half the resolution, (1, C, ceil(H/2), ceil(W/2)), values on the same scale.

    White noise of variance v becomes white noise of variance v h w / (H W).
    """
    coefficients = _forward(x)
    height, width = coefficients.shape[1:]
    h, w = -(-height // 2), -(-width // 2)
    return _back(coefficients[:, :h, :w] * math.sqrt(h * w / (height * width)))


def enlarged(x: Tensor, size: Sequence[int]) -> Tensor:
    """Return (1, C, h, w) at the larger `size` (H, W): the smoothest picture of which `x` is the halved one."""
    coefficients = _forward(x)
    h, w = coefficients.shape[1:]
    padded = coefficients.new_zeros(coefficients.shape[0], *size)
    padded[:, :h, :w] = coefficients * math.sqrt(size[0] * size[1] / (h * w))
    return _back(padded)


def bands(x: Tensor, edges: Sequence[float]) -> list[Tensor]:
    """Split (1, C, H, W) into frequency bands; edges rise, as shares of the highest frequency of either axis.

    The first band starts at 0; what lies above the last edge is left out. Every band is an orthogonal projection.
    """
    coefficients = _forward(x)
    height, width = coefficients.shape[1:]
    rows, columns = (torch.arange(n, device=x.device) / n for n in (height, width))
    frequency = torch.maximum(rows[:, None], columns)
    starts = (0.0, *edges[:-1])
    return [
        _back(coefficients * ((frequency >= start) & (frequency < end)))
        for start, end in zip(starts, edges, strict=True)
    ]
