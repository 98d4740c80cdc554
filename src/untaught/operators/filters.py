"""Fill in what was not measured from what lies around it, coarse to fine."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

TENT = (1.0, 2.0, 1.0)  # what bilinear interpolation gives to a sample and to its neighbours
TINY = 1e-30  # keeps 0 / 0 at 0
ENOUGH = 4.0  # weight of the neighbours that a pixel of a Bayer mosaic has: no coarser picture is asked


def filled(y: Tensor, mask: Tensor) -> Tensor:
    """Return `y` where `mask` is 1, and an interpolation elsewhere.

    x_i = a_i sum_j t_{i-j} m_j y_j / w_i + (1 - a_i) x'_i,  w_i = sum_j t_{i-j} m_j,  a_i = min(1, w_i / 4),

    with t = [1 2 1] x [1 2 1], and x' the same from a picture of half the size, whose pixels are means of the
    measured ones and count as measured where one of four was. On a Bayer mosaic this is bilinear
    interpolation; where nothing is near, it is smooth.

    Parameters
    ----------
    y : Tensor
        (1, C, H, W); what it holds where `mask` is 0 does not count.
    mask : Tensor
        1 or 0, (1, C, H, W) or (1, 1, H, W).

    Returns
    -------
    Tensor
        (1, C, H, W). Zero where no pixel of a channel was measured.

    References
    ----------
    H. Knutsson and C.-F. Westin, "Normalized and differential convolution", CVPR 1993; S. Gortler et al.,
    "The lumigraph", SIGGRAPH 1996, section 3.4 (pull and push).
    """
    mask = mask.to(y).expand_as(y)
    values = torch.where(mask > 0, y, 0.0)  # not a product: missing pixels may hold NaN
    return torch.where(mask > 0, y, _interpolated(values, mask))


def _interpolated(values: Tensor, mask: Tensor) -> Tensor:
    """Return x, given m y and m."""
    weight = _tent(mask)
    near = _tent(values) / weight.clamp_min(TINY)
    trust = (weight / ENOUGH).clamp_max(1)
    if bool((trust == 1).all()) or max(values.shape[-2:]) == 1:
        return near
    total, count = (4 * F.avg_pool2d(plane, 2, ceil_mode=True) for plane in (values, mask))
    known = count.clamp_max(1)
    half = _interpolated(total * known / count.clamp_min(TINY), known)
    coarse = F.interpolate(half, scale_factor=2, mode="bilinear")[..., : values.shape[-2], : values.shape[-1]]
    return trust * near + (1 - trust) * coarse


def _tent(x: Tensor) -> Tensor:
    tap = torch.tensor(TENT, dtype=x.dtype, device=x.device)
    kernel = torch.outer(tap, tap).expand(x.shape[1], 1, 3, 3)
    return F.conv2d(x, kernel, padding=1, groups=x.shape[1])


def local_mean(x: Tensor, side: int) -> Tensor:
    """Return the mean over a square of odd side around every pixel, edges repeated; shape of x, (B, C, H, W)."""
    edge = side // 2
    padded = F.pad(x, (edge, edge, edge, edge), mode="replicate")
    found: Tensor = F.avg_pool2d(F.avg_pool2d(padded, (side, 1), stride=1), (1, side), stride=1)
    return found
