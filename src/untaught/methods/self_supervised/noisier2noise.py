"""Noisier2Noise: the noisy picture predicted from one that is noisier still."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from untaught.method import Needs, Runs
from untaught.methods.self_supervised.gr2r import noise_like
from untaught.methods.self_supervised.learner import Batch, deviation, mean_and_spread
from untaught.methods.self_supervised.single_image import OnePicture
from untaught.noise.models.registry import kinds


@dataclass(frozen=True)
class Noisier2Noise(OnePicture):
    """Noisier2Noise.

        yy = y + m,   m ~ the law of the noise times a
        min over theta of E || f_theta(yy) - y ||^2, so that f(yy) = E[y | yy]
        answer: E[x | yy] = ((1 + a^2) f(yy) - yy) / a^2, averaged over draws of m

    For Gaussian noise of any covariance: given yy, the noise n of y is expected to be 1 / (1 + a^2) of n + m.

    Attributes
    ----------
    a : float
        1 in the paper; the smaller, the less the picture is spoiled and the more the correction magnifies.
    draws : int
        Draws averaged in the answer; one in the paper.

    References
    ----------
    Moran, Schmidt, Zhong, Coady, "Noisier2Noise: Learning to Denoise from Unpaired Noisy Data", CVPR 2020.
    """

    a: float = 1.0
    draws: int = 16
    residual: ClassVar[bool] = True  # the correction magnifies whatever detail is not drawn yet
    name: ClassVar[str] = "noisier2noise"
    needs: ClassVar[Needs] = Needs(level=True, complete=True, kinds=kinds("recorruptible"))
    runs: ClassVar[Runs] = OnePicture.beside

    def objective(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        """Return the mean of (f(yy) - y)^2 over measured pixels."""
        noisier = batch.y + self.a * noise_like(batch, generator)
        return deviation(network(noisier), batch.y, batch.mask)

    def answer(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """Return the mean of the corrected pictures over draws, and their spread."""

        def draw() -> Tensor:
            noisier = batch.y + self.a * noise_like(batch, generator)
            return self.corrected(network(noisier), noisier)

        return mean_and_spread(draw, self.draws)

    def preview(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        """Return the corrected picture of one draw."""
        return replace(self, draws=1).answer(network, batch, generator)[0]

    def corrected(self, output: Tensor, noisier: Tensor) -> Tensor:
        """Return ((1 + a^2) f(yy) - yy) / a^2."""
        return ((1 + self.a**2) * output - noisier) / self.a**2

    def drawn(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        """See `OnePicture`: a plain pass is of y + m."""
        return self.answer(network, batch, generator)[0]
