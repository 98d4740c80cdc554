"""Magnitudes of complex values, as scanners give them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from untaught.noise.models.base import NoiseModel
from untaught.noise.models.gaussian import constant
from untaught.noise.models.magnitude import RAYLEIGH, RISE, kernel_of, mean_of, means, variance_of
from untaught.noise.models.moments import TINY, T
from untaught.noise.models.piecewise import interpolate, namespace
from untaught.noise.models.words import Words, pedestal

if TYPE_CHECKING:
    from torch import Tensor

LEAST = 0.1  # variance over sigma^2 that is given for values below all means: errors of these go both ways


@dataclass(frozen=True)
class Rician(NoiseModel):
    """Magnitudes, as of magnetic resonance: y - offset = |x - offset + sigma n1 + i sigma n2|.

        E[y | x] - offset = sigma sqrt(pi / 2) L(-t^2 / 2),   t = (x - offset) / sigma, 0 where that is negative
        Var[y | x] = sigma^2 (2 + t^2) - (E[y | x] - offset)^2

    with L the Laguerre polynomial of order 1/2 and n1, n2 standard normal. Where there is no signal, y has the
    Rayleigh law. `offset` is where magnitudes are 0, in [0, 1] units. Cuts are not heeded: none is possible below,
    and above the signal is strong and few values are cut.

    References
    ----------
    Koay and Basser, "Analytically exact correction scheme for signal extraction from noisy magnitude MR signals",
    Journal of Magnetic Resonance 179(2), 2006.
    """

    kind: ClassVar[str] = "rician"
    form: ClassVar[str] = "rician:LEVEL[,OFFSET]"
    takes: ClassVar[tuple[int, ...]] = (1, 2)
    levels: ClassVar[tuple[str, ...]] = ("sigma",)
    positions: ClassVar[tuple[str, ...]] = ("offset",)
    sigma: float
    offset: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "clip", (False, False))

    @property
    def shifted(self) -> bool:
        """See `NoiseModel`."""
        return True

    @property
    def least_mean(self) -> float:
        """See `NoiseModel`."""
        return self.offset + RAYLEIGH * self.sigma

    @property
    def bias(self) -> str:
        """See `NoiseModel`."""
        return "values are magnitudes, which noise makes larger where they are small"

    def std(self, x: T) -> T:
        """Return `sigma` everywhere: of the real and of the imaginary part."""
        return constant(x, self.sigma)

    def mean(self, x: T) -> T:
        """Return E[y | x], shape of `x`."""
        answer: T = self._of_signal(x, lambda t: self.offset + self._level * mean_of(t))
        return answer

    def variance(self, x: T) -> T:
        """Return Var[y | x], shape of `x`: 0.43 sigma^2 where there is no signal, sigma^2 where it is strong."""
        answer: T = self._of_signal(x, lambda t: self.sigma**2 * variance_of(t))
        return answer

    def variance_at_mean(self, m: T) -> T:
        """Return Var[y | x] where `m` estimates E[y | x]; along a line for values that are no mean of any x."""
        middle, _, variance = means()
        beyond = (variance[0] - LEAST) / RISE
        value: Any = m
        answer: Any = interpolate(
            (value - self.offset) / self._level,
            np.append(middle[0] - beyond, middle),
            np.append(LEAST, variance),
        )
        found: T = self.sigma**2 * answer
        return found

    def unclip(self, m: T) -> T:
        """Return the x of which `m` is the mean, the offset where it is less than any."""
        middle, over, _ = means()
        value: Any = m
        magnitude = (value - self.offset) / self._level
        signal = namespace(value).clip(magnitude - interpolate(magnitude, middle, over), 0.0, None)
        answer: T = self.offset + self._level * signal
        return answer

    def stein_kernel(self, y: Tensor, mean: Tensor) -> Tensor:
        """See `NoiseModel` and `magnitude.kernels`."""
        signal, magnitude = ((v.double() - self.offset) / self._level for v in (self.unclip(mean), y))
        tau: Tensor = self.sigma**2 * kernel_of(magnitude, signal.clamp_min(0))
        return tau.to(y.dtype)

    def scaled(self, factor: float, relative_error: float) -> Self:
        """See `NoiseModel`."""
        return replace(self, sigma=self.sigma * math.sqrt(max(factor, 0.0)), relative_error=relative_error)

    def sample(self, x: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """Draw y; dtype of `x`."""
        real, imaginary = (self.sigma * self._in_common(rng.standard_normal(x.shape), -1) for _ in range(2))
        signal = np.maximum(x - self.offset, 0)
        return np.asarray(self.offset + np.hypot(signal + real, imaginary)).astype(x.dtype)

    @classmethod
    def parse(cls, words: Words) -> Self:
        """Read the deviation of the real part, and the offset, if any, on the 0..255 scale."""
        offset = map(words.position, range(1, len(words.numbers)))
        return cls(words.level(0), *offset, clip=words.clip)

    def written(self, digits: int) -> str:
        """See `NoiseModel`."""
        offset = f",{self.offset * 255:.{digits}g}" if self.offset else ""
        return f"{self.sigma * 255:.{digits}g}{offset}"

    @property
    def _level(self) -> float:
        return max(self.sigma, TINY)

    def _of_signal(self, x: Any, function: Any) -> Any:
        """Return a function of t, worked out in double precision, in the type of `x`."""
        xp = namespace(x)
        if xp is np:
            x = np.asarray(x)
            kind = x.dtype if np.issubdtype(x.dtype, np.floating) else np.float64
            return np.asarray(function(np.maximum((x.astype(float) - self.offset) / self._level, 0.0))).astype(
                kind
            )
        return function(((x.double() - self.offset) / self._level).clamp_min(0.0)).to(x.dtype)

    def _parameters(self) -> dict[str, Any]:
        return {"offset": self.offset * 255}

    def _what(self) -> str:
        level = 255 * self.sigma
        return (
            f"Rician noise of level {level:.1f} (of 255), that of magnitudes: where there is no signal they are "
            f"{RAYLEIGH * level:.1f} on average{pedestal(self.offset)}"
        )
