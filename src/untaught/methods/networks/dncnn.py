"""DnCNN: a stack of convolutions that draws the noise of a picture.

Source: Zhang, Zuo, Chen, Meng, Zhang, "Beyond a Gaussian Denoiser: Residual Learning of Deep CNN for Image
Denoising", IEEE Transactions on Image Processing 2017: 17 layers for one noise level, 64 channels, 3 x 3. Without
the batch normalisation of the paper: its running means would differ between processes, and between what is fitted
(noisier pictures) and what is restored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from torch import Tensor, nn


@dataclass(frozen=True)
class DnCNNShape:
    """Number of convolutions, at least 2, and channels between them; 17 and 64 in the paper."""

    depth: int = 17
    width: int = 64
    bounds: ClassVar[Mapping[str, tuple[int, int]]] = {"depth": (2, 64), "width": (1, 1024)}

    def build(self, inputs: int, outputs: int) -> nn.Module:
        """Return a new network of this shape."""
        return DnCNN(inputs, outputs, self)


class DnCNN(nn.Module):
    """R(y) for (N, inputs, H, W), any H and W: the noise of the (N, outputs, H, W) picture; it starts at zero."""

    def __init__(self, inputs: int, outputs: int, shape: DnCNNShape | None = None):
        super().__init__()
        shape = shape or DnCNNShape()
        widths = [inputs, *(shape.width,) * (shape.depth - 1)]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            convolution = nn.Conv2d(before, after, 3, padding=1)
            nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
            layers += [convolution, nn.ReLU(inplace=True)]
        last = nn.Conv2d(shape.width, outputs, 3, padding=1)
        for value in last.parameters():
            nn.init.zeros_(value)
        self.noise = nn.Sequential(*layers, last)

    def forward(self, y: Tensor) -> Tensor:
        """Return the noise, in float32."""
        drawn: Tensor = self.noise(y)
        return drawn.float()
