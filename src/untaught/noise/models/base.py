"""What every noise model answers: moments of y given the clean x, samples, a sentence."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.noise.models.censored import Clip, at_mean, censored_mean, censored_variance, invert, namespace

T = TypeVar("T")
NEGLIGIBLE_LEVEL = 0.3 / 255  # below this an 8-bit picture's own rounding is as large as the noise
TINY = 1e-9  # keeps a standard deviation of zero out of denominators


@dataclass(frozen=True, kw_only=True)
class NoiseModel:
    """A law of the observed value y given the clean value x, both in [0, 1] units.

    Attributes
    ----------
    kind : str
        Name of the law.
    white : bool
        Whether it is added, of a known law, and independent from pixel to pixel.
    recorruptible : bool
        Whether it is added and can be drawn again, so that y can be recorrupted.
    replaces : bool
        Whether it replaces values instead of adding to them: those that were hit hold nothing of the picture and
        are missing, the others are clean.
    relative_error : float
        One standard error of the variance, divided by the variance; 0 where the noise was given.
    clip : tuple of bool
        Whether values were cut at 0 and at 1.

    Notes
    -----
    Where values are clipped, y = min(1, max(0, x + s(x) n)) with n standard normal, and `mean` and
    `variance` are those of y, not of the noise before the cut.

    References
    ----------
    A. Foi, "Clipped noisy images: heteroskedastic modeling and practical denoising", Signal
    Processing 89(12), 2009.
    """

    kind: ClassVar[str] = "unknown"
    white: ClassVar[bool] = True
    recorruptible: ClassVar[bool] = True
    replaces: ClassVar[bool] = False
    relative_error: float = 0.0
    clip: Clip = (False, False)

    def __post_init__(self) -> None:
        low, high = self.clip
        object.__setattr__(self, "clip", (bool(low), bool(high)))
        for entry in fields(self):
            value = getattr(self, entry.name)
            if isinstance(value, int | float) and not (math.isfinite(value) and value >= 0):
                raise InputError(
                    f"The {entry.name} of {self.kind} noise is {value}; give a number that is "
                    "finite and not negative."
                )

    def std(self, x: T) -> T:
        """Return the standard deviation before clipping, given clean `x`; shape of `x`."""
        raise NotImplementedError

    def mean(self, x: T) -> T:
        """Return E[y | x], shape of `x`; it differs from `x` only where clipping acts."""
        if not any(self.clip):
            return x
        answer: T = censored_mean(x, self._positive_std(x), self.clip)
        return answer

    def variance(self, x: T) -> T:
        """Return Var[y | x], what clipping removes taken into account; shape of `x`."""
        answer: T = censored_variance(x, self._positive_std(x), self.clip)
        return answer

    def variance_at_mean(self, m: T) -> T:
        """Return Var[y | x] where `m` estimates E[y | x], as every denoiser of y does; shape of `m`."""
        if not any(self.clip):
            return self.variance(m)
        answer: T = at_mean(m, self.mean, self.variance, self.std, self.clip)
        return answer

    def unclip(self, m: T) -> T:
        """Return the x with `mean(x) == m`, held to [0, 1] at the ends that are clipped."""
        if not any(self.clip):
            return m
        answer: T = invert(m, self.mean, self.std, self.clip)
        return answer

    @property
    def unseen(self) -> float:
        """Return the variance that was not found, as a share of what was: it stays in the picture."""
        return 0.0

    def with_unseen(self, variance: float) -> float:
        """Return a variance that was found together with what was not: the mean squared error of the input."""
        return (1 + self.unseen) * variance

    def sample(self, x: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """Draw y given clean `x`, an array (H, W) or (H, W, C) in [0, 1] units; dtype of `x`."""
        noise = np.asarray(self.std(x)) * self._standard(x.shape, rng)
        return self._cut(x + noise).astype(x.dtype)

    @property
    def level(self) -> float:
        """Root mean square of the standard deviation before clipping, for x from 1/4 to 3/4."""
        middle = np.linspace(0.25, 0.75, 101)
        return float(np.sqrt(np.mean(np.square(self.std(middle)))))

    @property
    def negligible(self) -> bool:
        """Whether it is so weak that there is nothing to remove."""
        return self.level < NEGLIGIBLE_LEVEL

    @property
    def leaves_clean(self) -> bool:
        """Whether what was measured, and not replaced, is the picture itself."""
        return self.replaces or self.negligible

    def describe(self) -> str:
        """Return one sentence for a person; levels are on the 0..255 scale."""
        return f"{self._what()}{self._cut_words()}{self._error_words()}."

    def as_dict(self) -> dict[str, Any]:
        """Return a JSON-able summary; `sigma`, `gain` and `read` are on the 0..255 scale."""
        return {
            "kind": self.kind,
            "sigma": round(self.level * 255, 4),
            **self._parameters(),
            "relative_error": round(self.relative_error, 5),
            "clip": list(self.clip),
            "description": self.describe(),
        }

    def _positive_std(self, x: Any) -> Any:
        return namespace(x).clip(self.std(x), TINY, None)

    def _standard(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
        return rng.standard_normal(shape)

    def _cut(self, y: NDArray[Any]) -> NDArray[Any]:
        low, high = self.clip
        return np.asarray(np.clip(y, 0.0 if low else -np.inf, 1.0 if high else np.inf))

    def _parameters(self) -> dict[str, Any]:
        return {}

    def _what(self) -> str:
        return f"Noise of level {self.level * 255:.1f} (of 255)"

    def _cut_words(self) -> str:
        low, high = self.clip
        if not (low or high):
            return ""
        ends = "black and at white" if low and high else "black" if low else "white"
        return f", cut off at {ends}"

    def _error_words(self) -> str:
        return f", level good to {50 * self.relative_error:.1f} %" if self.relative_error else ""


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
