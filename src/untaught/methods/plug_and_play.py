"""Plug and play: any linear operator undone with the prior of similar patches, in alternate steps."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from untaught.errors import InputError
from untaught.image.axes import MIN_SIDE
from untaught.method import Needs, Pass, Runs, answer
from untaught.methods.non_local.multiscale import MultiScale, Quick
from untaught.methods.non_local.single_scale import Stage, denoise_nonlocal
from untaught.methods.time_limit import MARGIN, make_ready, seconds_for_all
from untaught.methods.untrained.pixels import ROUNDING
from untaught.operators import LinearOperator
from untaught.operators.downsample import bicubic
from untaught.operators.structure import Bounded, coarser_of
from untaught.problem import Estimate, Problem

FEW_STEPS = 8  # with fewer the noise that D is told falls as quickly, and begins lower
HURRIED = Stage("wiener", 5, 32, step=5, radius=7)  # D where even so many steps of the other take too long
SMOOTH, START_SWEEPS = 1e-3, 60  # weight, of A* A, and steps of the smooth picture that some operators start from
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
        How often the two are done in turn; 8 to 30 in the papers; with none the answer is where it starts.
    start, end : float
        The noise that D is told at the first and the last step, in units of the value range; the measurement's own
        where that is more than `end`. 49 / 255 to the noise level in Zhang et al.
    balance : float
        l; 0.23 in Zhang et al.
    stage : Stage
        What D is.
    sweeps : int
        Most steps of the conjugate gradients that find z.
    last : int or None
        See `InPasses`.

    Notes
    -----
    Where the picture itself was measured, and all of it, this is `MultiScale`: D with the noise that there is.

    Enlargements by 4 and more start at half the resolution and less, see `ladder`. What JPEG has rounded, and a
    pattern whose spectrum is known, have an error that is known without sigma and l, see `Jpeg.nearest` and
    `Screen.nearest`: that takes the place of the first step, s_k is counted in what was lost, and of a JPEG file
    the answer is a z, of which the same file could have been made.

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
    last: int | None = None
    runs: ClassVar[Runs] = Runs(compiled=True)
    name: ClassVar[str] = "pnp"
    needs: ClassVar[Needs] = Needs(identity=False)

    def __post_init__(self) -> None:
        if self.steps < 0 or not 0 < self.end <= self.start:
            raise InputError(f"{self} goes nowhere; take steps, none or some, and an end above 0 below the start")

    def solve(self, problem: Problem, seed: int = 0) -> Estimate:
        """Return the picture behind a measurement; nothing is drawn, so `seed` changes nothing."""
        return answer(self, problem, seed)

    def passes(self, problem: Problem, seed: int) -> Iterator[Pass]:
        """Yield the picture after every step, enlarged while that is one of half the resolution or less.

        Raises
        ------
        InputError
            For an operator without an adjoint.
        """
        if problem.operator is None and problem.complete:
            yield Pass(MultiScale().solve(problem, seed), 1, 1)
            return
        if problem.operator is not None and not (problem.operator.linear and problem.operator.adjoint):
            raise InputError(
                f"pnp needs an operator with an adjoint, and {problem.operator.name} has none; choose dip"
            )
        exact = problem.noise.replaces or problem.noise.level < ROUNDING
        sigma = ROUNDING if exact else problem.noise.level
        rungs = ladder(problem)
        x, done = beginning(problem), 0
        yield Pass(Estimate(x), done, self.steps * len(rungs))
        for rung in rungs:
            if len(rungs) > 1:
                x = rung.initial() if rung is rungs[0] else bicubic(x, rung.picture_shape)
            for s in self._schedule(problem, sigma):
                with torch.no_grad():
                    z = self._explaining(rung, x, s, sigma)
                    x = denoise_nonlocal(z, s**2, (self.stage,), pilot=x)
                    shown = z if exact else x
                    if isinstance(rung.operator, Bounded):
                        shown = rung.operator.shown(x, rung.y, s)
                done += 1
                shown = shown if rung is problem else bicubic(shown, problem.picture_shape)
                yield Pass(Estimate(shown), done, self.steps * len(rungs))

    def within(self, problem: Problem, seconds: float) -> PlugAndPlay | MultiScale | None:
        """Return the method with as few steps as so many seconds on this machine call for.

        A pass of D over a small part of the picture says how long one over all of it takes; how long the
        measurement is explained for, one sweep does.
        """
        if problem.operator is None and problem.complete:
            return (
                self if MultiScale().within(problem, seconds) == MultiScale() else Quick().within(problem, seconds)
            )
        started, x = time.monotonic(), problem.initial()
        explained = self._seconds_to_explain(problem, x)
        pixels = math.prod(problem.picture_shape[-2:])
        share = sum(math.prod(rung.picture_shape[-2:]) for rung in ladder(problem)) / pixels
        steps, stage = 0, self.stage
        for stage in (self.stage, HURRIED):
            left = seconds - (time.monotonic() - started)
            taken = seconds_for_all(self._denoising(stage, x), x, left / FEW_STEPS)
            steps = max(0, int(MARGIN * left / max(share * (taken + explained), 1e-9)))
            if steps >= min(FEW_STEPS, self.steps):
                break
        if steps >= self.steps:
            return replace(self, stage=stage)
        lower = self.end * (self.start / self.end) ** min(1.0, steps / FEW_STEPS)
        return replace(self, steps=steps, stage=stage, start=lower)

    def _denoising(self, stage: Stage, x: Tensor) -> Callable[[Tensor], Tensor]:
        """Return D on a part of a picture, compiled by now."""

        def run(part: Tensor) -> Tensor:
            return denoise_nonlocal(part, self.start**2, (stage,), pilot=part).cpu()

        make_ready(run, x)
        return run

    def _seconds_to_explain(self, problem: Problem, x: Tensor) -> float:
        """Return how long a step takes to find z, on this machine."""
        started, bounded = time.monotonic(), isinstance(problem.operator, Bounded)
        with torch.no_grad():
            replace(self, sweeps=1)._explaining(problem, x, self.start, self.end)
        return (time.monotonic() - started) * (1 if bounded else (self.sweeps + 1) / 2)

    def _explaining(self, problem: Problem, x: Tensor, s: float, sigma: float) -> Tensor:
        """Return z, near a picture `x` that is wrong by `s`."""
        if isinstance(problem.operator, Bounded):
            return problem.operator.nearest(x, problem.y, s)
        return fitted(problem, x, self.balance * (sigma / s) ** 2, self.sweeps)

    def _schedule(self, problem: Problem, sigma: float) -> list[float]:
        if isinstance(problem.operator, Bounded):
            level = problem.operator.level(problem.y)
            start, end = (max(share * level, ROUNDING) for share in problem.operator.schedule)
        else:
            end = max(self.end, sigma)
            start = max(self.start, end)
        if self.steps == 1:
            return [end]
        return [start * (end / start) ** (k / (self.steps - 1)) for k in range(self.steps)]


def ladder(problem: Problem) -> list[Problem]:
    """Return the problem, and before it, where pictures were made small, those of halves of the resolution.

    What is large for a patch at full resolution, such as a step of an edge that is 8 pixels long, is small there.
    """
    rungs = [problem]
    while problem.pilot is None and (coarser := coarser_of(rungs[0].operator)) is not None:
        if min(coarser.picture_shape(problem.y.shape)[-2:]) < 2 * MIN_SIDE:
            break
        rungs.insert(0, replace(problem, operator=coarser))
    return rungs


def beginning(problem: Problem) -> Tensor:
    """Return the picture to start from, a smooth one where an operator knows none better than a multiple of A* y.

        min over x of || m (A x - y) ||^2 + w || grad x ||^2

    What A does not see is zero in A* y, and similar patches take such holes for the picture.
    """
    start, operator = problem.initial(), problem.operator
    if problem.pilot is not None or getattr(type(operator), "initial", None) is not LinearOperator.initial:
        return start
    assert operator is not None
    seen = operator.A_adjoint(problem.mask * operator.A(start))
    weight = SMOOTH * float(seen.norm() / start.norm().clamp_min(1e-12))
    rest = operator.A_adjoint(problem.mask * (problem.y - operator.A(start))) - weight * _roughness(start)

    def apply(x: Tensor) -> Tensor:
        return operator.A_adjoint(problem.mask * operator.A(x)) + weight * _roughness(x)

    return _conjugate(apply, start, rest, START_SWEEPS)


def _roughness(x: Tensor) -> Tensor:
    """Return grad* grad x: four times every pixel less its neighbours, border pixels repeated."""
    total = torch.zeros_like(x)
    for axis in (-2, -1):
        step = torch.diff(x, dim=axis)
        first, last = (torch.zeros_like(x.narrow(axis, 0, 1)) for _ in range(2))
        total -= torch.diff(step, dim=axis, prepend=first, append=last)
    return total


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

    def apply(y: Tensor) -> Tensor:
        return mask * forward(back(y)) + regular * y

    return x + back(mask * _conjugate(apply, torch.zeros_like(rest), rest, sweeps, ENOUGH))


def _conjugate(
    apply: Callable[[Tensor], Tensor], solution: Tensor, rest: Tensor, sweeps: int, enough: float = 0.0
) -> Tensor:
    """Return the solution of apply(x) = b by at most so many steps of conjugate gradients from a first one.

    `rest` is b - apply(solution); they end when its energy is down to the share `enough`.
    """
    direction, square = rest, float(rest.square().sum())
    least = enough * square
    for _ in range(sweeps):
        image = apply(direction)
        curvature = float((direction * image).sum())
        if square <= least or not (curvature > 0 and math.isfinite(curvature)):
            break
        step = square / curvature
        solution, rest = solution + step * direction, rest - step * image
        before, square = square, float(rest.square().sum())
        direction = rest + square / before * direction
    return solution


def _adjoint(problem: Problem) -> Callable[[Tensor], Tensor]:
    return (lambda y: y) if problem.operator is None else problem.operator.A_adjoint
