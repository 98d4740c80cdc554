"""The part of a picture around what is missing from it."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from untaught.method import Problem

Window = tuple[slice, slice, slice, slice]


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
        for name in ("y", "mask", "pilot", "hint")
        if (value := getattr(problem, name)) is not None
    }
    return replace(problem, **cut)
