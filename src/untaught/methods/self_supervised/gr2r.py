"""Recorrupted-to-Recorrupted without a pilot, for every noise whose law is known, and its generalisation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from untaught.errors import InputError
from untaught.method import Needs, Runs
from untaught.methods.self_supervised.learner import Batch, Norm, deviation, mean_and_spread
from untaught.methods.self_supervised.single_image import OnePicture
from untaught.noise.models.base import Split
from untaught.noise.models.registry import kinds
from untaught.problem import Problem, smoothed
from untaught.risk.sure import kernel_of

Law = Literal["auto", "gaussian", "poisson", "gamma", "binomial"]
WANTED = {
    "poisson": "is not counted; Poisson recorruption needs noise='poisson:GAIN,0'",
    "gamma": "is not multiplicative; gamma recorruption needs noise='speckle:FRACTION'",
}


@dataclass(frozen=True)
class GR2R(OnePicture):
    """Generalised recorrupted-to-recorrupted.

        yhat, ytilde drawn from y with E[yhat | x] = E[ytilde | x] = x, independent given x
        min over theta of E || f_theta(yhat) - ytilde ||^2 = E || f_theta(yhat) - x ||^2 + constant
        answer: the mean of f_theta(yhat) over draws; their spread is its standard deviation.

    Which draw, with a = alpha^2 / (1 + alpha^2) the share of the information that is kept for ytilde:

    - white Gaussian: yhat = y + alpha z, ytilde = y - z / alpha, z ~ N(0, sigma^2);
    - signal-dependent: the same with z ~ N(0, diag(b1 x + b2)), x estimated by a local mean of y;
    - correlated: the same with z ~ N(0, Sigma), Sigma^(1/2) a convolution with the kernel of the noise;
    - Poisson, y = g k: w ~ Binomial(k, a), ytilde = g w / a, yhat = (y - g w) / (1 - a);
    - gamma of shape l: w ~ Beta(l a, l (1 - a)), ytilde = y w / a, yhat = y (1 - w) / (1 - a);
    - binomial of l trials, y = k / l: w ~ Hypergeometric(k of l, m drawn), ytilde = w / m,
      yhat = (k - w) / (l - m), m = a l rounded.

    Where values were cut off, z has the variance that keeps Stein's identity (`NoiseModel.stein_kernel`), which is
    0 where y itself was cut: unbiased to first order in alpha.

    Attributes
    ----------
    alpha : float
        0.5 in the paper of 2021 for white noise, as here for all noise; 2 there for camera noise.
    draws : int
        Draws averaged in the answer; 50 in the paper of 2021.
    law : str
        'auto' goes by the noise: 'poisson' for photon counts without read-out noise, else 'gaussian'. Speckle is
        recorrupted by 'gamma' if asked to, with l = 1 / fraction^2 looks.
    trials : int
        l of the binomial law, at least 2; of no meaning for others.
    norm : str
        'l2', or 'l1' for noise with outliers, of which the medians are then learned.

    References
    ----------
    Pang, Zheng, Quan, Ji, "Recorrupted-to-Recorrupted: Unsupervised Deep Learning for Image Denoising", CVPR 2021;
    Monroy, Bacca, Tachella, "Generalized Recorrupted-to-Recorrupted: Self-Supervised Learning Beyond Gaussian
    Noise", CVPR 2025, for the laws other than Gaussian.
    """

    alpha: float = 0.5
    draws: int = 16
    law: Law = "auto"
    trials: int = 0
    norm: Norm = "l2"
    name: ClassVar[str] = "gr2r"
    needs: ClassVar[Needs] = Needs(level=True, complete=True, bounded=True, kinds=kinds("recorruptible"))
    runs: ClassVar[Runs] = OnePicture.beside

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if not self.alpha > 0:
            raise InputError(f"alpha of gr2r is {self.alpha}; give a number above 0")
        if self.law == "binomial" and self.trials < 2:
            raise InputError(f"binomial noise of {self.trials} trials cannot be split; set trials to 2 or more")

    def objective(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        """Return E (f(yhat) - ytilde)^2 over measured pixels."""
        yhat, ytilde = self.pair(batch, generator)
        return deviation(network(yhat), ytilde, batch.mask, self.norm)

    def answer(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """Return the mean of f(yhat) over draws, and their spread."""
        return mean_and_spread(lambda: network(self.pair(batch, generator)[0]), self.draws)

    def preview(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        """Return f(yhat) at one draw."""
        return replace(self, draws=1).answer(network, batch, generator)[0]

    def pair(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return (yhat, ytilde), each of the shape of `batch.y`."""
        pairs = [self._one(problem, generator) for problem in batch.problems()]
        return torch.cat([first for first, _ in pairs]), torch.cat([second for _, second in pairs])

    def _one(self, problem: Problem, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        noise = problem.noise
        law = noise.recorruption if self.law == "auto" else self.law
        if law == "gaussian":
            z = gaussian_like(problem, generator)
            return problem.y + self.alpha * z, problem.y - z / self.alpha
        share = self.alpha**2 / (1 + self.alpha**2)
        y, rng = problem.y.double().cpu().numpy(), _numpy(generator)
        pair = split_binomial(y, self.trials, share, rng) if law == "binomial" else noise.split(law, y, share, rng)
        if pair is None:
            raise InputError(f"{noise.kind} noise {WANTED[law]}")
        first, second = pair
        return torch.from_numpy(first).to(problem.y), torch.from_numpy(second).to(problem.y)


def noise_like(batch: Batch, generator: torch.Generator) -> Tensor:
    """Draw noise of the law of each picture's own, Gaussian; shape of `batch.y`."""
    return torch.cat([gaussian_like(problem, generator) for problem in batch.problems()])


def gaussian_like(problem: Problem, generator: torch.Generator) -> Tensor:
    """Draw z ~ N(0, Sigma), Sigma that of the noise at a local mean of y; (1, C, H, W)."""
    z = problem.noise.draw(problem.y.shape, generator, problem.y.device)
    return z * kernel_of(problem, smoothed(problem)).sqrt()


def split_binomial(y: NDArray[np.float64], trials: int, share: float, rng: np.random.Generator) -> Split:
    """Return (yhat, ytilde) of y = k / trials, k binomial of mean trials x: some of the trials are set apart.

    Variances x (1 - x) / (trials - m) and x (1 - x) / m, with m = share trials rounded, from 1 to trials - 1.
    """
    apart = min(max(round(share * trials), 1), trials - 1)
    counts = np.rint(np.clip(y, 0, 1) * trials).astype(np.int64)
    kept = rng.hypergeometric(counts, trials - counts, apart)
    return (counts - kept) / (trials - apart), kept / apart


def _numpy(generator: torch.Generator) -> np.random.Generator:
    """Return a numpy generator that is seeded by the next draw of a torch one."""
    return np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator)))
