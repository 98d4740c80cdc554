"""What is asked, `y = mask * A(x) + n`, and what is answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from untaught.noise import NoiseModel

if TYPE_CHECKING:
    from untaught.operators import Operator


@dataclass(frozen=True)
class Response:
    """How an answer moves with a part of the noise that is known: probe = z / (alpha K), moved = f(yhat) - p.

    Both (1, C, H, W); the sum of probe * moved over the K draws estimates Var[y|x] df/dy.
    """

    probe: Tensor
    moved: Tensor


Repilot = Callable[[Tensor, Tensor], Tensor]
Weights = dict[str, Any]  # see `State.weights`
Window = tuple[slice, slice, slice, slice]


@dataclass(frozen=True)
class Problem:
    """What is to be restored: `y = mask * A(x) + n`, values scaled so that the picture's range is [0, 1].

    A task is an operator A, nothing else; without one the picture itself was measured.

    Attributes
    ----------
    y : Tensor
        Measurement, float32, on the device to work on: a degraded plane (1, C, H, W) where there is no
        operator, else whatever the operator returns, with a leading 1. Finite everywhere; where `mask` is 0 it
        holds a plausible filling that no objective may look at.
    mask : Tensor
        float32, 1 where there is a measurement and 0 where it is missing; (1, 1, H, W), or of any shape that
        broadcasts to that of `y`.
    noise : NoiseModel
        What is known or was estimated about `n`, in the same [0, 1] units.
    pilot : Tensor or None
        An earlier estimate of E[A(x)|x] without an operator, of x with one; for the methods that can be guided
        by one.
    repilot : callable or None
        Makes such an estimate of another observation, from it and the variance of its noise.
    remake : callable or None
        Makes the pilot of a problem like this one, of which a part is kept back.
    operator : Operator or None
        A, from pictures (1, C, H, W) to measurements; None for the identity.
    guide_image : Tensor or None
        Another picture of the same scene, (1, any, H, W), of the size of the picture: a code to draw from.
    context : Tensor or None
        (1, P C, H, W): P other planes of the series that this is one of, on its scale, with noise of their own.
    warm_start : dict or None
        The weights of a fit to the plane before, of the same stack: where to begin.
    """

    y: Tensor
    mask: Tensor
    noise: NoiseModel
    pilot: Tensor | None = None
    repilot: Repilot | None = None
    remake: Callable[[Problem], Tensor] | None = None
    operator: Operator | None = None
    guide_image: Tensor | None = None
    context: Tensor | None = None
    warm_start: Weights | None = None

    @property
    def complete(self) -> bool:
        """Whether no measurement is missing."""
        return bool((self.mask > 0).all())

    @property
    def picture_shape(self) -> tuple[int, ...]:
        """(1, C, H, W) of the picture, which is larger than `y` where that is a small or partial view of it."""
        return tuple(self.y.shape) if self.operator is None else self.operator.picture_shape(self.y.shape)

    def measured(self, x: Tensor) -> Tensor:
        """Return A(x), what would be measured of the picture `x` without noise."""
        return x if self.operator is None else self.operator.A(x)

    def initial(self) -> Tensor:
        """Return a cheap picture to start from: the pilot, or what the operator makes of `y`."""
        if self.pilot is not None:
            return self.pilot
        return self.y if self.operator is None else self.operator.initial(self.y)

    def misfit(self, x: Tensor) -> Tensor:
        """Return the mean of mask (A(x) - y)^2 over what was measured; differentiable."""
        squared = (self.measured(x) - self.y).square() * self.mask
        return squared.sum() / self.mask.expand_as(self.y).sum()

    def repiloted(self, seen: Problem, variance: Tensor) -> Problem:
        """Return `seen`, from which a part of this problem was kept back, with a pilot of its own if this has one.

        One made from the whole of y would leak what is kept back.

        Parameters
        ----------
        seen : Problem
            What is left of this problem.
        variance : Tensor
            Of the noise in `seen.y`, of the shape of y.

        Raises
        ------
        ValueError
            If the pilot was set without what makes it again.
        """
        if self.pilot is None:
            return seen
        if self.remake is not None:
            return replace(seen, pilot=self.remake(seen))
        if self.repilot is None:
            raise ValueError("a pilot was set without what makes it again; set repilot or remake too")
        return replace(seen, pilot=self.repilot(seen.y, variance))

    def with_y(self, y: Tensor) -> Problem:
        """Return the same problem with another observation; a pilot made from the old one goes."""
        return replace(self, y=y, pilot=None)


@dataclass(frozen=True)
class Estimate:
    """What a method answers: `image`, the picture, (1, C, H, W) in [0, 1] units, detached; `std` alike, or None.

    `function` is the fitted map from an observation (1, C, H, W) to such an image, where there is one: what a
    divergence can be measured on; `responses` are what it was measured from, where the method did so itself.
    `repilot` is the same map for any observation and variance map, quick enough to make pilots with. `weights` are
    what a fit to the next plane of a stack can begin with.
    """

    image: Tensor
    std: Tensor | None = None
    function: Callable[[Tensor], Tensor] | None = None
    repilot: Repilot | None = None
    responses: tuple[Response, ...] = ()
    weights: Weights | None = None


def tensor(values: NDArray[np.float32]) -> Tensor:
    """Return (H, W, C) as (1, C, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1)))[None]


def array(image: Tensor) -> NDArray[np.float32]:
    """Return (1, C, H, W) as (H, W, C)."""
    return np.ascontiguousarray(image[0].permute(1, 2, 0).float().cpu().numpy())


def around(marked: Tensor, margin: int) -> Window:
    """Return the rectangle that holds all that is marked, (1, 1, H, W), and so many pixels around it."""
    spans = []
    for axis in (2, 3):
        at = torch.nonzero(marked.amax(5 - axis).flatten())
        first, last = int(at.min()), int(at.max()) + 1
        spans.append(slice(max(first - margin, 0), min(last + margin, marked.shape[axis])))
    return slice(None), slice(None), spans[0], spans[1]


def part_of(problem: Problem, window: Window) -> Problem:
    """Return the problem of a part of the picture; there must be no operator."""
    cut = {
        name: value[window]
        for name in ("y", "mask", "pilot", "guide_image", "context")
        if (value := getattr(problem, name)) is not None
    }
    return replace(problem, noise=problem.noise.part(window), **cut)


def smoothed(problem: Problem) -> Tensor:
    """Return a 5x5 binomial mean over measured pixels: a poor picture, but one made without z.

    Measurements that are no picture, of other than four axes, are returned as they are.
    """
    if problem.y.ndim != 4:
        return problem.y
    taps = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0], device=problem.y.device) / 16
    channels = problem.y.shape[1]

    def blur(x: Tensor) -> Tensor:
        x = F.pad(x, (2, 2, 2, 2), mode="replicate")
        x = F.conv2d(x, taps.view(1, 1, 1, 5).expand(x.shape[1], 1, 1, 5), groups=x.shape[1])
        return F.conv2d(x, taps.view(1, 1, 5, 1).expand(x.shape[1], 1, 5, 1), groups=x.shape[1])

    weight = blur(problem.mask).clamp_min(1e-6)
    known = blur(problem.y * problem.mask) / weight
    return torch.where(weight.expand(-1, channels, -1, -1) > 1e-3, known, problem.y)


def made_whole(problem: Problem) -> Tensor:
    """Return y with what is missing filled in from around it, for what does not look at the mask."""
    return torch.where(problem.mask > 0, problem.y, smoothed(problem))
