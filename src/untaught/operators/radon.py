"""The Radon transform of parallel-beam tomography."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from untaught.errors import InputError
from untaught.operators.base import LinearOperator, Shape, by


@dataclass(frozen=True)
class Radon(LinearOperator):
    """A x = line integrals of x: for every angle the sums along the columns of the turned picture.

    y(t, a) = sum_s x(t cos a + s sin a, -t sin a + s cos a),

    x between pixels by bilinear interpolation, the origin at pixel (H // 2, W // 2): the same numbers as
    `skimage.transform.radon`. Measurements are sinograms (1, C, detectors, angles).

    Attributes
    ----------
    angles : int or tuple of float
        Angles in degrees, or how many of them there are, evenly from 0 to 180 without the end.
    circle : bool
        Whether the object lies in the circle inscribed into a square picture; detectors are then as many as
        the picture has columns. Otherwise they see the whole picture, corners included, which may have any
        shape.
    size : tuple of int or None
        Height and width of the picture, where `circle` is False and the picture is not a square.

    Raises
    ------
    InputError
        For no angles, a picture that is no square where `circle` is set, or sizes that do not fit.

    References
    ----------
    A. Kak and M. Slaney, "Principles of Computerized Tomographic Imaging", 1988, chapter 3.
    """

    name: ClassVar[str] = "radon"
    angles: int | tuple[float, ...] = 180
    circle: bool = True
    size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        given = self.angles
        if not isinstance(given, int):
            object.__setattr__(self, "angles", tuple(float(angle) for angle in given))
        if not self.degrees or not all(math.isfinite(angle) for angle in self.degrees):
            raise InputError(f"the angles are {given}; give at least one, in degrees")

    @property
    def degrees(self) -> tuple[float, ...]:
        """The angles."""
        if isinstance(self.angles, tuple):
            return self.angles
        return tuple(180 * index / self.angles for index in range(self.angles))

    def shape(self, x_shape: Shape) -> Shape:
        """Return (1, C, detectors, angles)."""
        size = tuple(x_shape[-2:])
        if self.size is not None and size != tuple(self.size):
            raise InputError(f"the picture is {by(*size)} pixels, and size says {by(*self.size)}")
        if self.circle and size[0] != size[1]:
            raise InputError(f"the picture is {by(*size)} pixels and not a square; set circle to False")
        if self.size is None and size[0] != size[1]:
            raise InputError(f"the picture is {by(*size)} pixels and not a square; give size={size}")
        detectors = size[0] if self.circle else math.ceil(math.sqrt(2) * max(size))
        return (*x_shape[:2], detectors, len(self.degrees))

    def picture_shape(self, y_shape: Shape) -> Shape:
        """Return (1, C, H, W): `size`, or else the largest square that the detectors see."""
        detectors = y_shape[-2]
        side = detectors if self.circle else math.floor(detectors / math.sqrt(2))
        x_shape = (*y_shape[:2], *(self.size or (side, side)))
        expected = self.shape(x_shape)[-2:]
        if tuple(y_shape[-2:]) != tuple(expected):
            raise InputError(
                f"the sinogram is {by(*y_shape[-2:])}, and a picture of {by(*x_shape[-2:])} pixels has one of "
                f"{by(*expected)}: detectors by angles"
            )
        return x_shape

    def initial(self, y: Tensor) -> Tensor:
        """Return the filtered back projection, right where angles are spread evenly over 180 degrees."""
        shape = self.picture_shape(y.shape)
        x = self.A_adjoint(_ramp(y)) * (math.pi / (2 * len(self.degrees)))
        if not self.circle:
            return x
        radius = shape[-1] // 2
        at = torch.arange(shape[-1], device=y.device) - radius
        return x * (at[:, None] ** 2 + at**2 <= radius**2)

    def _forward(self, x: Tensor) -> Tensor:
        detectors = self.shape(x.shape)[-2]
        answer = x.new_empty(*x.shape[:2], detectors, len(self.degrees))
        for index, degree in enumerate(self.degrees):
            turned = F.grid_sample(x, self._grid(degree, detectors, x), align_corners=True)
            answer[..., index] = turned.sum(-2)
        return answer

    def _adjoint(self, y: Tensor) -> Tensor:
        shape = self.picture_shape(y.shape)
        answer = y.new_zeros(shape)
        for index, degree in enumerate(self.degrees):
            spread = y[..., None, :, index].expand(*y.shape[:2], y.shape[-2], y.shape[-2])
            grid = self._grid(degree, y.shape[-2], answer)
            # The exact adjoint of grid_sample, without the sampling that autograd would do first.
            answer += torch.ops.aten.grid_sampler_2d_backward(spread, answer, grid, 0, 0, True, (True, False))[0]
        return answer

    def _grid(self, degree: float, detectors: int, like: Tensor) -> Tensor:
        """Return where the turned picture is read, in the units of grid_sample: (batch, t, t, 2).

        Made anew every time: grids for all angles would take more memory than anything else in a fit.
        """
        turn = math.radians(degree)
        at = torch.arange(detectors, dtype=like.dtype, device=like.device) - detectors // 2
        across, down = at, at[:, None]
        height, width = like.shape[-2:]
        x = math.cos(turn) * across + math.sin(turn) * down + width // 2
        y = -math.sin(turn) * across + math.cos(turn) * down + height // 2
        grid = torch.stack([x * (2 / max(width - 1, 1)) - 1, y * (2 / max(height - 1, 1)) - 1], dim=-1)
        return grid.expand(like.shape[0], -1, -1, -1)


def _ramp(y: Tensor) -> Tensor:
    """Filter along the detectors with |frequency|, cut off at the Nyquist frequency."""
    detectors = y.shape[-2]
    length = max(64, 2 ** math.ceil(math.log2(2 * detectors)))
    offset = torch.fft.fftfreq(length, 1 / length, dtype=y.dtype, device=y.device)
    kernel = torch.where(offset % 2 == 1, -1 / (math.pi * offset).square(), torch.zeros_like(offset))
    kernel[0] = 0.25
    response = 2 * torch.fft.rfft(kernel).real[:, None]
    long: Tensor = torch.fft.irfft(torch.fft.rfft(y, length, dim=-2) * response, length, dim=-2)
    return long[..., :detectors, :]
