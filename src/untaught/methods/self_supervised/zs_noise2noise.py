"""Zero-shot Noise2Noise: a tiny network, one half of the picture from the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from untaught.method import Needs
from untaught.methods.networks.unet import UNetShape
from untaught.methods.self_supervised.learner import Batch, deviation
from untaught.methods.self_supervised.single_image import OnePicture


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

    def objective(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        """Return the misfit of the two halves and what they and the whole disagree in; draws nothing."""
        one, two = halves(batch.y)
        weight = (torch.minimum(*halves(batch.mask)) >= 1).float()
        first, second = network(one), network(two)
        whole_one, whole_two = halves(network(batch.y))
        apart = deviation(first, two, weight) + deviation(second, one, weight)
        inconsistent = deviation(first, whole_one, weight) + deviation(second, whole_two, weight)
        return (apart + inconsistent) / 2


def halves(y: Tensor) -> tuple[Tensor, Tensor]:
    """Return the means of the two diagonals of every 2 x 2 cell; an odd last row or column is left out."""
    height, width = (n // 2 * 2 for n in y.shape[-2:])
    a, b, c, d = F.pixel_unshuffle(y[..., :height, :width], 2).unflatten(1, (y.shape[1], 4)).unbind(2)
    return (b + c) / 2, (a + d) / 2
