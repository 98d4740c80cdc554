"""What planes of a stack have together: their observations and laws of noise, and weights that join pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from untaught.methods.noise_variance import variance_at
from untaught.methods.non_local.noise_covariance import Covariance, covariance_of
from untaught.problem import Problem, Response
from untaught.risk.sure import ENOUGH, Recorruption, divergence_draws
from untaught.risk.sure_let import Part, differences, mixed, weights

Split = Callable[[Tensor], list[Tensor]]

MOST_DRAWS = 4  # of the divergence, for small stacks
LEAST_HEARD = 0.25  # of the noise variance: a plane that is restored with less change does not have that noise
APART = 1_000_003  # between the seeds of planes: a probe is independent from plane to plane


@dataclass(frozen=True)
class Stack:
    """The problems of planes that help each other, in their order.

    `y` and `mask` are (F, C, H, W) and (F, 1, H, W), on the processor, whose kernels do the work.
    """

    problems: tuple[Problem, ...]

    @property
    def y(self) -> Tensor:
        """What was observed."""
        return torch.cat([problem.y for problem in self.problems])

    @property
    def mask(self) -> Tensor:
        """1 where there is a measurement."""
        y = self.problems[0].y
        return torch.cat([p.mask.expand(1, -1, *y.shape[2:]) for p in self.problems])

    def with_y(self, y: Tensor) -> Stack:
        """Return the same planes with other observations, (F, C, H, W)."""
        return Stack(tuple(p.with_y(plane) for p, plane in zip(self.problems, y.split(1), strict=True)))

    def variance(self, estimate: Tensor) -> Tensor:
        """Return Var[y | x] where `estimate` estimates E[y | x], both (F, C, H, W)."""
        planes = zip(self.problems, estimate.split(1), strict=True)
        return torch.cat([variance_at(problem, plane) for problem, plane in planes])

    def covariance(self) -> Covariance | None:
        """Return what neighbouring pixels share of the noise, on the average of all planes."""
        found = [covariance_of(problem) for problem in self.problems]
        known = [one for one in found if one is not None]
        if len(known) < len(found):
            return None
        side = min(one.power.shape[1] for one in known)
        return Covariance(torch.stack([one.power for one in known if one.power.shape[1] == side]).mean(0))

    def draws(self, answer: Tensor, seed: int) -> list[Draw]:
        """Return the recorruptions to measure the divergence with, each of the whole stack."""
        most = min(MOST_DRAWS, max(1, ENOUGH // answer.numel()))
        planes = [
            divergence_draws(problem, image, seed + k * APART, most)
            for k, (problem, image) in enumerate(zip(self.problems, answer.split(1), strict=True))
        ]
        return [Draw(tuple(draw)) for draw in zip(*planes, strict=True)]


@dataclass(frozen=True)
class Draw:
    """One recorruption of all planes."""

    planes: tuple[Recorruption, ...]

    @property
    def yhat(self) -> Tensor:
        """(F, C, H, W)."""
        return torch.cat([plane.yhat for plane in self.planes])

    def probe(self, draws: int) -> Tensor:
        """Return z / (alpha K), (F, C, H, W)."""
        return torch.cat([plane.z / (plane.alpha * draws) for plane in self.planes])


@dataclass(frozen=True)
class Joint:
    """Pictures of one stack joined: to the first, the differences of the others from it are added band by band.

    `chosen` are the weights of the bands, the same for all planes.
    """

    splits: tuple[Split, ...]
    chosen: tuple[float, ...]

    @classmethod
    def of(
        cls,
        stack: Stack,
        draws: Sequence[Draw],
        pictures: Sequence[Tensor],
        moved: Sequence[Sequence[Tensor]],
        splits: tuple[Split, ...],
    ) -> tuple[Joint, Part]:
        """Find the weights of least estimated risk, and the joined picture.

        Parameters
        ----------
        stack : Stack
            What was observed.
        draws : sequence of Draw
            How the observations were recorrupted.
        pictures, moved : sequences of Tensor
            What was made of the observations, and for every draw of the recorrupted ones.
        splits : tuple of callables
            What splits the difference of all pictures but the first into bands.
        """
        probes = [draw.probe(len(draws)) for draw in draws]
        parts = [
            Part(picture, tuple(Response(p, m[s] - picture) for p, m in zip(probes, moved, strict=True)))
            for s, picture in enumerate(pictures)
        ]
        found: list[Part] = []
        for part, split in zip(parts[1:], splits, strict=True):
            found += differences(part, parts[0], split)
        if not found:
            return cls((), ()), parts[0]
        mask = stack.mask * _heard(stack, parts[0].image)
        chosen = weights(parts[0], found, stack.y, mask) if bool(mask.any()) else [0.0] * len(found)
        return cls(splits, tuple(chosen)), mixed(parts[0], found, chosen)

    def __call__(self, pictures: Sequence[Tensor]) -> Tensor:
        """Join other pictures with the same weights."""
        answer = pictures[0].clone()
        weight = iter(self.chosen)
        for picture, split in zip(pictures[1:], self.splits, strict=True):
            for band in split(picture - pictures[0]):
                answer += next(weight) * band
        return answer


def _heard(stack: Stack, answer: Tensor) -> Tensor:
    """Return 1 for the planes whose noise is that of their law, and 0 for such as empty ones, (F, 1, 1, 1).

    Of a plane without noise Stein's formula is wrong: what is taken off is nothing, and the divergence large.
    """
    mask = stack.mask
    taken, expected = (
        (mask * x).mean((1, 2, 3), keepdim=True) for x in ((stack.y - answer).square(), stack.variance(answer))
    )
    return (taken >= LEAST_HEARD * expected).to(answer.dtype)
