"""The noise level once more, from what a good denoiser leaves: in flat parts, or in the fine grain of colours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from untaught.noise import NoiseModel
from untaught.noise.opponent_colours import basis
from untaught.operators.filters import local_mean
from untaught.problem import Problem
from untaught.risk.sure import Terms

WINDOW = 9  # side of the window in which flatness and the error of the answer are measured
SHARES = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0)  # of the picture, flattest first
UNCLIPPED = 0.97  # share of the variance that clipping must have left; Stein's identity is Gaussian
CUT = 0.8  # the same for fine colours, where the divergence, and with it Stein's identity, counts little
# Of the divergence d, the share that is risk: d / (d + KNEE). Where a denoiser leaves next to nothing it passes
# few patterns, with weights h < 1: d is their sum, the risk that of their squares. In fine colours of 14 whole
# pictures and 30 crops of Kodak and scikit-image at sigma 5 to 50 it was .1, .3, .45, .65, .75 at a divergence of
# .01, .02, .03, .07, .13.
KNEE = 0.045
RISK_ERROR = 0.3  # of that risk: how far pictures are from it
LEAST_ERROR = 0.02  # flat parts are not the whole picture: on these crops the factor was off by 0.011 at the root
FINE = 0.6  # i/H + j/W of the waves of colour differences from which on they hold hardly any picture
TOO_MUCH = 0.5  # divergence: where so much is left of the noise, the formula says nothing
DISAGREE = 4.0  # joint standard errors apart: one of the two has measured something else, and the new one is left
LEAST_COLOUR = 0.003  # what counting leaves of the error of colour differences, at the root, on these pictures
CLIPPED = 0.008  # the same for every share of them that clipping has made useless: it spoils what lies beside it
# Noise that was in the picture before cannot be told from what was added. In fine colour differences it was
# .7 / 255^2 on average on these crops, give or take .65; old scans of prints and slides have twenty times that.
GRAIN = 0.8 / 255**2  # taken off, of a variance far above
GRAIN_FROM = 4 / 255**2  # so that the share taken off is GRAIN / (variance + this)
GRAIN_ERROR = 1.0 / 255**2
LACKING = 0.4  # on 14 crops with three kinds of noise, .3 of the error was noise, .7 what the answer lacked


@dataclass(frozen=True)
class _Left:
    """What a denoiser left, each (1, C', H, W): squares of the residual, Var df/dy and Var."""

    misfit: Tensor
    cross: Tensor
    variance: Tensor
    least: float

    def factor(self, part: Tensor, dense: float = 1.0) -> tuple[float, float, float]:
        """Return the factor on the variance over `part`, (1, 1, H, W), its error, and the divergence.

        `dense` is the share of the values that are independent of each other.
        """
        variance = float((self.variance * part).sum())
        count = float(part.sum()) * self.variance.shape[1] * dense
        if variance <= 0 or count < 1:
            return 1.0, math.inf, 1.0
        divergence = max(float((self.cross * part).sum()) / variance, 0.0)
        risk = divergence**2 / (divergence + KNEE)
        error = math.hypot(self.least, RISK_ERROR * risk, math.sqrt(2 / count))
        found = float((self.misfit * part).sum()) / variance / (1 - 2 * divergence + risk)
        return found, error, divergence

    def least_wrong(self, parts: list[Tensor], dense: float = 1.0) -> tuple[float, float] | None:
        """Return factor and error over that of the parts where the error is least; None if none says anything."""
        found = [self.factor(part, dense) for part in parts]
        usable = [(factor, error) for factor, error, divergence in found if divergence < TOO_MUCH]
        return min(usable, key=lambda entry: entry[1], default=None)


def refine(problem: Problem, answer: Tensor, terms: Terms) -> NoiseModel:
    """Return the noise model with its variance scaled to the residual of `answer`, where that says more.

        Var = sum_B (y - f)^2 / sum_B (1 - 2 d + r(d)),   d = div f,   r(d) = d^2 / (d + knee)

    For E (y - f)^2 = Var (1 - 2 div f) + risk, and r(d) Var is the risk: all of the divergence where there is
    signal, as for a posterior mean, less where there is little. Where the divergence is a few hundredths, that
    hardly matters: in colour pictures in the fine waves of the differences of colours, which hold hardly any
    picture; in others in flat parts. B is the share of the picture, flattest first, for which the expected error
    is least. The answer is joined with the earlier estimate by their errors. In flat parts, texture that was taken
    for noise can only add to the residual, so there a larger variance than before is not believed.

    Parameters
    ----------
    problem : Problem
        With the noise model to refine; given noise (`relative_error` 0) is returned as it is.
    answer : Tensor
        The denoised picture, (1, C, H, W).
    terms : Terms
        Its risk per pixel.
    """
    noise = problem.noise
    if noise.relative_error <= 0 or not noise.white:
        return noise
    if answer.shape[1] == 3 and terms.responses:
        found = _in_colours(problem, answer, terms)
        if found is None or abs(found[0] - 1) > DISAGREE * math.hypot(found[1], noise.relative_error):
            return noise
        bare = found[0] * (1 - GRAIN / (found[0] * noise.level**2 + GRAIN_FROM))
        joined, error = _joined(noise, bare, found[1])
        return noise.scaled(joined, math.hypot(error, GRAIN_ERROR / noise.level**2, noise.texture_error))
    left = _Left(terms.misfit, terms.cross, terms.variance, LEAST_ERROR)
    found = left.least_wrong(_flattest(answer, _unclipped(problem, answer, UNCLIPPED)))
    if found is None or found[0] > 1:
        return noise
    return noise.scaled(*_joined(noise, *found))


def mean_factor(told: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the factor on a variance that several places tell, each with its error, and the error of it.

    The mean, weighted by the errors; as these have much in common, it is no better than the best of them.
    """
    factors, errors = np.array(told).T
    weights = errors**-2
    return float((weights * factors).sum() / weights.sum()), float(errors.min())


def _joined(noise: NoiseModel, factor: float, error: float) -> tuple[float, float]:
    a, b = noise.relative_error**-2, error**-2
    return (a + b * factor) / (a + b), (a + b) ** -0.5


def _unclipped(problem: Problem, answer: Tensor, kept: float) -> Tensor:
    """Return where clipping has left that share of the variance in every channel, (1, 1, H, W)."""
    noise = problem.noise
    before: Any = noise.std(noise.unclip(answer))
    usable: Tensor = problem.mask * (noise.variance_at_mean(answer) > kept * before.square())
    return usable.amin(dim=1, keepdim=True)


def _in_colours(problem: Problem, answer: Tensor, terms: Terms) -> tuple[float, float] | None:
    """Return factor and error from the fine waves of the differences of colours; None where they say nothing."""
    waves = _Waves.of(answer)
    residual = waves.fine((problem.y - answer) * problem.mask)
    cross = torch.zeros_like(residual)
    for response in terms.responses:
        cross = cross + waves.fine(response.probe * problem.mask) * waves.fine(response.moved * problem.mask)
    variance = waves.spread(_variance(problem.noise, answer, terms) * problem.mask)
    usable = _unclipped(problem, answer, CUT)
    clipped = 1 - float(usable.sum() / problem.mask.amin(dim=1).sum().clamp_min(1))
    left = _Left(residual.square(), cross, variance, math.hypot(LEAST_COLOUR, CLIPPED * clipped))
    grey = torch.einsum("oc,bchw->bohw", basis(answer)[:1], answer)  # its noise is not that of the differences
    return left.least_wrong(_flattest(grey, usable), waves.dense)


def _variance(noise: NoiseModel, answer: Tensor, terms: Terms) -> Tensor:
    """Return Var[y|x] as it is on average at the mean m, taken at an answer f that errs.

        E Var(m) = Var(f) + (s_b^2 - s_n^2) Var''(f) / 2

    with s_b^2 the squared error by what f lacks of the picture, which m has beside f, and s_n^2 that by the noise
    in f, which m has not. Together they are Var df/dy, as in Tweedie's formula, their difference `LACKING` of it.
    """
    at = noise.variance_at_mean(answer)
    far = (3 * local_mean(terms.cross, WINDOW).clamp_min(0)).sqrt()
    around = noise.variance_at_mean(answer + far) + noise.variance_at_mean(answer - far)
    return at + LACKING * (around - 2 * at) / 6  # Var'' by the three nodes of a mean over a normal law


@dataclass(frozen=True)
class _Waves:
    """Fine waves of the differences of colours: `keep`, (H, W), in the Fourier domain; `mix`, (2, 3)."""

    keep: Tensor
    mix: Tensor

    @classmethod
    def of(cls, picture: Tensor) -> _Waves:
        """Return those of a picture, (1, 3, H, W)."""
        rows, columns = (2 * torch.fft.fftfreq(n, device=picture.device).abs() for n in picture.shape[2:])
        return cls((rows[:, None] + columns[None, :] >= FINE).to(picture.dtype), basis(picture)[1:])

    @property
    def dense(self) -> float:
        """The share of waves that are fine: of values that are independent of each other."""
        return float(self.keep.mean())

    def fine(self, x: Tensor) -> Tensor:
        """Return the fine waves of x, (1, C, H, W)."""
        return self._times(torch.einsum("oc,bchw->bohw", self.mix, x), self.keep)

    def spread(self, variance: Tensor) -> Tensor:
        """Return the variance of `fine(n)` for white n of that variance, (1, C, H, W)."""
        filtered: Tensor = torch.fft.ifft2(self.keep).real.square()
        return self._times(torch.einsum("oc,bchw->bohw", self.mix.square(), variance), torch.fft.fft2(filtered))

    @staticmethod
    def _times(x: Tensor, transfer: Tensor) -> Tensor:
        product: Tensor = torch.fft.ifft2(torch.fft.fft2(x) * transfer).real
        return product


def _flattest(picture: Tensor, usable: Tensor) -> list[Tensor]:
    """Return the flattest parts of what is usable, (1, 1, H, W), one for each of `SHARES`; none if nothing is."""
    flatness = _local_variance(picture).mean(dim=1, keepdim=True)
    ordered = flatness[usable > 0].sort().values
    if not ordered.numel():
        return []
    last = ordered.numel() - 1
    return [usable * (flatness <= ordered[min(int(share * ordered.numel()), last)]) for share in SHARES]


def _local_variance(x: Tensor) -> Tensor:
    return torch.clamp_min(local_mean(x * x, WINDOW) - local_mean(x, WINDOW).square(), 0)
