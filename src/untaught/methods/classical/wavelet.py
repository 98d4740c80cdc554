"""Wavelet shrinkage by BayesShrink, averaged over shifts."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from untaught.errors import InputError, quoted
from untaught.method import Needs, Runs
from untaught.methods.noise_variance import opponent_parts
from untaught.methods.time_limit import affordable
from untaught.problem import Estimate, Problem

SOME = 0.1  # standard deviation of noise; the time does not depend on it
PROBE = 160  # pixels a side of the part that tells the time: smaller ones are padded to as much


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

    def within(self, problem: Problem, seconds: float) -> Wavelet:
        """Return the method with as many shifts as so many seconds on this machine are enough for."""
        share = affordable(lambda part: self._all_shrunk(part[0], SOME), problem.y, seconds, PROBE)
        return replace(self, shifts=max(1, int(self.shifts * math.sqrt(min(1.0, share)))))

    def solve(self, problem: Problem, seed: int = 0) -> Estimate:
        """Return the estimate of `problem`; nothing is drawn, so `seed` changes nothing.

        Three channels are shrunk in opponent colours. Where the variance depends on the signal, its
        mean over the picture counts.
        """
        matrix, noisy, variance = opponent_parts(problem)
        answer = self._all_shrunk(noisy, *(math.sqrt(float(v.mean())) for v in variance))
        return Estimate(torch.einsum("oc,ohw->chw", matrix, answer)[None])

    def _all_shrunk(self, noisy: Tensor, *levels: float) -> Tensor:
        """Return planes (C, H, W) without noise of these levels, one for each or one for all."""
        each = levels if len(levels) == len(noisy) else levels * len(noisy)
        planes = [
            torch.from_numpy(self._shrunk(plane.cpu().numpy(), sigma))
            for plane, sigma in zip(noisy, each, strict=True)
        ]
        return torch.stack(planes).to(noisy)

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

        try:
            taps: int = pywt.Wavelet(self.wavelet).dec_len
        except ValueError:
            raise InputError(
                f"{quoted(self.wavelet)} is no wavelet; give one such as 'sym4', 'db2' or 'haar'"
            ) from None
        return (taps - 1) << self.levels
