"""Multiplicative noise."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from untaught.noise.models.base import NoiseModel, Split, Values
from untaught.noise.models.moments import T
from untaught.noise.models.piecewise import namespace
from untaught.noise.models.words import Words, pedestal

MOST_SHARE = 1e2  # of the value
# Relative error of the variance, times sigma, for texture in the dark that is taken for noise: on 13 of 14 crops
# (`pipeline.plane.refine_noise`) it was 1.7 % off at .2, and on 12 of them 2.7 % at .45; on the other one 14 %.
TEXTURE_ERROR = 0.07


@dataclass(frozen=True)
class Speckle(NoiseModel):
    """Multiplicative noise: y = x + sigma (x - offset) n; `offset` is where there is no signal, [0, 1] units."""

    kind: ClassVar[str] = "speckle"
    form: ClassVar[str] = "speckle:0.2"
    takes: ClassVar[tuple[int, ...]] = (1, 2)
    positions: ClassVar[tuple[str, ...]] = ("offset",)
    sigma: float
    offset: float = 0.0

    def std(self, x: T) -> T:
        """Return sigma |x - offset|."""
        value: Any = x
        answer: T = self.sigma * namespace(x).abs(value - self.offset)
        return answer

    @property
    def texture_error(self) -> float:
        """See `NoiseModel`: in the dark, where there is next to no noise, texture is taken for it."""
        return TEXTURE_ERROR * self.sigma

    def scaled(self, factor: float, relative_error: float) -> Self:
        """See `NoiseModel`."""
        return replace(self, sigma=self.sigma * math.sqrt(max(factor, 0.0)), relative_error=relative_error)

    def split(self, law: str, y: Values, share: float, rng: np.random.Generator) -> Split | None:
        """Return (yhat, ytilde) of "gamma", the law of that spread: shape l = 1 / sigma^2, mean x.

            w ~ Beta(l share, l (1 - share)),   ytilde = y w / share,   yhat = y (1 - w) / (1 - share)

        Variances x^2 / (l (1 - share)) and x^2 / (l share); x and y both less `offset`.
        """
        if law != "gamma" or self.sigma <= 0:
            return None
        looks = self.sigma**-2
        value = y - self.offset
        kept = value * rng.beta(looks * share, looks * (1 - share), y.shape)
        return self.offset + (value - kept) / (1 - share), self.offset + kept / share

    @classmethod
    def parse(cls, words: Words) -> Self:
        """Read a standard deviation as a share of the value, and the offset, if any, on the 0..255 scale."""
        offset = map(words.position, range(1, len(words.numbers)))
        return cls(words.number(0, top=MOST_SHARE), *offset, clip=words.clip)

    def written(self, digits: int) -> str:
        """See `NoiseModel`."""
        offset = f",{self.offset * 255:.{digits}g}" if self.offset else ""
        return f"{self.sigma:.{digits}g}{offset}"

    def _parameters(self) -> dict[str, Any]:
        return {"fraction": self.sigma, "offset": self.offset * 255}

    def _what(self) -> str:
        return (
            f"Speckle of {100 * self.sigma:.0f} % of the value, "
            f"of level {self.level * 255:.1f} (of 255) in mid-tones{pedestal(self.offset)}"
        )
