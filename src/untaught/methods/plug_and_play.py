"""Plug and play: any linear operator undone with the prior of similar patches, in alternate steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from untaught.errors import InputError
from untaught.methods.base import Estimate, Needs, Problem
from untaught.methods.multiscale import MultiScale
from untaught.methods.non_local import Stage, denoise_nonlocal
from untaught.methods.pixels import ROUNDING

ENOUGH = 1e-8  # of the energy of the misfit, where conjugate gradients end


@dataclass(frozen=True)
class PlugAndPlay:
    """Half-quadratic splitting with groups of similar patches as the prior; any linear operator with an adjoint.

        z_k = argmin over z of || m (A z - y) ||^2 / sigma^2 + l || z - x_k ||^2 / s_k^2
            = x_k + A* m (m A A* m + r_k)^-1 m (y - A x_k),   r_k = l sigma^2 / s_k^2,
        x_{k+1} = D(z_k; s_k),  the groups and their covariances taken from x_k

    with the "wiener" estimate of `NonLocal` as D, and s_k falling geometrically from `start` to the end. The
    answer is the last x; where there is no noise, the last z. Nothing is fitted and nothing is drawn. That the
    groups are those of the picture before, not of its own first estimate, is worth 0.6 dB (butterfly, x4).

    Attributes
    ----------
    steps : int
        How often the two are done in turn; 8 to 30 in the papers.
    start, end : float
        The noise that D is told at the first and the last step, in units of the value range; the measurement's own
        where that is more than `end`. 49 / 255 to the noise level in Zhang et al.
    balance : float
        l; 0.23 in Zhang et al.
    stage : Stage
        What D is.
    sweeps : int
        Most steps of the conjugate gradients that find z.

    Notes
    -----
    Where the picture itself was measured, and all of it, this is `MultiScale`: D with the noise that there is.

    References
    ----------
    S. Venkatakrishnan, C. Bouman and B. Wohlberg, "Plug-and-play priors for model based reconstruction",
    GlobalSIP 2013; K. Zhang et al., "Plug-and-play image restoration with deep denoiser prior", IEEE TPAMI 44(10),
    2022, for the splitting and its schedule; A. Danielyan, V. Katkovnik and K. Egiazarian, "BM3D frames and
    variational image deblurring", IEEE TIP 21(4), 2012, for groups of similar patches as the prior. The numbers
    are ours.
    """

    steps: int = 40
    start: float = 40 / 255
    end: float = 4 / 255
    balance: float = 0.23
    stage: Stage = Stage("wiener", 5, 48, step=4, radius=14)  # noqa: RUF009
    sweeps: int = 12
    name: ClassVar[str] = "pnp"
    needs: ClassVar[Needs] = Needs(identity=False)

    def __post_init__(self) -> None:
        if self.steps < 1 or not 0 < self.end <= self.start:
            raise InputError(
                f"{self} goes nowhere; take a step at least, and an end above 0 that the start is above"
            )

    @torch.no_grad()
    def solve(self, problem: Problem, seed: int = 0) -> Estimate:
        """Return the picture behind a measurement; nothing is drawn, so `seed` changes nothing."""
        if problem.operator is None and problem.complete:
            return MultiScale().solve(problem, seed)
        if problem.operator is not None and not (problem.operator.linear and problem.operator.adjoint):
            raise InputError(
                f"pnp needs an operator with an adjoint, and {problem.operator.name} has none; choose dip"
            )
        exact = problem.noise.kind == "impulse" or problem.noise.level < ROUNDING
        sigma = ROUNDING if exact else problem.noise.level
        x = z = problem.initial()
        for s in self._schedule(sigma):
            z = fitted(problem, x, self.balance * (sigma / s) ** 2, self.sweeps)
            x = denoise_nonlocal(z, s**2, (self.stage,), pilot=x)
        return Estimate(z if exact else x)

    def _schedule(self, sigma: float) -> list[float]:
        end = max(self.end, sigma)
        start = max(self.start, end)
        return [start * (end / start) ** (k / max(self.steps - 1, 1)) for k in range(self.steps)]


def fitted(problem: Problem, x: Tensor, regular: float, sweeps: int) -> Tensor:
    """Return the picture near `x` that explains what was measured better.

        z = x + A* m (m A A* m + r)^-1 m (y - A x)

    by conjugate gradients.

    Parameters
    ----------
    problem : Problem
        With a linear operator that has an adjoint, or none.
    x : Tensor
        Picture, (1, C, H, W).
    regular : float
        r, at least 0; with 0 the measurement is explained entirely.
    sweeps : int
        Most steps.
    """
    mask, forward, back = problem.mask, problem.measured, _adjoint(problem)
    rest = mask * (problem.y - forward(x))
    if problem.operator is None:
        return x + rest / (1 + regular)
    solution, direction = torch.zeros_like(rest), rest.clone()
    square = float(rest.square().sum())
    enough = ENOUGH * square
    for _ in range(sweeps):
        image = mask * forward(back(direction)) + regular * direction
        curvature = float((direction * image).sum())
        if square <= enough or not (curvature > 0 and math.isfinite(curvature)):
            break
        step = square / curvature
        solution, rest = solution + step * direction, rest - step * image
        before, square = square, float(rest.square().sum())
        direction = rest + square / before * direction
    return x + back(mask * solution)


def _adjoint(problem: Problem) -> Callable[[Tensor], Tensor]:
    return (lambda y: y) if problem.operator is None else problem.operator.A_adjoint
