"""Planes of a series as networks see them: each with its neighbours as further input."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import torch
from torch import Tensor, nn

from untaught.methods.in_series import Planes
from untaught.methods.self_supervised.learner import Batch
from untaught.problem import Window

JUDGED = 160  # pixels on a side


def places_around(place: int, count: int, reach: int, backwards: bool = False) -> list[int]:
    """Return the places of `reach` planes before one of `count` and of as many after, the nearest first.

    Beyond the ends the series is mirrored. A plane is never its own neighbour: what is hidden from a network must
    not be seen there. With time reversed, those after are before.
    """
    if count < 2:
        raise ValueError("a plane alone has no neighbours")
    ways = (1, -1) if backwards else (-1, 1)
    return [_inside(place, way * k, count) for k in range(1, reach + 1) for way in ways]


def _inside(place: int, step: int, count: int) -> int:
    for at in (place + step, place - step):
        if 0 <= at < count:
            return at
    return 0 if place > (count - 1) / 2 else count - 1  # of few planes: the furthest there is


def with_context(planes: Planes, place: int, around: Iterable[int]) -> Batch:
    """Return a plane with others as its context, in their order."""
    problem = planes.at(place)
    context = torch.cat([planes.at(at).y for at in around], dim=1)
    return Batch(problem.y, (problem.noise,), problem.mask, context=context)


def middle(height: int, width: int) -> Window:
    """Return the part of a plane that a fit is judged by: the middle, at most `JUDGED` pixels on a side."""
    rows, columns = (slice(first := max(0, (n - JUDGED) // 2), first + min(n, JUDGED)) for n in (height, width))
    return slice(None), slice(None), rows, columns


def part(batch: Batch, window: Window) -> Batch:
    """Return the part of one picture and of all that belongs to it."""
    return replace(batch.each(lambda x: x[window]), noises=(batch.noises[0].part(window),))


class Seeing(nn.Module):
    """A network of a picture and its context that knows its context: what an objective takes for a network."""

    def __init__(self, network: nn.Module, context: Tensor):
        super().__init__()
        self.network = network
        self.context = context

    def forward(self, y: Tensor) -> Tensor:
        """Return what is drawn of `y`, one picture or several observations of each one after another."""
        times = len(y) // len(self.context)
        drawn: Tensor = self.network(y, self.context.repeat(times, 1, 1, 1))
        return drawn


def seeing(network: nn.Module, batch: Batch) -> nn.Module:
    """Return the network as objectives call it, with the context of a batch where there is one."""
    return network if batch.context is None else Seeing(network, batch.context)
