"""The architectures of the deep image prior by name: hourglasses, a U-Net, a ResNet, a decoder alone.

Source of the comparison: Ulyanov, Vedaldi, Lempitsky, "Deep Image Prior", IJCV 2020, section 3.4 and figure 8:
which network is the better prior depends on the task, and on large holes on its depth and its skips.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from untaught.errors import InputError, did_you_mean
from untaught.methods.networks.hourglass import ConvBlock, Hourglass, HourglassShape, upsample

WIDTH = 32  # channels of all of them, so that what differs is the architecture
Build = Callable[[int, int, int], nn.Module]


class UNetGenerator(nn.Module):
    """U-Net with batch normalisation: what a scale sees on the way down is handed over whole on the way up."""

    def __init__(self, inputs: int, outputs: int, depth: int):
        super().__init__()
        self.down = nn.ModuleList(_pair(WIDTH if scale else inputs) for scale in range(depth + 1))
        self.up = nn.ModuleList(_pair(2 * WIDTH) for _ in range(depth))
        self.last = nn.Conv2d(WIDTH, outputs, 1)

    def forward(self, code: Tensor) -> Tensor:
        """Draw the picture (1, outputs, H, W) in (0, 1) from its code, any H and W."""
        kept = [self.down[0](code)]
        for block in self.down[1:]:
            kept.append(block(F.avg_pool2d(kept[-1], 2, ceil_mode=True)))
        x = kept.pop()
        for block in self.up:
            skip = kept.pop()
            x = block(torch.cat([upsample(x, skip.shape[-2:], "bilinear"), skip], dim=1))
        return torch.sigmoid(self.last(x).float())


class Residual(nn.Module):
    """x + BN(conv(act(BN(conv(x)))))."""

    def __init__(self) -> None:
        super().__init__()
        self.first = ConvBlock(WIDTH, WIDTH, 3, "reflect")
        self.second = nn.Sequential(*list(ConvBlock(WIDTH, WIDTH, 3, "reflect"))[:2])

    def forward(self, x: Tensor) -> Tensor:
        """Map (1, WIDTH, H, W) to the same shape."""
        changed: Tensor = self.second(self.first(x))
        return x + changed


class ResNetGenerator(nn.Sequential):
    """Residual blocks at full resolution: no scales, so that distant pixels never meet."""

    def __init__(self, inputs: int, outputs: int, blocks: int):
        first = ConvBlock(inputs, WIDTH, 3, "reflect")
        super().__init__(first, *(Residual() for _ in range(blocks)), nn.Conv2d(WIDTH, outputs, 1))

    def forward(self, code: Tensor) -> Tensor:
        """Draw the picture (1, outputs, H, W) in (0, 1) from its code, any H and W."""
        return torch.sigmoid(super().forward(code).float())


class DecoderGenerator(nn.Module):
    """The way up of an hourglass alone: the code at the lowest resolution, no skips."""

    def __init__(self, inputs: int, outputs: int, depth: int):
        super().__init__()
        self.depth = depth
        self.up = nn.ModuleList(_pair(WIDTH if scale else inputs) for scale in range(depth + 1))
        self.last = nn.Conv2d(WIDTH, outputs, 1)

    def forward(self, code: Tensor) -> Tensor:
        """Draw the picture (1, outputs, H, W) in (0, 1) from its code, any H and W."""
        height, width = code.shape[-2:]
        x = code[..., :: 2**self.depth, :: 2**self.depth]
        for scale, block in enumerate(self.up):
            step = 2 ** (self.depth - scale)
            x = block(upsample(x, (-(-height // step), -(-width // step)), "bilinear"))
        return torch.sigmoid(self.last(x).float())


def _pair(inputs: int) -> nn.Sequential:
    return nn.Sequential(ConvBlock(inputs, WIDTH, 3, "reflect"), ConvBlock(WIDTH, WIDTH, 3, "reflect"))


def _hourglass(depth: int, skip: int) -> Build:
    shape = HourglassShape(width=WIDTH, depth=depth, skip=skip)
    return lambda inputs, outputs, side: Hourglass(inputs, outputs, shape.fitted(side, side))


GENERATORS: Mapping[str, Build] = {
    **{f"hourglass-{depth}": _hourglass(depth, 4) for depth in range(2, 7)},
    **{f"hourglass-{depth}-no-skips": _hourglass(depth, 0) for depth in range(2, 7)},
    "unet": lambda inputs, outputs, side: UNetGenerator(inputs, outputs, _depth(side, 5)),
    "resnet": lambda inputs, outputs, side: ResNetGenerator(inputs, outputs, 8),
    "decoder": lambda inputs, outputs, side: DecoderGenerator(inputs, outputs, _depth(side, 5)),
}


def _depth(side: int, most: int) -> int:
    """Return how often a side can be halved and keep two pixels, at most so often."""
    return HourglassShape(depth=most).fitted(side, side).depth


def generator(shape: HourglassShape | str, inputs: int, outputs: int, size: tuple[int, int]) -> nn.Module:
    """Return an untrained network from a code (1, inputs, H, W) to a picture (1, outputs, H, W) in (0, 1).

    Raises
    ------
    InputError
        For a name that is not in `GENERATORS`.
    """
    if isinstance(shape, HourglassShape):
        return Hourglass(inputs, outputs, shape.fitted(*size))
    if shape not in GENERATORS:
        hint = did_you_mean(shape, GENERATORS)
        raise InputError(f"there is no network {shape!r}; {hint}choose {', '.join(GENERATORS)}")
    return GENERATORS[shape](inputs, outputs, min(size))
