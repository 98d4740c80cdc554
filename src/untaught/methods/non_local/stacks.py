"""Planes of a stack restored together: answers of several scales joined with weights of least estimated risk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from untaught.method import Along
from untaught.methods.non_local.dct_pyramid import Axes, bands, enlarged, halved
from untaught.methods.non_local.noise_covariance import Covariance
from untaught.methods.non_local.over_time import denoise_over_time
from untaught.methods.non_local.stack_parts import Joint, Split, Stack
from untaught.methods.non_local.through_depth import denoise_volume
from untaught.problem import Estimate, Problem, Response
from untaught.risk.sure_let import Part

EDGES = (1 / 8, 1 / 4, 1 / 2)  # of the bands that a lower resolution may take over
WHOLE = (*EDGES, 1.5)  # of all bands
LEAST = 48  # pixels: the shorter side of planes that are halved
LEAST_PLANES = 16  # the same through the planes of a volume

Found = tuple[Part, Callable[[Tensor], Tensor]]  # an answer, and what makes it of other observations


class Planewise(Protocol):
    """A method for one plane at several scales: `MultiScale`."""

    def solve(self, problem: Problem, seed: int) -> Estimate: ...  # noqa: D102

    def pictures(self, problem: Problem) -> list[Tensor]: ...  # noqa: D102

    def split(self, scale: int) -> Split: ...  # noqa: D102

    def guide(self, problem: Problem, y: Tensor, variance: Tensor) -> Tensor: ...  # noqa: D102


def solve_together(method: Planewise, problems: Sequence[Problem], along: Along, seed: int) -> list[Estimate]:
    """Return the estimates of planes that help each other; see `method.Together`."""
    if len(problems) == 1:
        return [method.solve(problems[0], seed)]
    device = problems[0].y.device
    stack = Stack(tuple(_on_processor(problem) for problem in problems))
    answer, again = (_over_time if along == "time" else _through_depth)(method, stack, seed)
    found = []
    for k, image in enumerate(answer.image.split(1)):
        responses = tuple(
            Response(r.probe[k : k + 1].to(device), r.moved[k : k + 1].to(device)) for r in answer.responses
        )
        function, repilot = _plane_of(again, stack, k), partial(method.guide, problems[k])
        found.append(Estimate(image.to(device), function=function, repilot=repilot, responses=responses))
    return found


def _on_processor(problem: Problem) -> Problem:
    pilot = None if problem.pilot is None else problem.pilot.cpu()
    return replace(problem, y=problem.y.detach().cpu(), mask=problem.mask.cpu(), pilot=pilot)


def _plane_of(again: Callable[[Tensor], Tensor], stack: Stack, k: int) -> Callable[[Tensor], Tensor]:
    """Return the map from another observation of plane `k` to its image, the other planes as they are."""

    def function(y: Tensor) -> Tensor:
        planes = list(stack.y.split(1))
        planes[k] = y.detach().cpu()
        return again(torch.cat(planes))[k : k + 1].to(y.device)

    return function


def _over_time(method: Planewise, stack: Stack, seed: int) -> Found:
    """Every plane alone, by `method`, is the pilot of what is done over time, and a part of the answer."""
    alone = _alone(method, stack)
    draws = stack.draws(alone[0], seed)
    moved = [_alone(method, stack.with_y(draw.yhat)) for draw in draws]
    scales = tuple(method.split(scale) for scale in range(len(alone) - 1))
    pilots, pilot = Joint.of(stack, draws, alone, moved, scales)
    pictures = _followed(stack, pilot.image)
    moved = [
        _followed(stack.with_y(draw.yhat), pilots(pictures)) for draw, pictures in zip(draws, moved, strict=True)
    ]
    splits = (_split(WHOLE), *(_split(EDGES) for _ in pictures[2:]))
    joint, answer = Joint.of(stack, draws, pictures, moved, splits)

    def again(y: Tensor) -> Tensor:
        other = stack.with_y(y)
        return joint(_followed(other, pilots(_alone(method, other))))

    return answer, again


def _alone(method: Planewise, stack: Stack) -> list[Tensor]:
    """Return what `method` makes of every plane at every scale."""
    planes = (method.pictures(problem) for problem in stack.problems)
    return [torch.cat(scale) for scale in zip(*planes, strict=True)]


def _followed(stack: Stack, pilot: Tensor) -> list[Tensor]:
    """Return what is made over time, `pilot`, and what is made at half the resolution, if there is room for it."""
    y, covariance = stack.y, stack.covariance()
    found = [denoise_over_time(y, stack.variance, pilot, covariance=covariance), pilot]
    if min(y.shape[2:]) < 2 * LEAST:
        return found
    lower = _halved_law(stack, pilot, (2, 3))
    below = denoise_over_time(halved(y), lower.variance_of, halved(pilot), covariance=lower.covariance)
    return [*found, enlarged(below, y.shape[2:])]


def _through_depth(method: Planewise, stack: Stack, seed: int) -> Found:
    axes = (0, 2, 3) if len(stack.problems) >= LEAST_PLANES else (2, 3)
    pictures = _in_cubes(stack, axes)
    draws = stack.draws(pictures[0], seed)
    moved = [_in_cubes(stack.with_y(draw.yhat), axes) for draw in draws]
    splits = tuple(_split(EDGES, axes) for _ in pictures[1:])
    joint, answer = Joint.of(stack, draws, pictures, moved, splits)
    return answer, lambda y: joint(_in_cubes(stack.with_y(y), axes))


def _in_cubes(stack: Stack, axes: Axes) -> list[Tensor]:
    """Return the volume, and what is made at half the resolution along some axes, if there is room for it."""
    y, covariance = stack.y, stack.covariance()
    found = denoise_volume(y, stack.variance, covariance=covariance)
    if min(y.shape[2:]) < LEAST:
        return [found]
    lower = _halved_law(stack, found, axes)
    below = denoise_volume(halved(y, axes), lower.variance_of, covariance=lower.covariance)
    return [found, enlarged(below, [y.shape[axis] for axis in axes], axes)]


@dataclass(frozen=True)
class _Law:
    """The variance of noise at every value, and what neighbours share of it."""

    variance: Tensor
    covariance: Covariance | None

    def variance_of(self, estimate: Tensor) -> Tensor:
        """Return it whatever the estimate."""
        return self.variance


def _halved_law(stack: Stack, estimate: Tensor, axes: Axes) -> _Law:
    """Return the law of the noise at half the resolution along some axes."""
    variance, covariance = stack.variance(estimate), stack.covariance()
    sides = [2 if axis in axes else 1 for axis in (0, 2, 3)]
    mean = F.avg_pool3d(variance.transpose(0, 1), sides, ceil_mode=True, count_include_pad=False).transpose(0, 1)
    share = 1.0
    for axis in axes:
        # Of shared noise more than the share of white noise stays: `Covariance.halved` keeps count of that.
        if covariance is None or axis == 0:
            share *= -(-estimate.shape[axis] // 2) / estimate.shape[axis]
    return _Law(share * mean, None if covariance is None else covariance.halved())


def _split(edges: Sequence[float], axes: Axes = (2, 3)) -> Split:
    return lambda x: bands(x, edges, axes)
