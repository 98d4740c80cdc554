"""The laws of y given the clean x, in units where the picture's value range is [0, 1]."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.noise.models.base import NoiseModel, constant
from untaught.noise.models.censored import interpolate, namespace
from untaught.noise.models.counted import LEAST_READ, MOST_COUNTS, shifts

# Of the variance of a camera's noise that was found: what it falls short of the true one, on average over 18
# simulated cameras (`benchmarks/cameras.py`) of 192 x 192 pixels, where it does not exceed it. It was .52, .26
# without the worst of them.
UNSEEN = 0.4

T = TypeVar("T")
Kernel = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Gaussian(NoiseModel):
    """White Gaussian noise: y = x + sigma n."""

    kind: ClassVar[str] = "gaussian"
    sigma: float

    def std(self, x: T) -> T:
        """Return `sigma` everywhere."""
        return constant(x, self.sigma)

    def _what(self) -> str:
        return f"White Gaussian noise of level {self.sigma * 255:.1f} (of 255)"


@dataclass(frozen=True)
class PoissonGaussian(NoiseModel):
    """Photon counting and read-out noise: Var[y | x] = gain x + read^2 before clipping.

    `gain` is the value of one photo-electron, `read` a standard deviation, both in [0, 1] units.
    """

    kind: ClassVar[str] = "poisson-gaussian"
    gain: float
    read: float = 0.0

    def std(self, x: T) -> T:
        """Return sqrt(gain x + read^2), x below 0 counted as 0."""
        xp = namespace(x)
        answer: T = xp.sqrt(self.gain * xp.clip(x, 0.0, None) + self.read**2)
        return answer

    def mean(self, x: T) -> T:
        """Return E[y | x], shape of `x`: counts are never negative, so without read-out noise black is not cut."""
        if not self._few:
            return super().mean(x)
        value: Any = x
        light, shift, _ = shifts(self.gain, self.read, self.clip)
        answer: T = value + interpolate(value, light, shift)
        return answer

    def variance(self, x: T) -> T:
        """Return Var[y | x], what clipping removes taken into account; shape of `x`."""
        if not self._few:
            return super().variance(x)
        light, _, variance = shifts(self.gain, self.read, self.clip)
        answer: T = interpolate(x, light, variance)
        return answer

    @property
    def _few(self) -> bool:
        return any(self.clip) and self.gain * MOST_COUNTS > 1

    @property
    def counts(self) -> bool:
        """Whether values are so few counts that no normal law is near to them, and nothing blurs them."""
        return self._few and self.read <= LEAST_READ

    def sample(self, x: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """Draw y = gain Poisson(x / gain) + read n, then clip; dtype of `x`."""
        light = np.maximum(np.asarray(x, dtype=np.float64), 0.0)
        counted = self.gain * rng.poisson(light / self.gain) if self.gain > 0 else light
        return self._cut(counted + self.read * rng.standard_normal(x.shape)).astype(x.dtype)

    def _parameters(self) -> dict[str, Any]:
        return {"gain": self.gain * 255, "read": self.read * 255}

    def _what(self) -> str:
        dark, bright = (255 * math.sqrt(self.gain * x + self.read**2) for x in (0.0, 1.0))
        return (
            f"Poisson-Gaussian noise that grows with brightness, from level {dark:.1f} in black "
            f"to {bright:.1f} in white (of 255)"
        )


@dataclass(frozen=True)
class Speckle(NoiseModel):
    """Multiplicative noise: y = x + sigma x n."""

    kind: ClassVar[str] = "speckle"
    sigma: float

    def std(self, x: T) -> T:
        """Return sigma |x|."""
        answer: T = self.sigma * namespace(x).abs(x)
        return answer

    def _parameters(self) -> dict[str, Any]:
        return {"fraction": self.sigma}

    def _what(self) -> str:
        return (
            f"Speckle of {100 * self.sigma:.0f} % of the value, "
            f"of level {self.level * 255:.1f} (of 255) in mid-tones"
        )


@dataclass(frozen=True)
class Impulse(NoiseModel):
    """Salt and pepper: y = 0 or 1 with probability fraction / 2 each, else y = x."""

    kind: ClassVar[str] = "impulse"
    fraction: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fraction >= 1:
            raise InputError(
                f"The fraction of impulse noise is {self.fraction:g}; give the share "
                "of pixels that were hit, below 1."
            )

    def std(self, x: T) -> T:
        """Return the standard deviation of y given x."""
        xp, variance = namespace(x), self.variance(x)
        answer: T = xp.sqrt(xp.clip(variance, 0.0, None))
        return answer

    def mean(self, x: T) -> T:
        """Return E[y | x] = (1 - fraction) x + fraction / 2, which is not `x`."""
        value: Any = x
        answer: T = (1 - self.fraction) * value + self.fraction / 2
        return answer

    def variance(self, x: T) -> T:
        """Return (1 - fraction) x^2 + fraction / 2 - mean(x)^2."""
        value: Any = x
        mean: Any = self.mean(value)
        answer: T = (1 - self.fraction) * value * value + self.fraction / 2 - mean * mean
        return answer

    def unclip(self, m: T) -> T:
        """Return (m - fraction / 2) / (1 - fraction), held to [0, 1]."""
        value: Any = m
        x: Any = (value - self.fraction / 2) / (1 - self.fraction)
        answer: T = namespace(x).clip(x, 0.0, 1.0)
        return answer

    def sample(self, x: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """Draw y: every value on its own is black, white or left alone; dtype of `x`."""
        u = rng.random(x.shape)
        salted = np.where(u > 1 - self.fraction / 2, 1.0, x)
        return np.where(u < self.fraction / 2, 0.0, salted).astype(x.dtype)

    def _parameters(self) -> dict[str, Any]:
        return {"fraction": self.fraction}

    def _what(self) -> str:
        return f"Salt and pepper: {100 * self.fraction:.1f} % of the pixels are black or white"


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


@dataclass(frozen=True)
class Unknown(NoiseModel):
    """Noise of which only the level is known; its moments are those of `Gaussian`."""

    kind: ClassVar[str] = "unknown"
    sigma: float

    def std(self, x: T) -> T:
        """Return `sigma` everywhere."""
        return constant(x, self.sigma)

    def _what(self) -> str:
        return f"Noise of a kind that is not known, of level {self.sigma * 255:.1f} (of 255)"


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


def scaled(noise: NoiseModel, factor: float, relative_error: float) -> NoiseModel:
    """Return `noise` with its variance times `factor`, which is known to `relative_error`.

    Raises
    ------
    TypeError
        For noise of which the variance does not scale: impulses.
    """
    root = math.sqrt(max(factor, 0.0))
    if isinstance(noise, PoissonGaussian):
        return replace(noise, gain=noise.gain * factor, read=noise.read * root, relative_error=relative_error)
    if isinstance(noise, Gaussian | Speckle | Correlated | Unknown):
        return replace(noise, sigma=noise.sigma * root, relative_error=relative_error)
    raise TypeError(f"no variance to scale in {noise.kind} noise")
