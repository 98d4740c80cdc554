"""The mean squared error of an answer from two formulas that err differently, and its PSNR interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from untaught.risk.clipping_weight import Weight
from untaught.risk.sure import Terms
from untaught.risk.tweedie import Shrinkage

SPARED = 0.2
LEAST_LEFT = 0.003  # of the noise variance; smooth pictures at sigma 50 come down to 0.007
TINY = 1e-10  # mean squared error of 100 dB, more than which is not said
Z90 = 1.645  # half-width of a central 90 % interval of a normal distribution, in standard deviations


@dataclass(frozen=True)
class Risk:
    """An estimated mean squared error and its standard error, in squared [0, 1] units.

    `reach` is what its 90 % interval covers beside that of the two, (low, high); None where that is nothing.
    """

    value: float
    error: float
    reach: tuple[float, float] | None = None

    def scaled(self, factor: float) -> Risk:
        """Return it in other units, of which the old ones are `factor`."""
        reach = None if self.reach is None else (factor * self.reach[0], factor * self.reach[1])
        return Risk(factor * self.value, factor * self.error, reach)

    def plus(self, more: float, error: float, perhaps: float = 0.0) -> Risk:
        """Return it with what is certainly more, and its error.

        The interval covers that something of mean square `perhaps`, which was taken for the picture, is none:
        where the answer has kept it, the error is more by that, and where it has taken it away, it is less.
        """
        reach = None if self.reach is None else (self.reach[0] + more, self.reach[1] + more)
        found = Risk(self.value + more, self.error + error, reach)
        if not perhaps:
            return found
        low, high = reach or (found.value, found.value)
        least = max(min(low, found.value - Z90 * found.error) - perhaps, found.value * SPARED)
        return replace(found, reach=(least, max(high, found.value + Z90 * found.error) + perhaps))


def estimate_risk(
    terms: Terms,
    weight: Tensor | Weight,
    relative_error: float,
    shrinkage: float | Shrinkage,
) -> Risk:
    """Estimate the mean squared error from two formulas that err differently.

        Stein:    (1/N) sum misfit + 2 cross - variance   right for any f; an error of the variance shifts it
        Tweedie:  (1/N) sum cross                         right for a posterior mean, Cov[x|y] = Var[y|x] df/dy;
                                                          an error of the variance only scales it

    joined with weights inverse to their squared errors; where they disagree by more than that, the error grows.

    Parameters
    ----------
    terms : Terms
        Of the answer.
    weight : Tensor or Weight
        (1, C, H, W), what is done to squared errors afterwards; a `Weight` where that depends on the answer.
    relative_error : float
        One standard error of the noise variance, relative.
    shrinkage : float or Shrinkage
        How far from a posterior mean the method is: one standard error of Tweedie's formula, relative, and what
        corrects it where that is known.

    References
    ----------
    Stein, Annals of Statistics 1981; Efron, "Tweedie's formula and selection bias", JASA 2011.
    """
    weight = weight if isinstance(weight, Weight) else Weight(weight)
    shrinkage = shrinkage if isinstance(shrinkage, Shrinkage) else Shrinkage(shrinkage)
    level = relative_error * mean_of(terms.variance, weight.value, terms.valid).value
    ones = torch.ones_like(weight.value)
    stein = mean_of(weight.of(terms.sure, terms.cross, terms.variance), ones, terms.valid)
    tweedie = mean_of(shrinkage.corrected(terms.cross, terms.variance), weight.value, terms.valid)
    scale = math.hypot(shrinkage.error, relative_error)  # an error of the variance scales Tweedie's formula
    own = math.hypot(tweedie.error, scale * max(tweedie.value, stein.value))
    shared = shrinkage.follows * level
    errors = max(math.hypot(stein.error, level), 1e-12), max(math.hypot(own, shared), 1e-12)
    a, b = (error**-2 / (errors[0] ** -2 + errors[1] ** -2) for error in errors)
    apart = abs(stein.value - tweedie.value) / math.hypot(*errors)
    error = math.hypot(a * stein.error, b * own, a * level + b * shared)
    return Risk(a * stein.value + b * tweedie.value, max(error, 1e-12) * max(1.0, apart))


def mean_of(values: Tensor, weight: Tensor, valid: Tensor) -> Risk:
    """Return the weighted mean of (1, C, H, W) over honest pixels with its standard error."""
    keep = valid.expand_as(values)
    return sample_mean(values * weight * keep, keep)


def sample_mean(sums: Tensor, counts: Tensor, block: int = 1) -> Risk:
    """Return the mean over a sample and its standard error, as the ratio of two sums over blocks of pixels.

        m = sum_b s_b / sum_b n_b;   error = sqrt( sum_b (s_b - m n_b)^2 ) / sum_b n_b

    Parameters
    ----------
    sums, counts : Tensor
        What was added up at every value, and how often; (1, C, H, W). Of measurements that are no picture, of
        other than four axes, every value is a block.
    block : int
        Side of the blocks, which are taken for independent. The channels of a pixel never are: a method errs in
        them alike.
    """
    total = float(counts.sum().clamp_min(1))
    value = float(sums.sum()) / total
    apart = sums - value * counts
    if apart.ndim == 4:
        apart = apart.sum(1)
    if block > 1:
        apart = F.avg_pool2d(apart, block, ceil_mode=True, divisor_override=1)
    return Risk(value, float(apart.square().sum().sqrt()) / total)


def to_interval(risk: Risk, variance: float, assumes: str) -> Interval:
    """Turn a risk into a PSNR over the value range [0, 1], with its 90 % interval.

        value exp(-+1.645 s),   s^2 = log(1 + (error / value)^2)

    the ends of a log-normal law: where the error is small they are value -+ 1.645 error, and where it is large the
    lower one is still above 0. A risk below 0.3 % of the noise variance (25 dB of gain) is more than any estimate
    here can tell: it is cut.

    Parameters
    ----------
    risk : Risk
        The mean squared error, in squared [0, 1] units.
    variance : float
        The mean of the noise's.
    assumes : str
        What the estimate assumes.
    """
    floor = max(LEAST_LEFT * variance, TINY)
    low, high = _ends(risk, floor)

    def psnr(mse: float) -> float:
        return -10 * math.log10(max(mse, floor))

    return Interval(psnr(risk.value), psnr(high), psnr(low), assumes)


def spanning(risk: Risk, other: Risk, variance: float) -> Risk:
    """Return `risk` with an interval that covers that of `other` too.

    Parameters
    ----------
    risk, other : Risk
        Mean squared errors, in squared [0, 1] units.
    variance : float
        The mean of the noise's, below `LEAST_LEFT` of which no risk is told.
    """
    floor = max(LEAST_LEFT * variance, TINY)
    ends = [end for one in (risk, other) for end in _ends(one, floor)]
    return replace(risk, reach=(max(min(ends), floor), max(ends)))


def together(risks: Sequence[Risk], shares: Sequence[float] | None = None) -> Risk:
    """Return the risk of parts of a picture whose noise levels err alike: equal parts, or with `shares` of it."""
    value, error = np.average([(r.value, r.error) for r in risks], axis=0, weights=shares).tolist()
    if all(risk.reach is None for risk in risks):
        return Risk(value, error)
    reaches = [risk.reach or (risk.value, risk.value) for risk in risks]
    low, high = np.average(reaches, axis=0, weights=shares).tolist()
    return Risk(value, error, (low, high))


def _ends(risk: Risk, floor: float) -> tuple[float, float]:
    """Return the ends of the 90 % interval of a mean squared error, the lower one not held to the floor."""
    value = max(risk.value, floor)
    s = math.sqrt(math.log1p((risk.error / value) ** 2))
    times = math.exp(Z90 * s)
    # Of a value that is next to nothing beside its error the log-normal law makes too little.
    low, high = value / times, max(value * times, risk.value + Z90 * risk.error)
    return (low, high) if risk.reach is None else (min(low, risk.reach[0]), max(high, risk.reach[1]))


@dataclass(frozen=True)
class Interval:
    """An estimate of the PSNR in dB with its 90 % interval, and what it assumes."""

    value: float
    low: float
    high: float
    assumes: str

    def __str__(self) -> str:
        return f"{self.value:.1f} dB (90 %: {self.low:.1f} to {self.high:.1f})"

    def rmse(self, scale: float) -> Rmse:
        """Return the root mean squared error, with the length of the value range in the data's units."""
        value, high, low = (rmse_of(psnr, scale) for psnr in (self.value, self.low, self.high))
        return Rmse(value, low, high)


def rmse_of(psnr: float, scale: float) -> float:
    """Return the root mean squared error, scale 10^(-PSNR / 20), in the units of `scale`, the value range."""
    return float(scale * 10 ** (-psnr / 20))


@dataclass(frozen=True)
class Rmse:
    """An estimate of the root mean squared error in the data's units, with its 90 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        value, low, high = (f"{v:.0f}" if v >= 999.5 else f"{v:.3g}" for v in (self.value, self.low, self.high))
        return f"{value} ({low} to {high})"

    def as_dict(self) -> dict[str, float]:
        """Return the numbers as JSON names them."""
        return {"rmse": self.value, "rmse_low": self.low, "rmse_high": self.high}
