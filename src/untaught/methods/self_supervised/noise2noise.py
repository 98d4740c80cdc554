"""Noise2Noise with true pairs, and the two that make a pair by sub-sampling one picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from untaught.errors import InputError
from untaught.method import Needs, State
from untaught.methods.networks.unet import UNetShape
from untaught.methods.self_supervised.learner import Norm, Seen, deviation
from untaught.methods.self_supervised.single_image import OnePicture
from untaught.problem import Problem


@dataclass(frozen=True)
class Noise2Noise(OnePicture):
    """Noise2Noise, for two observations y, y' of the same picture with noise of their own.

        min over theta of E || f_theta(y) - y' ||^2 = E || f_theta(y) - x ||^2 + variance of y'
        answer: (f_theta(y) + f_theta(y')) / 2, or f_theta(y) where there is no second observation of a picture.

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
    needs: ClassVar[Needs] = Needs(complete=True)

    def init(self, problem: Problem, seed: int) -> State:
        """Refuse: a problem is one picture."""
        raise InputError(
            "n2n needs two observations of the same picture, and here is one; train it on pairs of files or on a "
            "stack, or choose neighbor2neighbor or zs-n2n, which make a pair of one picture"
        )

    def objective(self, network: nn.Module, seen: Seen, generator: torch.Generator) -> Tensor:
        """Return the mean of (f(y) - y')^2, either of the two being y."""
        if seen.second is None:
            raise InputError("n2n needs a second observation of every picture it learns from, and there is none")
        pair = (seen.y, seen.second)
        first = int(torch.randint(2, (1,), generator=generator))
        return deviation(network(pair[first]), pair[1 - first], seen.mask, self.norm)

    def answer(self, network: nn.Module, seen: Seen, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """Return the mean of what is made of each observation."""
        first: Tensor = network(seen.y).detach()
        return first if seen.second is None else (first + network(seen.second).detach()) / 2, None


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

    def objective(self, network: nn.Module, seen: Seen, generator: torch.Generator) -> Tensor:
        """Return the misfit of the two sub-pictures, and what it is beyond that of the network's own picture."""
        layers, (first, second) = seen.y, drawn_neighbours(seen.y, generator)
        with torch.no_grad():
            whole = network(layers)
        weight = sub_pictures(seen.mask, first) * sub_pictures(seen.mask, second)
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


@dataclass(frozen=True)
class ZeroShotNoise2Noise(OnePicture):
    """Zero-Shot Noise2Noise.

        D1, D2: halves of every 2 x 2 cell, the mean of one diagonal each
        min over theta of 1/2 (|| f(D1 y) - D2 y ||^2 + || f(D2 y) - D1 y ||^2)
                        + 1/2 (|| f(D1 y) - D1 f(y) ||^2 + || f(D2 y) - D2 f(y) ||^2)
        answer: f_theta(y),   f(y) = y - a network with so few weights that it cannot hold the noise

    Attributes
    ----------
    shape : UNetShape or str
        Two convolutions of 48 channels and one of 1 x 1 in the paper, as here.
    rate : float
        Adam's; 0.001 in the paper, halved every 1000 of 3000 steps.

    References
    ----------
    Mansour, Heckel, "Zero-Shot Noise2Noise: Efficient Image Denoising without any Data", CVPR 2023.
    """

    shape: UNetShape | str = field(default_factory=lambda: UNetShape(width=48, scales=1))
    name: ClassVar[str] = "zs-n2n"
    needs: ClassVar[Needs] = Needs(white=True, complete=True)

    def objective(self, network: nn.Module, seen: Seen, generator: torch.Generator) -> Tensor:
        """Return the misfit of the two halves and what they and the whole disagree in; draws nothing."""
        one, two = halves(seen.y)
        weight = (torch.minimum(*halves(seen.mask)) >= 1).float()
        first, second = network(one), network(two)
        whole_one, whole_two = halves(network(seen.y))
        apart = deviation(first, two, weight) + deviation(second, one, weight)
        inconsistent = deviation(first, whole_one, weight) + deviation(second, whole_two, weight)
        return (apart + inconsistent) / 2


def halves(y: Tensor) -> tuple[Tensor, Tensor]:
    """Return the means of the two diagonals of every 2 x 2 cell; an odd last row or column is left out."""
    height, width = (n // 2 * 2 for n in y.shape[-2:])
    a, b, c, d = F.pixel_unshuffle(y[..., :height, :width], 2).unflatten(1, (y.shape[1], 4)).unbind(2)
    return (b + c) / 2, (a + d) / 2
