"""White Gaussian noise, and noise of which only the level is known."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self, cast

import numpy as np

from untaught.noise.models.base import NoiseModel
from untaught.noise.models.moments import T
from untaught.noise.models.piecewise import namespace
from untaught.noise.models.words import Words


@dataclass(frozen=True)
class OneLevel(NoiseModel):
    """Noise whose standard deviation is `sigma` everywhere, which is all that is written down of it."""

    levels: ClassVar[tuple[str, ...]] = ("sigma",)
    sigma: float

    @property
    def uniform(self) -> bool:
        """See `NoiseModel`."""
        return True

    def std(self, x: T) -> T:
        """Return `sigma` everywhere."""
        return constant(x, self.sigma)

    def scaled(self, factor: float, relative_error: float) -> Self:
        """See `NoiseModel`."""
        return replace(self, sigma=self.sigma * math.sqrt(max(factor, 0.0)), relative_error=relative_error)

    @classmethod
    def parse(cls, words: Words) -> Self:
        """Read a standard deviation on the 0..255 scale."""
        return cls(words.level(0), clip=words.clip)


@dataclass(frozen=True)
class Gaussian(OneLevel):
    """White Gaussian noise: y = x + sigma n."""

    kind: ClassVar[str] = "gaussian"
    form: ClassVar[str] = "gaussian:25"

    def _what(self) -> str:
        return f"White Gaussian noise of level {self.sigma * 255:.1f} (of 255)"


@dataclass(frozen=True)
class Unknown(OneLevel):
    """Noise of which only the level is known; its moments are those of `Gaussian`."""

    kind: ClassVar[str] = "unknown"
    form: ClassVar[str] = "unknown:25"
    white: ClassVar[bool] = False
    recorruptible: ClassVar[bool] = False

    def _what(self) -> str:
        return f"Noise of a kind that is not known, of level {self.sigma * 255:.1f} (of 255)"


def constant(x: T, value: float) -> T:
    """Return an array like `x`, floating, filled with `value`."""
    xp: Any = namespace(x)
    if xp is not np:
        answer: T = xp.full_like(x, value)
        return answer
    array: Any = np.asarray(x)
    kind = array.dtype if np.issubdtype(array.dtype, np.floating) else np.float64
    filled: Any = np.full(array.shape, value, kind)
    return cast(T, filled)
