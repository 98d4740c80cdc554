"""A picture at half its resolution, and its frequency bands, by the discrete cosine transform.

Keeping the low half of an orthonormal cosine transform leaves white noise white, with a quarter of its variance
in the smaller picture; interpolating would not. The transform mirrors at the border, so nothing shows there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import fft
from torch import Tensor

Coefficients = NDArray[np.float64]


def _forward(x: Tensor) -> Coefficients:
    values = x[0].detach().double().cpu().numpy()
    found: Coefficients = fft.dctn(values, axes=(1, 2), norm="ortho", workers=torch.get_num_threads())
    return found


def _back(coefficients: Coefficients, like: Tensor) -> Tensor:
    values = fft.idctn(coefficients, axes=(1, 2), norm="ortho", workers=torch.get_num_threads())
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))[None].to(like.device)


def halved(x: Tensor) -> Tensor:
    """Return (1, C, H, W) at half the resolution, (1, C, ceil(H/2), ceil(W/2)), values on the same scale.

    White noise of variance v becomes white noise of variance v h w / (H W).
    """
    coefficients = _forward(x)
    height, width = coefficients.shape[1:]
    h, w = -(-height // 2), -(-width // 2)
    return _back(coefficients[:, :h, :w] * math.sqrt(h * w / (height * width)), x)


def enlarged(x: Tensor, size: Sequence[int]) -> Tensor:
    """Return (1, C, h, w) at the larger `size` (H, W): the smoothest picture of which `x` is the halved one."""
    coefficients = _forward(x)
    h, w = coefficients.shape[1:]
    padded = np.zeros((coefficients.shape[0], *size))
    padded[:, :h, :w] = coefficients * math.sqrt(size[0] * size[1] / (h * w))
    return _back(padded, x)


def bands(x: Tensor, edges: Sequence[float]) -> list[Tensor]:
    """Split (1, C, H, W) into frequency bands; edges rise, as shares of the highest frequency of either axis.

    The first band starts at 0; what lies above the last edge is left out. Every band is an orthogonal projection.
    """
    coefficients = _forward(x)
    height, width = coefficients.shape[1:]
    frequency = np.maximum(np.arange(height)[:, None] / height, np.arange(width)[None] / width)
    starts = (0.0, *edges[:-1])
    return [
        _back(coefficients * ((frequency >= start) & (frequency < end)), x)
        for start, end in zip(starts, edges, strict=True)
    ]
