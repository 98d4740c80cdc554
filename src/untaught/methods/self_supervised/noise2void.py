"""Noise2Void: the network is asked for pixels that it is not shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from untaught.method import Needs, Runs
from untaught.methods.self_supervised.learner import Batch, deviation
from untaught.methods.self_supervised.single_image import OnePicture


@dataclass(frozen=True)
class Noise2Void(OnePicture):
    """Noise2Void.

        min over theta of E sum_{i in M} | f_theta(y with M replaced)_i - y_i |^2;   answer: f_theta(y)

    M is a grid of pixels at a random place. Each is replaced by the value of a random one of its neighbours, so
    that the best guess of y_i is that of x_i: the noise of y_i is not in what the network sees.

    Attributes
    ----------
    spacing : int
        One pixel of spacing^2 is hidden. Ours; 64 of 64 x 64 in the paper, which learns less from a step.
    radius : int
        How far a neighbour may be; 2 in the paper.

    References
    ----------
    Krull, Buchholz, Jug, "Noise2Void: Learning Denoising from Single Noisy Images", CVPR 2019.
    """

    spacing: int = 5
    radius: int = 2
    name: ClassVar[str] = "n2v"
    needs: ClassVar[Needs] = Needs(white=True, complete=True)
    runs: ClassVar[Runs] = OnePicture.beside

    def objective(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        """Return the mean of (f - y)^2 over the hidden pixels that were measured."""
        shown, asked = self.hidden(batch, generator)
        return deviation(network(shown), batch.y, batch.mask * asked)

    def reach(self, batch: Batch) -> tuple[int, int]:
        """Return how many rows and columns to each side are hidden with a pixel."""
        return 0, 0

    def hidden(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return what the network is shown, and 1 at the pixels it is asked for, (1, 1, H, W).

        What is shown does not depend on `batch.y` wherever it was replaced: where the neighbour drawn is itself
        hidden, or missing, the mean of the others stands.
        """
        height, width = batch.y.shape[-2:]
        rows, columns = self.reach(batch)
        asked = _grid(height, width, (self._step(rows), self._step(columns)), generator)
        covered = _widened(asked, rows, columns)
        # Whole pixels are moved, so that a neighbour's colours stay together.
        down, right = (self._offsets(reach, asked.shape[-2:], generator) for reach in (rows, columns))
        source = ((_index(height, 0) + down) % height) * width + (_index(width, 1) + right) % width
        source = source.flatten().to(batch.y.device)
        asked, covered = asked.to(batch.y.device), covered.to(batch.y.device)
        usable = batch.mask * (1 - covered)
        mean = (batch.y * usable).sum((2, 3), keepdim=True) / usable.sum((2, 3), keepdim=True).clamp_min(1)
        moved = torch.where(usable > 0, batch.y, mean).flatten(2)[..., source].view_as(batch.y)
        return torch.where(covered > 0, moved, batch.y), asked

    def _step(self, reach: int) -> int:
        return max(self.spacing, 2 * (reach + self.radius) + 1)

    def _offsets(self, reach: int, shape: torch.Size, generator: torch.Generator) -> Tensor:
        far = 2 * reach + self.radius  # from the far end of what is hidden to beyond its near end
        return torch.randint(-far, far + 1, tuple(shape), generator=generator)


@dataclass(frozen=True)
class StructuredNoise2Void(Noise2Void):
    """Noise2Void for noise that neighbours share: with each pixel, all are hidden that share noise with it.

    Attributes
    ----------
    rows, columns : int
        How many are hidden to each side of a pixel; (0, 4) suits noise along rows of 9 pixels. -1, the default,
        takes what the noise says: those whose correlation with the pixel is above 5 %.

    References
    ----------
    Broaddus, Krull, Weigert, Schmidt, Myers, "Removing Structured Noise with Self-Supervised Blind-Spot
    Networks", ISBI 2020.
    """

    rows: int = -1
    columns: int = -1
    name: ClassVar[str] = "struct-n2v"
    needs: ClassVar[Needs] = Needs(complete=True, bounded=True)

    def reach(self, batch: Batch) -> tuple[int, int]:
        """See `Noise2Void`; the furthest of all that is seen."""
        found = [noise.reach for noise in batch.noises]
        rows = max((r for r, _ in found), default=0)
        columns = max((c for _, c in found), default=0)
        return self.rows if self.rows >= 0 else rows, self.columns if self.columns >= 0 else columns

    def upright(self, batch: Batch) -> bool:
        """See `OnePicture`: what is hidden must not be turned away from the noise."""
        rows, columns = self.reach(batch)
        return rows != columns or super().upright(batch)


def _grid(height: int, width: int, step: tuple[int, int], generator: torch.Generator) -> Tensor:
    """Return 1 on one pixel of every cell of `step` rows and columns, (1, 1, H, W), the grid at a random place."""
    top, left = (
        int(torch.randint(min(n, length), (1,), generator=generator))
        for n, length in zip(step, (height, width), strict=True)
    )
    grid = torch.zeros(1, 1, height, width)
    grid[..., top :: step[0], left :: step[1]] = 1
    return grid


def _widened(asked: Tensor, rows: int, columns: int) -> Tensor:
    if not (rows or columns):
        return asked
    size = (2 * rows + 1, 2 * columns + 1)
    return torch.nn.functional.max_pool2d(asked, size, 1, (rows, columns))


def _index(length: int, axis: int) -> Tensor:
    return torch.arange(length).view((-1, 1) if axis == 0 else (1, -1))
