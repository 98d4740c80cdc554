"""The hourglass with skips of the deep image prior, and its half-resolution variant.

Source of the shape: Ulyanov, Vedaldi, Lempitsky, "Deep Image Prior", CVPR 2018, section 2 and supplementary
material (figure 21): strided convolutions down, bilinear up-sampling, thin 1x1 skips, LeakyReLU(0.2), batch
normalisation, reflection padding, a sigmoid at the end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Upsampling = Literal["bilinear", "nearest"]
Padding = Literal["reflect", "zeros"]


@dataclass(frozen=True)
class HourglassShape:
    """The numbers that make an hourglass. Defaults are the paper's for denoising (its supplement, table 1)."""

    width: int = 128
    depth: int = 5
    skip: int = 4
    upsampling: Upsampling = "bilinear"
    padding: Padding = "reflect"
    head: int = 0  # 0: as in the paper. n > 0: the trunk runs at half resolution and n channels finish it.

    def fitted(self, height: int, width: int) -> HourglassShape:
        """Return the shape with no more scales than leave two pixels on each side at the deepest."""
        side = -(-min(height, width) // (2 if self.head else 1))
        return replace(self, depth=max(1, min(self.depth, (side - 1).bit_length() - 1)))


class Conv(nn.Conv2d):
    """A convolution that keeps the size (divides it by `stride`, rounding up)."""

    def __init__(self, inputs: int, outputs: int, size: int, padding: Padding, stride: int = 1):
        super().__init__(inputs, outputs, size, stride, size // 2, padding_mode=padding)

    def forward(self, input: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, ceil(H / stride), ceil(W / stride))."""
        if self.padding_mode == "zeros":
            return super().forward(input)
        sides = [side for size in reversed(self.kernel_size) for side in (size // 2, size // 2)]
        # Autocast would pad in float32, which takes four times as long as the same values in bfloat16.
        with torch.autocast(input.device.type, enabled=False):
            padded = F.pad(input, sides, mode=self.padding_mode)
        return F.conv2d(padded, self.weight, self.bias, self.stride)


class ConvBlock(nn.Sequential):
    """Convolution, batch normalisation, LeakyReLU(0.2)."""

    def __init__(self, inputs: int, outputs: int, size: int, padding: Padding, stride: int = 1):
        # padding_mode "zeros" is free inside the convolution, "reflect" costs a copy; a 1x1 needs neither.
        super().__init__(
            Conv(inputs, outputs, size, "zeros" if size == 1 else padding, stride),
            nn.BatchNorm2d(outputs),
            nn.LeakyReLU(0.2, inplace=True),
        )


class Scale(nn.Module):
    """One scale: skip beside (down, the deeper scales, up), concatenated and mixed."""

    def __init__(self, inputs: int, shape: HourglassShape, deeper: nn.Module | None):
        super().__init__()
        width, padding = shape.width, shape.padding
        self.mode = shape.upsampling
        self.skip = ConvBlock(inputs, shape.skip, 1, padding) if shape.skip else None
        self.down = nn.Sequential(
            ConvBlock(inputs, width, 3, padding, stride=2), ConvBlock(width, width, 3, padding)
        )
        self.deeper = deeper
        self.mix = nn.Sequential(
            nn.BatchNorm2d(width + shape.skip),
            ConvBlock(width + shape.skip, width, 3, padding),
            ConvBlock(width, width, 1, padding),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (1, inputs, H, W) to (1, width, H, W), any H and W."""
        low = self.down(x)
        if self.deeper is not None:
            low = self.deeper(low)
        up = upsample(low, x.shape[-2:], self.mode)
        if up.requires_grad:  # a slice of the concatenation's gradient, which up-sampling is slow on as it is
            up.register_hook(_channels_last)
        if self.skip is not None:
            up = torch.cat([self.skip(x), up], dim=1)
        mixed: Tensor = self.mix(up)
        return mixed


def _channels_last(gradient: Tensor) -> Tensor:
    return gradient.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)  # as torch.func can map it, too


def upsample(x: Tensor, size: torch.Size | tuple[int, int], mode: Upsampling) -> Tensor:
    """Resize to exactly `size`, so that odd sizes need no padding and no cropping."""
    if mode == "nearest":
        return F.interpolate(x, size=tuple(size), mode="nearest")
    return F.interpolate(x, size=tuple(size), mode="bilinear", align_corners=False)


class Hourglass(nn.Module):
    """Code (1, code_channels, H, W) in, picture (1, channels, H, W) in (0, 1) out.

    With `shape.head > 0` the trunk works on the code averaged to half resolution, and a thin full-resolution
    head, which sees the full-resolution code too, finishes the picture: about four times fewer operations.
    """

    def __init__(self, code_channels: int, channels: int, shape: HourglassShape | None = None):
        super().__init__()
        shape = shape or HourglassShape()
        self.halved = shape.head > 0
        self.mode = shape.upsampling
        trunk: nn.Module | None = None
        for level in reversed(range(shape.depth)):
            trunk = Scale(code_channels if level == 0 else shape.width, shape, trunk)
        if trunk is None:
            raise ValueError("depth must be at least 1")
        self.trunk = trunk
        width = shape.width
        if self.halved:
            self.squeeze = nn.Conv2d(width, shape.head, 1)
            self.head = nn.Sequential(
                nn.BatchNorm2d(shape.head + code_channels),
                ConvBlock(shape.head + code_channels, shape.head, 3, shape.padding),
                ConvBlock(shape.head, shape.head, 3, shape.padding),
            )
            width = shape.head
        self.last = nn.Conv2d(width, channels, 1)

    def forward(self, code: Tensor) -> Tensor:
        """Draw the picture from its code."""
        if self.halved:
            low = self.squeeze(self.trunk(F.avg_pool2d(code, 2, ceil_mode=True)))
            up = upsample(low, code.shape[-2:], self.mode)
            features = self.head(torch.cat([up, code], dim=1))
        else:
            features = self.trunk(code)
        return torch.sigmoid(self.last(features).float())
