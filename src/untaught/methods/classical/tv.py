"""Total-variation denoising, its weight chosen by Stein's unbiased risk estimate."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from untaught.method import Needs, Runs
from untaught.methods.noise_variance import opponent_parts
from untaught.methods.time_limit import affordable
from untaught.noise.opponent_colours import basis
from untaught.problem import Estimate, Problem

Plane = NDArray[np.float32]

SOME = 0.1  # a weight; the time does not depend on it
LEAST = 20  # iterations, when there is little time
STEP = 0.1  # of the noise's standard deviation: the finite step that gives the divergence


@dataclass(frozen=True)
class TV:
    """The picture of small total variation that is close to y, by Chambolle's projections.

    x^ = argmin over x of ||x - y||^2 / 2 + w TV(x),  w = argmin of SURE(w),
    SURE(w) = mean(|x^ - y|^2 - v) + 2 mean(v div x^),

    with v the variance of every pixel and the divergence taken by one random probe. Three channels are
    denoised one by one in opponent colours, each with a weight of its own.

    Attributes
    ----------
    weights : tuple of float
        Weights to try, as multiples of the noise's standard deviation; ascending.
    crop : int
        The weight is chosen on the middle of the picture, up to so many pixels a side.
    iterations : int
        All of them are made: an iteration that ends by itself ends elsewhere for a picture hardly different.

    References
    ----------
    L. Rudin, S. Osher and E. Fatemi, Physica D 60, 1992; A. Chambolle, "An algorithm for total
    variation minimization and applications", 2004; S. Ramani, T. Blu and M. Unser, "Monte-Carlo SURE",
    IEEE TIP 17(9), 2008.
    """

    runs: ClassVar[Runs] = Runs(tweedie=(0.2, 1.0))
    name: ClassVar[str] = "tv"
    needs: ClassVar[Needs] = Needs(level=True, white=True, complete=True)

    weights: tuple[float, ...] = (0.3, 0.5, 0.8, 1.3, 2.1, 3.4)
    crop: int = 160
    iterations: int = 200

    def within(self, problem: Problem, seconds: float) -> TV:
        """Return the method with as many iterations as so many seconds on this machine are enough for."""
        weights = [SOME] * problem.y.shape[1]
        share = affordable(lambda part: _smooth(part, weights, LEAST), problem.y, seconds)
        return replace(self, iterations=min(self.iterations, max(LEAST, int(share * LEAST))))

    def solve(self, problem: Problem, seed: int = 0) -> Estimate:
        """Return the estimate of `problem`; `seed` draws the probe of the divergence."""
        _, noisy, variance = opponent_parts(problem)
        rng = np.random.default_rng(seed)
        weights = [
            self._weight(self._middle(y), self._middle(v), rng)
            for y, v in zip(noisy.cpu().numpy(), variance.cpu().numpy(), strict=True)
        ]
        # With the weights held: they jump from one multiple to another, which is no part of how the picture moves.
        smoothed = partial(_smooth, weights=weights, iterations=self.iterations)
        return Estimate(smoothed(problem.y), function=smoothed)

    def _middle(self, plane: Plane) -> Plane:
        starts = [max(0, (size - self.crop) // 2) for size in plane.shape]
        rows, columns = (slice(start, start + self.crop) for start in starts)
        return plane[rows, columns]

    def _weight(self, y: Plane, v: Plane, rng: np.random.Generator) -> float:
        sigma = math.sqrt(float(v.mean()))
        if sigma == 0:
            return 0.0
        probe = rng.standard_normal(y.shape, np.float32)
        given = y, v, STEP * sigma * probe
        risks = [_risk(given, factor * sigma, self.iterations) for factor in self.weights]
        return sigma * math.exp(_lowest(np.log(self.weights), np.array(risks)))


def _smooth(y: Tensor, weights: list[float], iterations: int) -> Tensor:
    """Return the picture of small total variation, (1, C, H, W), each part with its weight."""
    matrix = basis(y)
    parts = torch.einsum("oc,chw->ohw", matrix, y[0].detach())
    planes = [
        torch.from_numpy(_denoised(p, w, iterations)) for p, w in zip(parts.cpu().numpy(), weights, strict=True)
    ]
    return torch.einsum("oc,ohw->chw", matrix, torch.stack(planes).to(parts))[None]


def _denoised(y: Plane, weight: float, iterations: int) -> Plane:
    from skimage.restoration import denoise_tv_chambolle

    if weight == 0:
        return y.copy()
    return np.asarray(denoise_tv_chambolle(y, weight, eps=0, max_num_iter=iterations), np.float32)


def _risk(planes: tuple[Plane, Plane, Plane], weight: float, iterations: int) -> float:
    """Return SURE of one weight for y, its variance, and a step of a probe."""
    y, v, step = planes
    answer = _denoised(y, weight, iterations)
    change = _denoised(y + step, weight, iterations) - answer
    divergence = change * step / np.mean(step**2)
    return float(np.mean((answer - y) ** 2 - v + 2 * v * divergence))


def _lowest(x: NDArray[Any], risk: NDArray[Any]) -> float:
    """Return where the parabola through the lowest value and its neighbours is lowest."""
    best = int(np.argmin(risk))
    if not 0 < best < len(x) - 1:
        return float(x[best])
    a, b, _ = np.polyfit(x[best - 1 : best + 2], risk[best - 1 : best + 2], 2)
    return float(-b / (2 * a)) if a > 0 else float(x[best])
