"""Moments of y given the clean x, for a law that is near to normal before it is cut off."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from untaught.noise.models.censored import (
    Clip,
    at_mean,
    censored_kernel,
    censored_mean,
    censored_variance,
    inverse_of,
)
from untaught.noise.models.piecewise import KEPT, Piecewise, namespace

if TYPE_CHECKING:
    from torch import Tensor

T = TypeVar("T")
TINY = 1e-9  # keeps a standard deviation of zero out of denominators


class Moments:
    """Moments of y = min(1, max(0, x + s(x) n)), n standard normal, x clean; cut where `clip` says.

    Arrays and tensors alike are answered in their own kind.

    References
    ----------
    A. Foi, "Clipped noisy images: heteroskedastic modeling and practical denoising", Signal
    Processing 89(12), 2009.
    """

    replaces: ClassVar[bool] = False
    clip: Clip

    def std(self, x: T) -> T:
        """Return the standard deviation before clipping, given clean `x`; shape of `x`."""
        raise NotImplementedError

    def mean(self, x: T) -> T:
        """Return E[y | x], shape of `x`; it differs from `x` only where clipping acts, or where a law says so."""
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
        if not self.shifted:
            return self.variance(m)
        answer: T = _variance_of(self)(m)
        return answer

    def unclip(self, m: T) -> T:
        """Return the x with `mean(x) == m`, held to [0, 1] at the ends that are clipped."""
        if not self.shifted:
            return m
        value: Any = m
        table = _clean_of(self)
        inside, ends = table(value), (float(table.xs[0]), float(table.xs[-1]))
        for cut, beyond in zip(self.clip, (value < ends[0], value > ends[1]), strict=True):
            inside = inside if cut else namespace(value).where(beyond, value, inside)
        answer: T = inside
        return answer

    @property
    def biased(self) -> bool:
        """Whether what estimates E[y | x] is no estimate of x before `unclip` is applied to it."""
        return self.shifted and not self.replaces

    @property
    def bias(self) -> str:
        """What makes E[y | x] differ from x, as the beginning of a sentence."""
        return "values were cut off at the end of the range"

    @property
    def shifted(self) -> bool:
        """Whether E[y | x] may differ from x; a law whose mean does so by itself says yes."""
        return any(self.clip)

    @property
    def least_mean(self) -> float | None:
        """Return E[y | x] where there is no signal, below which no mean is; None where there is no such value.

        Where there is, `unclip` is a root there, and no slope says what it does to errors.
        """
        return None

    def variance_from(self, y: T) -> T | None:
        """Return an estimate of Var[y | x] from the value y alone, without bias; None where the law has none."""
        return None

    def stein_kernel(self, y: Tensor, mean: Tensor) -> Tensor:
        """Return the weight tau that makes Stein's identity hold, shape of `y`.

            E (y - m) g(y) = E tau(y) g'(y),   m = E[y | x]

        Var[y | x] of a normal law that was not cut off; of one that was, see `censored_kernel`.

        Parameters
        ----------
        y : Tensor
            What was observed, any shape, [0, 1] units.
        mean : Tensor
            An estimate of m, of the same shape.

        References
        ----------
        Stein, Annals of Statistics 1981, for the identity; Ley, Reinert and Swan, "Stein's method for comparison
        of univariate distributions", Probability Surveys 14, 2017, for kernels of other laws.
        """
        if not any(self.clip):
            return self.variance_at_mean(mean)
        x = self.unclip(mean).double()
        tau: Tensor = censored_kernel(y, x, self._positive_std(x), self.clip)
        return tau.to(y.dtype)

    def _positive_std(self, x: Any) -> Any:
        return namespace(x).clip(self.std(x), TINY, None)


@lru_cache(maxsize=KEPT)
def _variance_of(law: Moments) -> Piecewise:
    """Return the variance of a law that is cut off, as a function of the mean."""
    return at_mean(law.mean, law.variance, law.std, law.clip)


@lru_cache(maxsize=KEPT)
def _clean_of(law: Moments) -> Piecewise:
    """Return the clean value as a function of the mean."""
    return inverse_of(law.mean, law.std, law.clip)
