"""The laws of y given the clean x, in units where the picture's value range is [0, 1]."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.noise.models.base import NoiseModel, constant
from untaught.noise.models.censored import namespace

# Of the variance of a camera's noise that was found: what it falls short of the true one, on average over 18
# simulated cameras (`benchmarks/cameras.py`) of 192 x 192 pixels, where it does not exceed it. It was .52, .26
# without the worst of them.
UNSEEN = 0.4

T = TypeVar("T")
Kernel = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Correlated(NoiseModel):
    """Gaussian noise that neighbouring pixels share: y = x + s(x) (kernel * n), * a convolution.

        s(x)^2 = sigma^2 ((1 - x) dark + x bright),   shades = (dark, bright)

    `kernel` is any 2-D array of numbers; it is held normalised to unit l2 norm, so that `sigma` is
    the standard deviation of one pixel in mid-grey. What a camera gives is of this kind: noise that depends on
    brightness before the mosaic is filled in, and colours that were smoothed more than brightness.

    Attributes
    ----------
    shades : tuple of float
        Variance in black and in white, held to a mean of 1.
    colours : tuple of (float, kernel)
        Of three channels: for grey, red - blue and green - magenta (`methods.colours.OPPONENT`) the variance, held
        to a mean of 1, and the kernel; empty where all are alike.
    """

    kind: ClassVar[str] = "correlated"
    white: ClassVar[bool] = False
    sigma: float
    kernel: Kernel
    shades: tuple[float, float] = (1.0, 1.0)
    colours: tuple[tuple[float, Kernel], ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        shades = np.asarray(self.shades, dtype=np.float64)
        shares = np.asarray([share for share, _ in self.colours], dtype=np.float64)
        for numbers in (shades, *([shares] if len(shares) else [])):
            if not (np.isfinite(numbers).all() and (numbers >= 0).all() and numbers.sum() > 0):
                raise InputError("The variances of shades and colours are numbers, not negative and not all zero.")
        if shades.shape != (2,) or len(shares) not in (0, 3):
            raise InputError("Give correlated noise two shades, and no colours or three.")
        kernels = [unit_norm(kernel) for _, kernel in self.colours]
        shares = shares / shares.mean() if len(shares) else shares
        object.__setattr__(self, "kernel", unit_norm(self.kernel))
        object.__setattr__(self, "shades", tuple(float(v) for v in shades / shades.mean()))
        object.__setattr__(self, "colours", tuple(zip((float(v) for v in shares), kernels, strict=True)))

    @property
    def unseen(self) -> float:
        """See `NoiseModel`; of a camera that was measured."""
        return UNSEEN if self.colours and self.relative_error > 0 else 0.0

    def std(self, x: T) -> T:
        """Return sigma sqrt((1 - x) dark + x bright), x held to [0, 1]; `sigma` everywhere where both are 1."""
        if self.shades == (1.0, 1.0):
            return constant(x, self.sigma)
        xp = namespace(x)
        inside: Any = xp.clip(x, 0.0, 1.0)
        answer: T = self.sigma * xp.sqrt((1 - inside) * self.shades[0] + inside * self.shades[1])
        return answer

    def _standard(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
        from scipy.signal import fftconvolve

        kernel = np.asarray(self.kernel)
        kernel = kernel.reshape(kernel.shape + (1,) * (len(shape) - 2))
        down, across = len(self.kernel) - 1, len(self.kernel[0]) - 1
        wide = rng.standard_normal((shape[0] + down, shape[1] + across, *shape[2:]))
        return np.asarray(fftconvolve(wide, kernel, mode="valid", axes=(0, 1)))

    def _parameters(self) -> dict[str, Any]:
        return {
            "kernel": [list(row) for row in self.kernel],
            "shades": list(self.shades),
            "colours": [round(share, 4) for share, _ in self.colours],
        }

    def _what(self) -> str:
        return f"Noise of level {self.sigma * 255:.1f} (of 255) shared between neighbouring pixels"


def unit_norm(kernel: Any) -> Kernel:
    """Return rows of numbers at unit l2 norm.

    Raises
    ------
    InputError
        If it is no 2-D array of finite numbers, or all are zero.
    """
    taps = np.asarray(kernel, dtype=np.float64)
    norm = float(np.sqrt(np.square(taps).sum())) if taps.ndim == 2 else 0.0
    if not (math.isfinite(norm) and norm > 0):
        raise InputError("A noise kernel is a 2-D array of finite numbers that are not all zero.")
    return tuple(tuple(float(v) for v in row) for row in taps / norm)
