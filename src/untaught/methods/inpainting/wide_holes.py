"""Holes too wide for similar patches to fill."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

DEEP = 5.0  # pixels from anything measured: what is farther in is only blurred by similar patches


def wide_holes(mask: Tensor, depth: float) -> Tensor:
    """Return 1 in every connected part of what is missing that reaches deeper than so many pixels.

    Parameters
    ----------
    mask : Tensor
        (1, any, H, W), 1 where something was measured.
    depth : float
        Distance to the nearest measured pixel.

    Returns
    -------
    Tensor
        (1, 1, H, W), 1 or 0.
    """
    from scipy.ndimage import distance_transform_edt, label, maximum

    missing = (mask == 0).all(1)[0].cpu().numpy()
    parts, count = label(missing, np.ones((3, 3)))
    wide = np.zeros(count + 1, np.float32)
    if count and not missing.all():
        wide[1:] = maximum(distance_transform_edt(missing), parts, range(1, count + 1)) > depth
    return torch.from_numpy(wide[parts]).to(mask)[None, None]
