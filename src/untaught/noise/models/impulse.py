"""Salt and pepper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.noise.models.base import NoiseModel
from untaught.noise.models.censored import namespace
from untaught.noise.models.correlated import T


@dataclass(frozen=True)
class Impulse(NoiseModel):
    """Salt and pepper: y = 0 or 1 with probability fraction / 2 each, else y = x."""

    kind: ClassVar[str] = "impulse"
    white: ClassVar[bool] = False
    recorruptible: ClassVar[bool] = False
    replaces: ClassVar[bool] = True
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
