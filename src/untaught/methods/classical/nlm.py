"""Non-local means, as scikit-image computes it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch

from untaught.method import Needs, Runs
from untaught.methods.noise_variance import smoothed, variance_at
from untaught.problem import Estimate, Problem


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

    def solve(self, problem: Problem, seed: int = 0) -> Estimate:
        """Return the estimate of `problem`; nothing is drawn, so `seed` changes nothing.

        Where the variance depends on the signal, its mean over the picture counts.
        """
        from skimage.restoration import denoise_nl_means

        y = problem.y.detach()
        sigma = math.sqrt(float(variance_at(problem, smoothed(y)).mean()))
        if sigma == 0:
            return Estimate(y.clone())
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
        return Estimate(torch.from_numpy(planes).to(y).permute(2, 0, 1)[None].contiguous())
