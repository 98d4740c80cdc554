"""Multiplicative noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from untaught.noise.models.base import NoiseModel
from untaught.noise.models.censored import namespace
from untaught.noise.models.correlated import T


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
