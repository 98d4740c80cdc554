"""What undoing the clipping does to squared errors."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from untaught.noise import NoiseModel
from untaught.noise.models.censored import interpolate, reach_of

STEP = 1e-3  # of the range: the slope of u is taken over this to both sides
FINER = 8  # nodes of a table in a step
BEND = 4e-3  # of the range: that of the weight, over this


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

    The square of the slope of u = `noise.unclip`; 1 where nothing was clipped.

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
    if not noise.biased:
        return Weight(value)
    bend = _tabled(noise, lambda x: (_slope(noise, x + BEND) - _slope(noise, x - BEND)) / (2 * BEND), image)
    return Weight(value, bend * (image - y))


def weight_at(noise: NoiseModel, image: Tensor) -> Tensor:
    """Return the squared slope of undoing the clipping at each value; 1 where nothing was clipped."""
    if not noise.biased:
        return torch.ones_like(image)
    return _tabled(noise, lambda x: _slope(noise, x), image)


def _slope(noise: NoiseModel, x: Tensor) -> Tensor:
    """Return the squared slope of undoing the clipping at x."""
    rise: Tensor = noise.unclip(x + STEP) - noise.unclip(x - STEP)
    return (rise / (2 * STEP)).square()


def _tabled(noise: NoiseModel, function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Return function(x) by a table finer than `STEP`: each value counts alone, and a picture has many.

    Far from the ends of the range the function is level, and one hot pixel there would make the table endless.
    """
    margin = max(1.0, reach_of(noise.std) + 2 * BEND)
    x = x.clamp(-margin, 1 + margin)
    low, high = float(x.min()), float(x.max())
    if not high > low:
        return function(x)
    nodes = torch.linspace(low, high, math.ceil((high - low) / STEP * FINER) + 1, dtype=x.dtype)
    found: Tensor = interpolate(x, nodes.numpy(), function(nodes).numpy())
    return found
