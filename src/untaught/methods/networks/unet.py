"""A plain U-Net without normalisation, for the methods that train on recorruptions of one picture.

Source of the shape: Ronneberger, Fischer, Brox, MICCAI 2015; without normalisation and with LeakyReLU as in
Lehtinen et al., "Noise2Noise", ICML 2018, appendix A.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from untaught.methods.networks.hourglass import upsample


@dataclass(frozen=True)
class UNetShape:
    """Channels per scale and number of scales (1 means no down-sampling at all)."""

    width: int = 32
    scales: int = 3
    bounds: ClassVar[Mapping[str, tuple[int, int]]] = {"width": (1, 1024), "scales": (1, 8)}

    def build(self, inputs: int, outputs: int) -> nn.Module:
        """Return a new network of this shape."""
        return UNet(inputs, outputs, self)


def _pair(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1),
        nn.LeakyReLU(0.1, inplace=True),
        nn.Conv2d(outputs, outputs, 3, padding=1),
        nn.LeakyReLU(0.1, inplace=True),
    )


class UNet(nn.Module):
    """Map (N, inputs, H, W) to (N, outputs, H, W), any H and W; the last layer starts at zero.

    Starting at zero makes a network that corrects a pilot begin at the pilot itself.
    """

    def __init__(self, inputs: int, outputs: int, shape: UNetShape | None = None):
        super().__init__()
        shape = shape or UNetShape()
        width = shape.width
        self.down = nn.ModuleList(_pair(inputs if scale == 0 else width, width) for scale in range(shape.scales))
        self.up = nn.ModuleList(_pair(2 * width, width) for _ in range(shape.scales - 1))
        self.last = nn.Conv2d(width, outputs, 1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Return the output in float32."""
        skips: list[Tensor] = []
        for scale, block in enumerate(self.down):
            x = block(x if scale == 0 else F.avg_pool2d(x, 2, ceil_mode=True))
            skips.append(x)
        skips.pop()
        for block in self.up:
            skip = skips.pop()
            x = block(torch.cat([upsample(x, skip.shape[-2:], "bilinear"), skip], dim=1))
        output: Tensor = self.last(x)
        return output.float()
