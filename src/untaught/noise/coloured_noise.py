"""White noise made into noise that neighbouring pixels share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from untaught.noise.opponent_colours import basis

MANY = 256 * 256  # taps of a kernel from which on the Fourier transform is the quicker way
SHARED = 0.05  # correlation of the noise of two pixels above which one is hidden with the other

Kernel = tuple[tuple[float, ...], ...]


class Coloured(Protocol):
    """Noise that is white noise convolved: with `kernel`, or of three channels each colour with its own."""

    @property
    def kernel(self) -> Kernel: ...  # noqa: D102

    @property
    def colours(self) -> tuple[tuple[float, Kernel], ...]: ...  # noqa: D102


def reach(noise: Coloured) -> tuple[int, int]:
    """Return how many rows and columns apart the farthest pixels are that share noise."""
    kernels = [noise.kernel, *(kernel for _, kernel in noise.colours)]
    return max(map(len, kernels)) - 1, max(len(kernel[0]) for kernel in kernels) - 1


def drawn(shape: Sequence[int], noise: Coloured, generator: torch.Generator, device: torch.device) -> Tensor:
    """Draw noise of unit level, (1, C, H, W): larger and cut, for the noise of a picture ends at its edges."""
    rows, columns = reach(noise)
    height, width = shape[2] + rows, shape[3] + columns
    white = torch.randn((*shape[:2], height, width), generator=generator).to(device)
    return coloured(white, noise)[
        ..., rows // 2 : height - (rows + 1) // 2, columns // 2 : width - (columns + 1) // 2
    ]


def drawn_around(
    shape: Sequence[int], noise: Coloured, generator: torch.Generator, device: torch.device
) -> Tensor:
    """Draw the same, going around the edges where the picture is large enough for that."""
    rows, columns = reach(noise)
    if (rows + 1) // 2 > shape[2] or (columns + 1) // 2 > shape[3]:
        return drawn(shape, noise, generator, device)
    return coloured(torch.randn(shape, generator=generator).to(device), noise)


def coloured(white: Tensor, noise: Coloured) -> Tensor:
    """Return white noise, (1, C, H, W), convolved with the model's unit-norm kernel, each colour with its own."""
    if len(noise.colours) == white.shape[1] == 3:
        parts = [
            share**0.5 * _convolved(white[:, o : o + 1], kernel) for o, (share, kernel) in enumerate(noise.colours)
        ]
        return torch.einsum("oc,bohw->bchw", basis(white), torch.cat(parts, 1))
    return _convolved(white, noise.kernel)


def _convolved(x: Tensor, weights: Kernel) -> Tensor:
    """Return x * weights, the convolution going around the edges."""
    kernel = torch.as_tensor(weights, dtype=x.dtype, device=x.device)
    rows, columns = kernel.shape
    height, width = x.shape[-2:]
    if kernel.numel() > MANY and rows <= height and columns <= width:
        product = torch.fft.rfft2(x) * torch.fft.rfft2(kernel, s=(height, width))
        shifted: Tensor = torch.fft.irfft2(product, s=(height, width))
        return shifted.roll((-((rows - 1) // 2), -((columns - 1) // 2)), (-2, -1))
    edges = (columns // 2, (columns - 1) // 2, rows // 2, (rows - 1) // 2)
    channels = x.shape[1]
    taps = kernel.flip(0, 1).expand(channels, 1, rows, columns)
    return F.conv2d(F.pad(x, edges, mode="circular"), taps, groups=channels)


def shared(noise: Coloured) -> tuple[int, int]:
    """Return how many rows and columns away pixels share more than `SHARED` of their noise."""
    kernel = torch.tensor(noise.kernel, dtype=torch.float64)
    size = [2 * n - 1 for n in kernel.shape]
    spectrum = torch.fft.rfft2(kernel, s=size)
    correlation = torch.fft.irfft2(spectrum * spectrum.conj(), s=size)
    far = (correlation.abs() > SHARED).nonzero()
    away = torch.minimum(far, torch.tensor(size) - far).max(dim=0).values
    return int(away[0]), int(away[1])
