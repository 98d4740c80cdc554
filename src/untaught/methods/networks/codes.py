"""The code a network draws from: random noise as in the paper, or sines and cosines of the position."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Code:
    """Channels of the code fed to the network.

    Attributes
    ----------
    random : int
        Channels of noise, uniform in [0, 0.1]; 32 in the paper (Ulyanov et al., CVPR 2018, section 3).
    octaves : int
        Octaves k = 0 .. octaves-1 of sin and cos of 2^k pi u for both coordinates u in [-1, 1]: 4 channels
        each. Source of the idea: Tancik et al., "Fourier features", NeurIPS 2020.
    pilot : bool
        Whether an earlier estimate of the picture, where there is one, is part of the code too.
    """

    random: int = 32
    octaves: int = 0
    pilot: bool = False

    def draw(self, like: Tensor, pilot: Tensor | None, generator: torch.Generator) -> Tensor:
        """Return (1, channels, H, W) for a picture of the size of `like`, on its device."""
        height, width = like.shape[-2:]
        parts = []
        if self.octaves:
            parts.append(positional(height, width, self.octaves))
        if self.random:
            parts.append(0.1 * torch.rand(1, self.random, height, width, generator=generator))
        code = torch.cat(parts, dim=1).to(like.device) if parts else like[:, :0]
        if self.pilot and pilot is not None:
            code = torch.cat([code, pilot], dim=1)
        return code


def positional(height: int, width: int, octaves: int) -> Tensor:
    """Return sin and cos of 2^k pi u and 2^k pi v, shape (1, 4 octaves, height, width)."""
    longest = max(height, width)
    rows = (torch.arange(height) - (height - 1) / 2) * (2 / longest)
    columns = (torch.arange(width) - (width - 1) / 2) * (2 / longest)
    frequencies = math.pi * 2.0 ** torch.arange(octaves)
    v = (frequencies[:, None] * rows)[:, :, None].expand(-1, height, width)
    u = (frequencies[:, None] * columns)[:, None, :].expand(-1, height, width)
    return torch.cat([u.sin(), u.cos(), v.sin(), v.cos()])[None]
