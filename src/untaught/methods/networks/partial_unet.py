"""A U-Net that knows which of its values are missing, with dropout in its decoder.

Source: Quan, Chen, Pang, Ji, "Self2Self With Dropout", CVPR 2020, section 3.1; partial convolutions of Liu, Reda,
Shih, Wang, Tao, Catanzaro, "Image Inpainting for Irregular Holes Using Partial Convolutions", ECCV 2018.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from untaught.methods.networks.hourglass import upsample


@dataclass(frozen=True)
class PartialShape:
    """Channels of the encoder (twice as many in the decoder), scales, and the share dropped in the decoder.

    48 channels, 6 scales and 0.3 in the paper.
    """

    width: int = 32
    scales: int = 4
    dropout: float = 0.3


class PartialConv(nn.Module):
    """A 3 x 3 convolution over known values only, scaled up for those that are missing.

        out = W (x m) * N / sum(m) + b where the window holds a known value, else 0;  m' = 1 there

    N is the number of values of the window, those beyond the edge included.
    """

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.bias = nn.Parameter(torch.zeros(1, outputs, 1, 1))

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the output, and (B, 1, H, W): 1 where it rests on something.

        `mask` has the shape of `x`, or one channel.
        """
        share = F.avg_pool2d(mask.mean(dim=1, keepdim=True), 3, 1, 1)
        known = (share > 0).to(x.dtype)
        out = self.conv(x * mask) / share.clamp_min(1e-3) + self.bias
        return out * known, known


class Dropping(nn.Module):
    """Two convolutions, each after dropout and before LeakyReLU(0.1)."""

    def __init__(self, inputs: int, outputs: int, dropout: float):
        super().__init__()
        self.dropout = dropout
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, outputs, H, W)."""
        for convolution in (self.first, self.second):
            x = F.leaky_relu(convolution(F.dropout(x, self.dropout)), 0.1)
        return x


class PartialUNet(nn.Module):
    """Map (B, C, H, W) and a mask of that shape to (B, C, H, W).

    Dropout acts whatever the mode, as the answer needs. It draws from torch's global generator: seed that, in a
    fork.
    """

    takes_mask = True

    def __init__(self, channels: int, shape: PartialShape | None = None):
        super().__init__()
        shape = shape or PartialShape()
        wide = 2 * shape.width
        self.dropout = shape.dropout
        self.down = nn.ModuleList(
            PartialConv(shape.width if scale else channels, shape.width) for scale in range(shape.scales)
        )
        skips = [*(shape.width,) * (shape.scales - 2), channels][-(shape.scales - 1) :] if shape.scales > 1 else []
        self.up = nn.ModuleList(
            Dropping((wide if scale else shape.width) + skip, wide, shape.dropout)
            for scale, skip in enumerate(skips)
        )
        self.last = nn.Conv2d(wide if skips else shape.width, channels, 3, padding=1)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return the output in float32."""
        skips = [x * mask]
        for scale, block in enumerate(self.down):
            x, mask = block(x, mask)
            x = F.leaky_relu(x, 0.1)
            if scale < len(self.down) - 1:
                x, mask = F.max_pool2d(x, 2, ceil_mode=True), F.max_pool2d(mask, 2, ceil_mode=True)
                skips.append(x)
        skips = skips[:-1]
        for block in self.up:
            skip = skips.pop()
            x = block(torch.cat([upsample(x, skip.shape[-2:], "nearest"), skip], dim=1))
        output: Tensor = self.last(F.dropout(x, self.dropout))
        return output.float()
