"""Non-local means, as scikit-image computes it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from untaught.method import Needs, Runs
from untaught.methods.noise_variance import smoothed, variance_at
from untaught.methods.time_limit import affordable
from untaught.problem import Estimate, Problem

SOME = 0.1  # standard deviation of noise; the time does not depend on it


@dataclass(frozen=True)
class NLM:
    """Every pixel becomes a mean of pixels, weighted by how alike their surroundings are.

    x^_i = sum_j w_ij y_j / sum_j w_ij,  w_ij = exp(-max(0, d_ij^2 - 2 sigma^2) / h^2),

    with d_ij^2 the mean squared difference of the patches around i and j.

    Attributes
    ----------
    patch : int
        Side of a patch, in pixels.
    distance : int
        Pixels are looked for at offsets up to this.
    filtering : float
        h as a multiple of sigma. scikit-image advises 0.8, or a little less in its fast mode.

    References
    ----------
    A. Buades, B. Coll and J.-M. Morel, "A non-local algorithm for image denoising", CVPR 2005;
    J. Darbon et al., "Fast nonlocal filtering applied to electron cryomicroscopy", ISBI 2008.
    """

    runs: ClassVar[Runs] = Runs(tweedie=(0.5, 1.0))
    name: ClassVar[str] = "nlm"
    needs: ClassVar[Needs] = Needs(level=True, white=True, complete=True)

    patch: int = 5
    distance: int = 6
    filtering: float = 0.6

    def within(self, problem: Problem, seconds: float) -> NLM:
        """Return the method with offsets as far as so many seconds on this machine are enough for."""
        share = affordable(lambda part: self._averaged(part, SOME), problem.y, seconds)
        side = (2 * self.distance + 1) * math.sqrt(min(1.0, share))
        return replace(self, distance=max(1, int((side - 1) / 2)) if share < 1 else self.distance)

    def solve(self, problem: Problem, seed: int = 0) -> Estimate:
        """Return the estimate of `problem`; nothing is drawn, so `seed` changes nothing.

        Where the variance depends on the signal, its mean over the picture counts.
        """
        y = problem.y.detach()
        sigma = math.sqrt(float(variance_at(problem, smoothed(y)).mean()))
        if sigma == 0:
            return Estimate(y.clone())
        return Estimate(self._averaged(y, sigma))

    def _averaged(self, y: Tensor, sigma: float) -> Tensor:
        from skimage.restoration import denoise_nl_means

        answer = denoise_nl_means(
            y[0].permute(1, 2, 0).cpu().numpy(),
            patch_size=self.patch,
            patch_distance=self.distance,
            h=self.filtering * sigma,
            sigma=sigma,
            fast_mode=True,
            channel_axis=-1,
        )
        planes = answer.reshape(*y.shape[2:], -1)  # one channel comes back without its axis
        return torch.from_numpy(planes).to(y).permute(2, 0, 1)[None].contiguous()
