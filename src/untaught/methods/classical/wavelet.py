"""Wavelet shrinkage by BayesShrink, averaged over shifts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from untaught.method import Needs, Runs
from untaught.methods.noise_variance import opponent_parts
from untaught.problem import Estimate, Problem


@dataclass(frozen=True)
class Wavelet:
    """Soft thresholds on wavelet coefficients, one for every sub-band.

    t = sigma^2 / sigma_x,  sigma_x^2 = max(0, E[c^2] - sigma^2),  c^ = sign(c) max(0, |c| - t)

    A wavelet basis is not the same after a shift of the picture; the mean over shifts (cycle
    spinning) removes most of what that leaves behind.

    Attributes
    ----------
    wavelet : str
        Name of an orthogonal wavelet, as PyWavelets knows it.
    levels : int
        Scales that are thresholded.
    shifts : int
        Shifts in each direction; the work grows with its square.

    References
    ----------
    S. G. Chang, B. Yu and M. Vetterli, "Adaptive wavelet thresholding for image denoising and
    compression", IEEE TIP 9(9), 2000; R. R. Coifman and D. L. Donoho, "Translation-invariant
    de-noising", 1995.
    """

    runs: ClassVar[Runs] = Runs(tweedie=(0.25, 1.0))
    name: ClassVar[str] = "wavelet"
    needs: ClassVar[Needs] = Needs(level=True, white=True, complete=True)

    wavelet: str = "sym4"
    levels: int = 4
    shifts: int = 4

    def solve(self, problem: Problem, seed: int = 0) -> Estimate:
        """Return the estimate of `problem`; nothing is drawn, so `seed` changes nothing.

        Three channels are shrunk in opponent colours. Where the variance depends on the signal, its
        mean over the picture counts.
        """
        matrix, noisy, variance = opponent_parts(problem)
        levels = [math.sqrt(float(v.mean())) for v in variance]
        planes = [
            torch.from_numpy(self._shrunk(plane.cpu().numpy(), sigma))
            for plane, sigma in zip(noisy, levels, strict=True)
        ]
        answer = torch.stack(planes).to(noisy)
        return Estimate(torch.einsum("oc,ohw->chw", matrix, answer)[None])

    def _shrunk(self, plane: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
        from skimage.restoration import denoise_wavelet

        if sigma == 0:
            return plane.copy()
        height, width = plane.shape
        rows, columns = (max(size + self.shifts, self._least()) for size in plane.shape)
        total = np.zeros((height, width))
        extra = [(self.shifts, rows - height), (self.shifts, columns - width)]
        padded = np.pad(plane, extra, mode="symmetric")
        for down, across in np.ndindex(self.shifts, self.shifts):
            shifted = padded[down : down + rows, across : across + columns]
            shrunk = denoise_wavelet(shifted, sigma, self.wavelet, wavelet_levels=self.levels, rescale_sigma=False)
            top, left = self.shifts - down, self.shifts - across
            total += shrunk[top : top + height, left : left + width]
        return np.asarray(total / self.shifts**2, np.float32)

    def _least(self) -> int:
        """Return the side below which a picture is too small for all levels."""
        import pywt

        taps: int = pywt.Wavelet(self.wavelet).dec_len
        return (taps - 1) << self.levels
