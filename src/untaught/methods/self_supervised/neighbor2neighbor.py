"""Neighbor2Neighbor: one neighbour predicted from another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from untaught.method import Needs
from untaught.methods.self_supervised.learner import Batch, deviation
from untaught.methods.self_supervised.single_image import OnePicture


@dataclass(frozen=True)
class Neighbor2Neighbor(OnePicture):
    """Neighbor2Neighbor.

        g1(y), g2(y): of every cell of 2 x 2 pixels two that touch, drawn at random
        min over theta of E || f(g1 y) - g2 y ||^2 + w || f(g1 y) - g2 y - (g1 f(y) - g2 f(y)) ||^2
        answer: f_theta(y)

    The second term makes up for neighbours that differ in the clean picture; no gradient goes through f(y) in it.

    Attributes
    ----------
    weight : float
        w; 2 in the paper for synthetic noise, reached in a ramp there.

    References
    ----------
    Huang, Li, Jia, Lu, Liu, "Neighbor2Neighbor: Self-Supervised Denoising from Single Noisy Images", CVPR 2021.
    """

    weight: float = 2.0
    name: ClassVar[str] = "neighbor2neighbor"
    needs: ClassVar[Needs] = Needs(white=True, complete=True)

    def objective(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        """Return the misfit of the two sub-pictures, and what it is beyond that of the network's own picture."""
        layers, (first, second) = batch.y, drawn_neighbours(batch.y, generator)
        with torch.no_grad():
            whole = network(layers)
        weight = sub_pictures(batch.mask, first) * sub_pictures(batch.mask, second)
        one, two = sub_pictures(layers, first), sub_pictures(layers, second)
        apart = sub_pictures(whole, first) - sub_pictures(whole, second)
        drawn = network(one)
        return deviation(drawn, two, weight) + self.weight * deviation(drawn - two, apart, weight)


def drawn_neighbours(y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return which pixel of every 2 x 2 cell goes into each of two sub-pictures: 0..3 row by row, (1, 1, h, w).

    The two share an edge, each of the eight ordered pairs is as likely.
    """
    cells = (1, 1, y.shape[-2] // 2, y.shape[-1] // 2)
    first = torch.randint(4, cells, generator=generator)
    across = torch.randint(2, cells, generator=generator)
    second = first ^ (1 + across)  # bit 0 is the column, bit 1 the row: one of them is changed
    return first.to(y.device), second.to(y.device)


def sub_pictures(y: Tensor, chosen: Tensor) -> Tensor:
    """Return the chosen pixel of every 2 x 2 cell, (B, C, h, w); an odd last row or column is left out."""
    height, width = (2 * n for n in chosen.shape[-2:])
    cells = F.pixel_unshuffle(y[..., :height, :width], 2).unflatten(1, (y.shape[1], 4))
    index = chosen[:, :, None].expand(*cells.shape[:2], 1, *chosen.shape[-2:])
    return torch.gather(cells, 2, index)[:, :, 0]
