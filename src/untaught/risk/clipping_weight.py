"""What undoing the clipping does to squared errors."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from untaught.noise import NoiseModel
from untaught.noise.models.censored import reach_of
from untaught.noise.models.piecewise import KEPT, Piecewise

STEP = 1e-3  # of the range: the slope of u is taken over this to both sides
FINER = 8  # nodes of a table in a step
BEND = 4e-3  # of the range: that of the weight, over this

Function = Callable[[NoiseModel, Tensor], Tensor]


@dataclass(frozen=True)
class Weight:
    """Weights of squared errors, (1, C, H, W), that depend on the answer f themselves.

        E w(f) (f - m)^2 = E [ w sure + w'(f) (2 f - y - m) tau df/dy ],   sure = (f - y)^2 + 2 tau df/dy - tau

    by Stein's identity E (y - m) g(y) = E tau g'(y), once with g = w f and once with g = w y. `value` is w, and
    `tilt` is w'(f) (f - y). For m, which is not known, stands what it is where f errs by the share of its own
    pixel's noise, the mean divergence d: 2 f - y - m = (f - y) (1 - 2 d) / (1 - d). Without the second term the
    errors of dark pictures come out too small: w falls with f and so with the noise, whose square is skewed there.
    """

    value: Tensor
    tilt: Tensor | None = None

    def of(self, sure: Tensor, cross: Tensor, variance: Tensor) -> Tensor:
        """Return the weighted risk a value, of Stein's `sure`, `cross` = tau df/dy and `variance` = tau."""
        weighted = self.value * sure
        if self.tilt is None:
            return weighted
        share = float(cross.mean() / variance.mean().clamp_min(1e-12))
        share = min(max(share, 0.0), 0.5)
        return weighted + (1 - 2 * share) / (1 - share) * self.tilt * cross


def undone(noise: NoiseModel, image: Tensor, y: Tensor) -> Weight:
    """Return what the squared errors of `image` are multiplied by where the clipping of its mean is undone.

    The square of the slope of u = `noise.unclip`; 1 where nothing was clipped, and where u bends too much for a
    slope (see `bent_mean`): errors are then those of the mean.

    Parameters
    ----------
    noise : NoiseModel
        With `clip`, the ends that were cut.
    image : Tensor
        Estimate of E[y | x], (1, C, H, W).
    y : Tensor
        What was observed, of the same shape.
    """
    value = weight_at(noise, image)
    if not noise.biased or noise.least_mean is not None:
        return Weight(value)
    bend = _tabled(noise, _bend_of, image)
    return Weight(value, bend * (image - y))


def weight_at(noise: NoiseModel, image: Tensor) -> Tensor:
    """Return the squared slope of undoing the clipping at each value; 1 where `undone` has it so."""
    bare = not noise.biased or noise.least_mean is not None
    return torch.ones_like(image) if bare else _tabled(noise, _slope, image)


def _slope(noise: NoiseModel, x: Tensor) -> Tensor:
    """Return the squared slope of undoing the clipping at x."""
    rise: Tensor = noise.unclip(x + STEP) - noise.unclip(x - STEP)
    return (rise / (2 * STEP)).square()


def _bend_of(noise: NoiseModel, x: Tensor) -> Tensor:
    """Return the slope of that."""
    return (_slope(noise, x + BEND) - _slope(noise, x - BEND)) / (2 * BEND)


def _tabled(noise: NoiseModel, function: Function, x: Tensor) -> Tensor:
    """Return function(noise, x) by a table finer than `STEP`: each value counts alone, and a picture has many."""
    table = _table(noise, function) if noise.pixel_levels is None else _table.__wrapped__(noise, function)
    found: Tensor = table(x)
    return found


@lru_cache(maxsize=KEPT)  # parts of a picture ask again
def _table(noise: NoiseModel, function: Function) -> Piecewise:
    """Return the table, from where to where the ends of the range are felt: beyond, the function is level."""
    margin = max(1.0, reach_of(noise.std) + 2 * BEND)
    count = math.ceil((1 + 2 * margin) / STEP * FINER) + 1
    nodes = torch.linspace(-margin, 1 + margin, count, dtype=torch.float64)
    return Piecewise(nodes.numpy(), function(noise, nodes).numpy())
