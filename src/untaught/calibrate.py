"""The noise level once more, from what a good denoiser leaves: in flat parts, or in the fine grain of colours."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from untaught.methods.base import Problem
from untaught.methods.colours import basis
from untaught.noise import Gaussian, NoiseModel, PoissonGaussian, Speckle
from untaught.noise.models import scaled
from untaught.risk import Terms

WINDOW = 9  # side of the window in which flatness is measured
SHARES = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0)  # of the picture, flattest first
UNCLIPPED = 0.97  # share of the variance that clipping must have left; Stein's identity is Gaussian
CUT = 0.8  # the same for fine colours, where the divergence, and with it Stein's identity, counts little
RISK = 0.8  # of the divergence: the non-local picture's risk in flat parts; 0.4 to 1.1 on eight Kodak crops
SHRINKAGE_ERROR = 0.3  # of the divergence: how far the risk may be from that
LEAST_ERROR = 0.02  # flat parts are not the whole picture: on these crops the factor was off by 0.011 at the root
FINE = 0.25  # i/H + j/W of the waves of colour differences from which on they hold hardly any picture
TOO_MUCH = 0.5  # divergence: where so much is left of the noise, the formula says nothing
DISAGREE = 3.0  # joint standard errors apart: one of the two has measured something else, and the new one is left
LEAST_COLOUR = 0.003  # what counting leaves of the error of colour differences, at the root, on 24 of these crops
# Noise that was in the picture before cannot be told from what was added. In fine colour differences it was below
# 1.6 / 255^2 on 29 crops of Kodak and scikit-image; old scans of prints and slides have ten times that.
GRAIN = 1.5 / 255**2


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
        divergence = float((self.cross * part).sum()) / variance
        error = math.hypot(self.least, SHRINKAGE_ERROR * divergence, math.sqrt(2 / count))
        found = float((self.misfit * part).sum()) / variance / (1 - (2 - RISK) * divergence)
        return found, error, divergence


def refine(problem: Problem, answer: Tensor, terms: Terms) -> NoiseModel:
    """Return the noise model with its variance scaled to the residual of `answer`, where that says more.

        Var = sum_B (y - f)^2 / sum_B (1 - (2 - r) div f)

    For E (y - f)^2 = Var (1 - 2 div f) + risk, and the risk is r Var div f: r = 1 for a posterior mean, a little
    less for the non-local picture. Where the divergence is a few hundredths, r hardly matters: in colour pictures
    in the fine waves of the differences of colours, which hold hardly any picture; in others in flat parts, B
    being the share of the picture, flattest first, for which the expected error is least. The answer is joined
    with the earlier estimate by their errors. In flat parts, texture that was taken for noise can only add to the
    residual, so there a larger variance than before is not believed.

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
    if noise.relative_error <= 0 or not isinstance(noise, Gaussian | PoissonGaussian | Speckle):
        return noise
    if answer.shape[1] == 3 and terms.responses:
        factor, error = _in_colours(problem, answer, terms)
        if abs(factor - 1) > DISAGREE * math.hypot(error, noise.relative_error):
            return noise
        joined, error = _joined(noise, factor, error)
        return scaled(noise, joined, math.hypot(error, GRAIN / noise.level**2))
    found = _in_flat_parts(answer, terms, _unclipped(problem, answer, UNCLIPPED))
    if found is None or found[0] > 1:
        return noise
    return scaled(noise, *_joined(noise, *found))


def _joined(noise: NoiseModel, factor: float, error: float) -> tuple[float, float]:
    a, b = noise.relative_error**-2, error**-2
    return (a + b * factor) / (a + b), (a + b) ** -0.5


def _unclipped(problem: Problem, answer: Tensor, kept: float) -> Tensor:
    """Return where clipping has left that share of the variance in every channel, (1, 1, H, W)."""
    noise = problem.noise
    before: Any = noise.std(noise.unclip(answer))
    usable: Tensor = problem.mask * (noise.variance_at_mean(answer) > kept * before.square())
    return usable.amin(dim=1, keepdim=True)


def _in_colours(problem: Problem, answer: Tensor, terms: Terms) -> tuple[float, float]:
    """Return factor and error from the fine waves of the differences of colours."""
    waves = _Waves.of(answer)
    residual = waves.fine((problem.y - answer) * problem.mask)
    cross = torch.zeros_like(residual)
    for response in terms.responses:
        cross = cross + waves.fine(response.probe * problem.mask) * waves.fine(response.moved * problem.mask)
    variance = waves.spread(problem.noise.variance_at_mean(answer) * problem.mask)
    left = _Left(residual.square(), cross, variance, LEAST_COLOUR)
    factor, error, divergence = left.factor(_unclipped(problem, answer, CUT), waves.dense)
    return (factor, error) if divergence < TOO_MUCH else (1.0, math.inf)


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


def _flattest(answer: Tensor, usable: Tensor) -> list[Tensor]:
    """Return the flattest parts of what is usable, (1, 1, H, W), one for each of `SHARES`; none if nothing is."""
    flatness = _local_variance(answer).mean(dim=1, keepdim=True)
    ordered = flatness[usable > 0].sort().values
    if not ordered.numel():
        return []
    last = ordered.numel() - 1
    return [usable * (flatness <= ordered[min(int(share * ordered.numel()), last)]) for share in SHARES]


def _in_flat_parts(answer: Tensor, terms: Terms, usable: Tensor) -> tuple[float, float] | None:
    """Return the factor on the variance and its standard error, or None where no part is flat enough."""
    left = _Left(terms.misfit, terms.cross, terms.variance, LEAST_ERROR)
    found = [left.factor(flat) for flat in _flattest(answer, usable)]
    flat_enough = [(factor, error) for factor, error, divergence in found if divergence < TOO_MUCH]
    return min(flat_enough, key=lambda entry: entry[1], default=None)


def _local_variance(x: Tensor) -> Tensor:
    def mean(a: Tensor) -> Tensor:
        edge = WINDOW // 2
        return F.avg_pool2d(F.pad(a, (edge, edge, edge, edge), mode="replicate"), WINDOW, stride=1)

    return torch.clamp_min(mean(x * x) - mean(x).square(), 0)
