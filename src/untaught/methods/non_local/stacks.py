"""Planes of a stack restored together: answers of several scales joined with weights of least estimated risk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from untaught.method import Along
from untaught.methods.non_local.dct_pyramid import Axes, bands, enlarged, halved
from untaught.methods.non_local.noise_covariance import Covariance
from untaught.methods.non_local.over_time import ONCE_OVER_TIME, denoise_over_time
from untaught.methods.non_local.stack_parts import Draw, Joint, Split, Stack
from untaught.methods.non_local.temporal_mean import average_what_stays
from untaught.methods.non_local.through_depth import CUBES, ONCE_THROUGH_CUBES, CubeStage, denoise_volume
from untaught.problem import Estimate, Problem, Response

EDGES = (1 / 8, 1 / 4, 1 / 2)  # of the bands that a lower resolution may take over
WHOLE = (*EDGES, 1.5)  # of all bands
LEAST = 48  # pixels: the shorter side of planes that are halved
LEAST_PLANES = 16  # the same through the planes of a volume

Lines = list[list[int]]  # planes that follow each other, by their places in a stack


class Planewise(Protocol):
    """A method for one plane at several scales: `MultiScale`."""

    in_one_pass: ClassVar[bool]  # whether planes together are to take little more time than alone

    def solve(self, problem: Problem, seed: int) -> Estimate: ...  # noqa: D102

    def pictures(self, problem: Problem) -> list[Tensor]: ...  # noqa: D102

    def split(self, scale: int) -> Split: ...  # noqa: D102

    def guide(self, problem: Problem, y: Tensor, variance: Tensor) -> Tensor: ...  # noqa: D102


def solve_together(method: Planewise, problems: Sequence[Problem], along: Along, seed: int) -> list[Estimate]:
    """Return the estimates of planes that help each other; see `method.Together`."""
    if len(problems) == 1:
        return [method.solve(problems[0], seed)]
    line = [list(range(len(problems)))]
    if along == "depth":
        return _solved(method, problems, [_depth(line, method.in_one_pass)], seed)
    alone = _Step(_alone(method), _scales(method))
    return _solved(method, problems, [alone, *_time(line, method.in_one_pass)], seed)


def solve_grid(method: Planewise, problems: Sequence[Problem], length: int, seed: int) -> list[Estimate]:
    """Return the estimates of planes that help each other along two axes.

    They are restored as volumes first, across the lines, which gives the pilot for what is followed along them,
    and has a part in the answer.
    """
    lines = [list(range(first, first + length)) for first in range(0, len(problems), length)]
    if len(lines) == 1:
        return solve_together(method, problems, "time", seed)
    columns = [list(column) for column in zip(*lines, strict=True)]
    volumes = _depth(columns, method.in_one_pass)
    return _solved(method, problems, [volumes, *(_time(lines, method.in_one_pass) if length > 1 else [])], seed)


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


Made = Callable[[Stack, Tensor | None], list[Tensor]]


@dataclass(frozen=True)
class _Step:
    """One thing that is done to a stack: pictures of it, made with a pilot, and what splits them into bands."""

    make: Made
    splits: Callable[[int], tuple[Split, ...]]


def _solved(method: Planewise, problems: Sequence[Problem], steps: Sequence[_Step], seed: int) -> list[Estimate]:
    """Do step after step, each with the joined pictures of the one before for its pilot."""
    device = problems[0].y.device
    stack = Stack(tuple(_on_processor(problem) for problem in problems))
    joints, answer, draws = list[Joint](), None, list[Draw]()
    pilots: list[Tensor | None] = []
    for step in steps:
        pictures = step.make(stack, None if answer is None else answer.image)
        draws = draws or stack.draws(pictures[0], seed)
        moved = [
            step.make(stack.with_y(draw.yhat), pilot)
            for draw, pilot in zip(draws, pilots or [None] * len(draws), strict=True)
        ]
        joint, answer = Joint.of(stack, draws, pictures, moved, step.splits(len(pictures)))
        pilots = [*map(joint, moved)]
        joints.append(joint)
    assert answer is not None

    def again(y: Tensor) -> Tensor:
        other, pilot = stack.with_y(y), None
        for step, joint in zip(steps, joints, strict=True):
            pilot = joint(step.make(other, pilot))
        assert pilot is not None
        return pilot

    found = []
    for k, image in enumerate(answer.image.split(1)):
        responses = tuple(
            Response(r.probe[k : k + 1].to(device), r.moved[k : k + 1].to(device)) for r in answer.responses
        )
        function, repilot = _plane_of(again, stack, k), partial(method.guide, problems[k])
        found.append(Estimate(image.to(device), function=function, repilot=repilot, responses=responses))
    return found


def _by_lines(stack: Stack, lines: Lines, make: Callable[[Stack, list[int]], list[Tensor]]) -> list[Tensor]:
    """Return the pictures of a stack that are made line by line."""
    made = [make(Stack(tuple(stack.problems[place] for place in line)), line) for line in lines]
    order = torch.tensor([place for line in lines for place in line])
    back = torch.argsort(order)
    return [torch.cat(picture)[back] for picture in zip(*made, strict=True)]


def _alone(method: Planewise) -> Made:
    """Return what makes what `method` does of every plane at every scale."""

    def make(stack: Stack, _: Tensor | None) -> list[Tensor]:
        planes = (method.pictures(problem) for problem in stack.problems)
        return [torch.cat(scale) for scale in zip(*planes, strict=True)]

    return make


def _scales(method: Planewise) -> Callable[[int], tuple[Split, ...]]:
    return lambda count: tuple(method.split(scale) for scale in range(count - 1))


def _time(lines: Lines, in_one_pass: bool) -> list[_Step]:
    """Return what follows patches along lines, and averages what stays; the pilot is a part of each answer."""

    def along(followed: Callable[[Stack, Tensor], list[Tensor]]) -> Made:
        def make(stack: Stack, pilot: Tensor | None) -> list[Tensor]:
            assert pilot is not None
            return _by_lines(stack, lines, lambda part, line: followed(part, pilot[line]))

        return make

    def splits(count: int) -> tuple[Split, ...]:
        return (_split(WHOLE), *(_split(EDGES) for _ in range(count - 2)))

    if in_one_pass:
        return [_Step(along(_followed_once), splits)]
    return [_Step(along(_followed), splits), _Step(along(_averaged), splits)]


def _depth(lines: Lines, in_one_pass: bool) -> _Step:
    """Return what takes lines as volumes."""
    stages = ONCE_THROUGH_CUBES if in_one_pass else CUBES
    axes = (0, 2, 3) if len(lines[0]) >= LEAST_PLANES else (2, 3)

    def make(stack: Stack, _: Tensor | None) -> list[Tensor]:
        return _by_lines(stack, lines, lambda part, line: _in_cubes(part, axes, stages))

    def split(x: Tensor) -> list[Tensor]:
        made = [bands(x[line], EDGES, axes) for line in lines]
        back = torch.argsort(torch.tensor([place for line in lines for place in line]))
        return [torch.cat(band)[back] for band in zip(*made, strict=True)]

    return _Step(make, lambda count: (split,) * (count - 1))


def _followed(stack: Stack, pilot: Tensor) -> list[Tensor]:
    """Return what is made over time, `pilot`, and what is made at half the resolution, if there is room for it."""
    y, covariance = stack.y, stack.covariance()
    found = [denoise_over_time(y, stack.variance, pilot, covariance=covariance), pilot]
    if min(y.shape[2:]) < 2 * LEAST:
        return found
    lower = _halved_law(stack, pilot, (2, 3))
    below = denoise_over_time(halved(y), lower.variance_of, halved(pilot), covariance=lower.covariance)
    return [*found, enlarged(below, y.shape[2:])]


def _followed_once(stack: Stack, pilot: Tensor) -> list[Tensor]:
    """Return what is made over time in one pass, at the full resolution alone, and `pilot`."""
    return [denoise_over_time(stack.y, stack.variance, pilot, ONCE_OVER_TIME, stack.covariance()), pilot]


def _averaged(stack: Stack, pilot: Tensor) -> list[Tensor]:
    """Return `pilot`, and the same with what stands still averaged over all planes."""
    return [pilot, average_what_stays(stack.y, stack.variance, pilot, stack.covariance())]


def _in_cubes(stack: Stack, axes: Axes, stages: tuple[CubeStage, ...]) -> list[Tensor]:
    """Return the volume, and what is made at half the resolution along some axes, if there is room for it."""
    y, covariance = stack.y, stack.covariance()
    found = denoise_volume(y, stack.variance, stages, covariance)
    if min(y.shape[2:]) < LEAST:
        return [found]
    lower = _halved_law(stack, found, axes)
    below = denoise_volume(halved(y, axes), lower.variance_of, stages, lower.covariance)
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
