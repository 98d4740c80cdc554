"""Point-spread functions as people write them."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from untaught.errors import InputError
from untaught.operators.blur import check_psf

MOST_RADIUS = 200.0  # pixels; a larger blur leaves nothing to be seen
FINER = 8  # samples a pixel and axis of the point-spread functions that have an edge


def _from_words(text: str) -> Tensor:
    kind, _, rest = text.partition(":")
    count, make = WORDS[kind]
    try:
        numbers = [float(part) for part in rest.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != count or not all(map(math.isfinite, numbers)) or not 0 < numbers[0] <= MOST_RADIUS:
        raise InputError(
            f"{text!r} is no point-spread function; write gaussian:SIGMA, disk:RADIUS or motion:LENGTH,ANGLE, or "
            "give a file"
        )
    values = make(*numbers)
    return check_psf(values / values.sum())


def _gaussian(sigma: float) -> Tensor:
    reach = max(1, math.ceil(3.5 * sigma))
    line = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, dtype=torch.float64) / sigma) ** 2)
    return torch.outer(line, line)


def _disk(radius: float) -> Tensor:
    down, across = _places(math.ceil(radius))
    return _pooled((down.square() + across.square() <= radius**2).double())


def _motion(length: float, angle: float) -> Tensor:
    """Return a line of width one pixel through the middle."""
    turn = math.radians(angle)
    down, across = _places(math.ceil((length + 1) / 2))
    along = across * math.cos(turn) - down * math.sin(turn)
    beside = across * math.sin(turn) + down * math.cos(turn)
    return _pooled(((along.abs() <= length / 2) & (beside.abs() <= 0.5)).double())


def _places(reach: int) -> tuple[Tensor, Tensor]:
    """Return row and column of every sample of a square of `reach` pixels to all sides, from its middle."""
    side = 2 * reach + 1
    line = (torch.arange(side * FINER, dtype=torch.float64) + 0.5) / FINER - side / 2
    down, across = torch.meshgrid(line, line, indexing="ij")
    return down, across


def _pooled(samples: Tensor) -> Tensor:
    mean: Tensor = torch.nn.functional.avg_pool2d(samples[None, None], FINER)[0, 0]
    return mean


WORDS: dict[str, tuple[int, Callable[..., Tensor]]] = {
    "gaussian": (1, _gaussian),
    "disk": (1, _disk),
    "motion": (2, _motion),
}
"""How many numbers each kind of point-spread function has, and what makes it of them."""
