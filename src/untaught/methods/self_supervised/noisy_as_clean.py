"""Noisy-as-Clean: the noisy picture stands for the clean one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from untaught.method import Needs, Runs
from untaught.methods.self_supervised.gr2r import noise_like
from untaught.methods.self_supervised.learner import Batch, deviation
from untaught.methods.self_supervised.single_image import OnePicture
from untaught.noise.models.registry import kinds

WEAK = 25.5 / 255  # the strongest noise of the paper's tables is of level 25


@dataclass(frozen=True)
class NoisyAsClean(OnePicture):
    """Noisy-as-Clean.

        min over theta of E || f_theta(y + m) - y ||^2,   m ~ the law of the noise;   answer: f_theta(y)

    What takes m out of y + m takes n out of y = x + n, as far as the law of y is that of x: where the noise is
    weak. Strong noise is taken for texture and kept.

    References
    ----------
    Xu, Huang, Cheng, Liu, Zhu, Xu, Shao, "Noisy-As-Clean: Learning Self-Supervised Denoising from Corrupted
    Image", IEEE Transactions on Image Processing 2020.
    """

    name: ClassVar[str] = "noisy-as-clean"
    needs: ClassVar[Needs] = Needs(level=True, complete=True, most=WEAK, kinds=kinds("recorruptible"))
    runs: ClassVar[Runs] = OnePicture.beside

    def objective(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        """Return the mean of (f(y + m) - y)^2 over measured pixels."""
        return deviation(network(batch.y + noise_like(batch, generator)), batch.y, batch.mask)
