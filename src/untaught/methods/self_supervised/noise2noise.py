"""Noise2Noise with true pairs, and the two that make a pair by sub-sampling one picture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from untaught.errors import InputError
from untaught.method import Needs, Runs, State
from untaught.methods.in_series import Planes
from untaught.methods.self_supervised.learner import Batch, Norm, deviation
from untaught.methods.self_supervised.neighbours import with_context
from untaught.methods.self_supervised.single_image import OnePicture
from untaught.operators.filters import local_mean
from untaught.problem import Problem

WINDOW = 7  # pixels on a side, in which a picture is compared with its second observation
ALONE = (
    "n2n needs two observations of the same picture, and here is one; give a stack with planes along T or Z "
    "(--axes names them), train it on pairs, or choose neighbor2neighbor or zs-n2n, which make a pair of one "
    "picture"
)


@dataclass(frozen=True)
class Noise2Noise(OnePicture):
    """Noise2Noise, for two observations y, y' of the same picture with noise of their own.

        min over theta of E || f_theta(y) - y' ||^2 = E || f_theta(y) - x ||^2 + variance of y'
        answer: (f_theta(y) + f_theta(y')) / 2, or f_theta(y) where there is no second observation of a picture.

    Of a series, y_{t-1} and y_{t+1} are the second observations of y_t, by turns:

        min over theta of E sum_i w_i (f_theta(y_t; neighbours without y_{t+d})_i - y_{t+d,i})^2,   d = -1 or 1
        answer: the mean of both f_theta(y_t; neighbours without y_{t+d})

    with w = 1 where the two planes differ by no more than their noise explains, and next to 0 where something has
    moved (`steadiness`): nothing is learned there, so it is not blurred. Neighbours, w and what is ours of this.

    Attributes
    ----------
    norm : str
        'l2'; 'l1' learns medians, for noise with outliers such as text (section 3.3 of the paper).

    References
    ----------
    Lehtinen, Munkberg, Hasselgren, Laine, Karras, Aittala, Aila, "Noise2Noise: Learning Image Restoration without
    Clean Data", ICML 2018.
    """

    norm: Norm = "l2"
    name: ClassVar[str] = "n2n"
    needs: ClassVar[Needs] = Needs(complete=True, pairs=True)
    runs: ClassVar[Runs] = OnePicture.beside

    @property
    def alone(self) -> str:
        """See `in_series.Accompanied`."""
        return ALONE

    def init(self, problem: Problem, seed: int) -> State:
        """Refuse: a problem is one picture."""
        raise InputError(ALONE)

    def objective(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        """Return the mean of (f(y) - y')^2, either of the two being y; in a series, weighted, the first."""
        if batch.second is None:
            raise InputError("n2n needs a second observation of every picture it learns from, and there is none")
        if batch.context is not None:
            return deviation(network(batch.y), batch.second, batch.mask * steadiness(batch), self.norm)
        pair = (batch.y, batch.second)
        first = int(torch.randint(2, (1,), generator=generator))
        return deviation(network(pair[first]), pair[1 - first], batch.mask, self.norm)

    def answer(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """Return the mean of what is made of each observation."""
        first: Tensor = network(batch.y).detach()
        return first if batch.second is None else (first + network(batch.second).detach()) / 2, None

    def learned(self, planes: Planes, place: int, generator: torch.Generator) -> Batch:
        """See `OnePicture`: with the plane before or after as the second observation."""
        ways = ways_from(place, len(planes))
        way = ways[int(torch.randint(len(ways), (1,), generator=generator))]
        other = planes.at(place + way)
        seen = with_context(planes, place, self.around(place, way, len(planes)))
        return replace(seen, second=other.y, mask=seen.mask * other.mask)

    def shown(self, planes: Planes, place: int) -> tuple[Batch, ...]:
        """See `OnePicture`: once without the plane after, once without the one before."""
        count = len(planes)
        return tuple(
            with_context(planes, place, self.around(place, way, count)) for way in ways_from(place, count)
        )

    def around(self, place: int, way: int, count: int) -> list[int]:
        """Return the places of the planes that are seen where that at `place` + `way` is asked for.

        Those on the other side, and those beyond it, the nearest first; beyond the ends, the plane itself.
        """
        steps = [step for k in range(1, self.neighbours + 1) for step in (-k * way, (k + 1) * way)]
        return [place + step if 0 <= place + step < count else place for step in steps]


def ways_from(place: int, count: int) -> list[int]:
    """Return on which sides there is a plane: -1 before, 1 after."""
    return [way for way in (-1, 1) if 0 <= place + way < count]


def steadiness(batch: Batch) -> Tensor:
    """Return 1 where a picture and its second observation show the same, and less where noise does not explain it.

        w = exp(-max(0, z - 2)^2 / 2),   z the larger of (m - 1) sqrt(n C / 2) and |b| sqrt(n C)

    with m the mean of (y - y')^2 / (2 v) and b that of (y - y') / sqrt(2 v) over the n pixels of a window around a
    pixel and C channels, v the variance of the noise: by m what moved is seen, by b what got darker. Those that
    share noise with the pixel itself are left out, or noise would be chosen by what it looks like.

    Returns
    -------
    Tensor
        (B, 1, H, W).
    """
    if batch.second is None:
        raise ValueError("there is no second observation")
    means = local_mean(batch.y, WINDOW).split(1)
    variances = [law.variance_at_mean(mean) for law, mean in zip(batch.noises, means, strict=True)]
    apart = (batch.y - batch.second) / (2 * torch.cat(variances)).clamp_min(1e-12).sqrt()
    reach = max((max(law.reach) for law in batch.noises), default=0)
    channels = apart.shape[1]
    square, count = _around(apart.square().mean(1, keepdim=True), reach)
    mean, _ = _around(apart.mean(1, keepdim=True), reach)
    moved = torch.maximum((square - 1) * (count * channels / 2) ** 0.5, mean.abs() * (count * channels) ** 0.5)
    return torch.exp(-(moved - 2).clamp_min(0).square() / 2)


def _around(x: Tensor, reach: int) -> tuple[Tensor, int]:
    """Return the mean over a window without the pixels up to `reach` away, and of how many that is."""
    inner = 2 * reach + 1
    outer = WINDOW + 2 * reach
    count = outer**2 - inner**2
    return (local_mean(x, outer) * outer**2 - local_mean(x, inner) * inner**2) / count, count
