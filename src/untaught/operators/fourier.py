"""Fourier sampling, as in magnetic resonance imaging with one coil."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from untaught.errors import InputError
from untaught.operators.base import LinearOperator, Shape
from untaught.operators.mask import as_mask, check_same_size
from untaught.operators.traits import Traits

AXES = (-2, -1)


@dataclass(frozen=True, eq=False)
class Fourier(LinearOperator):
    """A x = m F x: some Fourier coefficients of a real picture, F unitary.

    Measurements are real: (1, 2C, H, W), first the C real parts, then the C imaginary parts, zero where
    nothing was measured. So noise, losses and inner products are those of every other operator;
    `to_pair` and `to_complex` go between this and complex arrays. White complex noise stays white.

    Attributes
    ----------
    mask : Tensor
        Nonzero where a coefficient was measured, (H, W) or (1, 1, H, W), with the zero frequency in the
        middle, at (H // 2, W // 2); the origin of the picture is in its middle too, as scanners have it.

    Raises
    ------
    InputError
        For a mask of another form, or of another size than the picture.
    """

    name: ClassVar[str] = "fourier"
    traits: ClassVar[Traits] = Traits(aliases=True)
    mask: Tensor = field(repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "mask", as_mask(self.mask))
        if self.mask.shape[1] != 1:
            raise InputError("all channels are sampled alike: give a mask of one channel")

    def shape(self, x_shape: Shape) -> Shape:
        """Return (1, 2C, H, W)."""
        check_same_size(self.mask, *x_shape[-2:])
        return (x_shape[0], 2 * x_shape[1], *x_shape[2:])

    def picture_shape(self, y_shape: Shape) -> Shape:
        """Return (1, C, H, W)."""
        check_same_size(self.mask, *y_shape[-2:])
        if y_shape[1] % 2:
            raise InputError(
                f"Fourier data are real and imaginary parts, so channels come in pairs, and these are {y_shape[1]}"
            )
        return (y_shape[0], y_shape[1] // 2, *y_shape[2:])

    def initial(self, y: Tensor) -> Tensor:
        """Return the zero-filled reconstruction A* y."""
        return self.A_adjoint(y)

    def _forward(self, x: Tensor) -> Tensor:
        mask = self._once("mask", x, lambda: self.mask)
        moved = torch.fft.ifftshift(x, AXES)
        return to_pair(torch.fft.fftshift(torch.fft.fft2(moved, norm="ortho"), AXES)) * mask

    def _adjoint(self, y: Tensor) -> Tensor:
        mask = self._once("mask", y, lambda: self.mask)
        moved = torch.fft.ifftshift(to_complex(y * mask), AXES)
        x: Tensor = torch.fft.fftshift(torch.fft.ifft2(moved, norm="ortho").real, AXES)
        return x


def to_pair(values: Tensor) -> Tensor:
    """Return complex (1, C, H, W) as real (1, 2C, H, W): real parts, then imaginary parts."""
    return torch.cat([values.real, values.imag], dim=1)


def to_complex(pair: Tensor) -> Tensor:
    """Undo `to_pair`."""
    return torch.complex(*pair.chunk(2, dim=1))


def cartesian_mask(
    height: int, width: int, acceleration: float = 4, centre: float = 0.08, seed: int = 0
) -> Tensor:
    """Draw a mask of whole columns: the middle ones, and others at random.

    Parameters
    ----------
    height, width : int
        Size of the picture.
    acceleration : float
        One column in so many is measured.
    centre : float
        The part of the columns that is measured without gaps around the zero frequency; 0.08 goes with 4
        and 0.04 with 8 in the source.
    seed : int
        What the columns are drawn from.

    Returns
    -------
    Tensor
        (1, 1, height, width), 1 and 0.

    References
    ----------
    J. Zbontar et al., "fastMRI: an open dataset and benchmarks for accelerated MRI", 2018, section 5.
    """
    wanted = max(1, round(width / acceleration))
    middle = min(wanted, max(1, round(width * centre)))
    generator = torch.Generator().manual_seed(seed)
    rank = torch.rand(width, generator=generator)
    start = (width - middle + 1) // 2
    rank[start : start + middle] = 2
    columns = torch.zeros(width)
    columns[rank.topk(wanted).indices] = 1
    return columns.expand(1, 1, height, width).clone()


def random_mask(height: int, width: int, part: float = 0.25, power: float = 4, seed: int = 0) -> Tensor:
    """Draw a mask of single coefficients, denser where the frequency is low.

    The chance of a coefficient goes as (1 - r)^power, r its distance from the zero frequency relative to
    the farthest one.

    Parameters
    ----------
    height, width : int
        Size of the picture.
    part : float
        The part of all coefficients that is measured.
    power : float
        0 is uniform; the larger, the denser the middle.
    seed : int
        What the coefficients are drawn from.

    Returns
    -------
    Tensor
        (1, 1, height, width), 1 and 0.

    References
    ----------
    M. Lustig, D. Donoho and J. Pauly, "Sparse MRI", Magnetic Resonance in Medicine 58, 2007.
    """
    rows = (torch.arange(height) - height // 2) / max(height // 2, 1)
    columns = (torch.arange(width) - width // 2) / max(width // 2, 1)
    distance = torch.hypot(rows[:, None], columns[None, :])
    chance = (1 - distance / distance.max().clamp_min(1)).clamp_min(1e-3) ** power
    # The largest of log(u) / chance are a draw without replacement (Efraimidis and Spirakis, 2006).
    uniform = torch.rand(height * width, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    keys = uniform.log() / chance.flatten()
    mask = torch.zeros(height * width)
    mask[keys.topk(max(1, round(part * height * width))).indices] = 1
    return mask.view(1, 1, height, width)
