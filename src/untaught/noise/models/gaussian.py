"""White Gaussian noise, and noise of which only the level is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from untaught.noise.models.base import NoiseModel, constant
from untaught.noise.models.correlated import T


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
class Unknown(NoiseModel):
    """Noise of which only the level is known; its moments are those of `Gaussian`."""

    kind: ClassVar[str] = "unknown"
    white: ClassVar[bool] = False
    recorruptible: ClassVar[bool] = False
    sigma: float

    def std(self, x: T) -> T:
        """Return `sigma` everywhere."""
        return constant(x, self.sigma)

    def _what(self) -> str:
        return f"Noise of a kind that is not known, of level {self.sigma * 255:.1f} (of 255)"
