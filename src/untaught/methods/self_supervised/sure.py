"""Stein's unbiased risk estimate as the loss, for Gaussian noise, photon counts, and both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from untaught.method import Needs, Runs
from untaught.methods.self_supervised.learner import Batch
from untaught.methods.self_supervised.single_image import OnePicture
from untaught.noise.models.registry import kinds
from untaught.problem import smoothed
from untaught.risk.sure import kernel_of


@dataclass(frozen=True)
class SURE(OnePicture):
    """Stein's unbiased risk estimate, minimised.

        SURE = (1/N) ( || f(y) - y ||^2 + 2 sum_i v_i df_i/dy_i - sum_i v_i ),   E SURE = (1/N) E || f(y) - x ||^2
        sum_i v_i df_i/dy_i = E_b < v b, (f(y + e b) - f(y)) / e >,   b_i = +-1;   answer: f_theta(y)

    v is sigma^2 for white Gaussian noise; g y + read^2 for photon counts with read-out noise (PG-SURE, and PURE
    without read-out, in first order of g: exact where f is affine in each pixel); where values were cut off, and
    for speckle, that of `risk.sure.kernel_of` at a local mean of y.

    Attributes
    ----------
    step : float
        e, as a share of the root mean square of v.

    References
    ----------
    Stein, Annals of Statistics 1981; Ramani, Blu, Unser, "Monte-Carlo SURE", IEEE Transactions on Image
    Processing 2008; Soltanayev, Chun, "Training deep learning based denoisers without ground truth data", NeurIPS
    2018; Luisier, Blu, Unser, "Image Denoising in Mixed Poisson-Gaussian Noise", IEEE TIP 2011; Le Montagner,
    Angelini, Olivo-Marin, "An Unbiased Risk Estimator for Image Denoising in the Presence of Mixed
    Poisson-Gaussian Noise", IEEE TIP 2014, for the first-order form.
    """

    step: float = 0.1
    name: ClassVar[str] = "sure"
    needs: ClassVar[Needs] = Needs(level=True, white=True, complete=True, kinds=kinds("white"))
    runs: ClassVar[Runs] = OnePicture.beside

    def objective(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        """Return SURE over measured pixels."""
        v = stein_weight(batch)
        probe = torch.randint(2, batch.y.shape, generator=generator).to(batch.y) * 2 - 1
        step = self.step * v.mean().sqrt().clamp_min(1e-4)
        both = network(torch.cat([batch.y, batch.y + step * probe]))
        output, moved = both.chunk(2)
        cross = v * probe * (moved - output) / step
        weight = batch.mask.expand_as(v)
        risk: Tensor = (output - batch.y).square() + 2 * cross - v
        return (risk * weight).sum() / weight.sum().clamp_min(1)


def stein_weight(batch: Batch) -> Tensor:
    """Return v with E (y - x) f(y) = E v df/dy for every value, shape of `batch.y`."""
    weights = []
    for problem in batch.problems():
        own = problem.noise.variance_from(problem.y)
        weights.append(kernel_of(problem, smoothed(problem)) if own is None else own)
    return torch.cat(weights)
