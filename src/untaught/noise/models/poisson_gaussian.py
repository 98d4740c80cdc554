"""Photon counting and read-out noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from untaught.noise.models.base import NoiseModel
from untaught.noise.models.censored import interpolate, namespace
from untaught.noise.models.correlated import T
from untaught.noise.models.counted import LEAST_READ, MOST_COUNTS, shifts


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
