"""The covariance of stationary noise that neighbouring pixels share, within a patch and between patches."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from untaught.noise import NoiseModel
from untaught.problem import Problem

LEAST_SHARE = 0.01  # of the variance, in a colour: what is without noise would be compared by nothing else
SIDE = 256  # pixels at least: the square on which spectra are held; a quarter of it is left two scales down


@dataclass(frozen=True)
class Covariance:
    """Spectra of the noise in every decorrelated colour, for a noise of unit variance over all of them.

        E[n_i n_j] = s_i s_j R(i - j),   R = the inverse Fourier transform of `power`

    with s_i the standard deviation at pixel i, which depends on the picture.

    Attributes
    ----------
    power : Tensor
        (C, N, N), in the order of the discrete Fourier transform; its mean is a colour's share of the variance.
        (C, 1, 1) of white noise that only the channels share.
    """

    power: Tensor

    @classmethod
    def of(cls, noise: NoiseModel, y: Tensor) -> Covariance:
        """Return that of a picture `y`, (1, C, H, W), on whose device it lies."""
        parts = noise.kernels(y.shape[1])
        if not noise.shared:
            return cls(y.new_tensor([max(share, LEAST_SHARE) for share, _ in parts])[:, None, None])
        kernels = [torch.tensor(kernel, dtype=torch.float64) for _, kernel in parts]
        longest = max(max(taps.shape) for taps in kernels)
        side = max(SIDE, 1 << (2 * longest - 2).bit_length())  # on less, the ends of a kernel meet around the edge
        spectra = []
        for (share, _), taps in zip(parts, kernels, strict=True):
            transfer = torch.fft.fft2(taps, s=(side, side)).abs().square()
            spectra.append(share * transfer / taps.square().sum())
        return cls(torch.stack(spectra).to(y.device, y.dtype))

    @property
    def white(self) -> bool:
        """Whether pixels share nothing."""
        return self.power.shape[1] == 1

    @property
    def shares(self) -> Tensor:
        """Every colour's variance, (C, 1, 1)."""
        found: Tensor = self.power.mean((1, 2), keepdim=True)
        return found

    @property
    def evened(self) -> Tensor:
        """Every colour's variance in those that `colours` leads to, (C, 1, 1)."""
        return self.shares.mean().expand_as(self.shares) if self.white else self.shares

    def colours(self, basis: Tensor) -> tuple[Tensor, Tensor]:
        """Return the matrices (C, C) into colours that share nothing, and back; `basis` is that of the spectra.

        Where pixels share nothing, noise has the same variance in all of them: then it is white in whatever
        colours a group of patches is filtered.
        """
        if not self.white:
            return basis, basis.T
        shares = self.shares.flatten()
        root = (shares / shares.mean()).sqrt()
        return basis / root[:, None], basis.T * root

    def halved(self) -> Covariance:
        """Return that of the noise at half the resolution (`dct_pyramid.halved`): only low frequencies stay."""
        if self.white:
            return Covariance(self.power / 4)
        quarter = self.power.shape[1] // 4
        rows = torch.cat([self.power[:, :quarter], self.power[:, -quarter:]], 1)
        return Covariance(torch.cat([rows[:, :, :quarter], rows[:, :, -quarter:]], 2) / 4)

    @cached_property
    def lags(self) -> Tensor:
        """The autocorrelation at all lags, (C, N, N), 1 at [:, 0, 0]."""
        found: Tensor = torch.fft.ifft2(self.power).real
        return found / found[:, :1, :1].clamp_min(torch.finfo(found.dtype).tiny)

    def within(self, patch: int) -> Tensor:
        """Return the correlation of the pixels of a patch, (C, 1, n, n)."""
        lags = self.lags
        at = torch.arange(patch, device=lags.device)
        apart = at[:, None] - at
        down, across = (apart.repeat_interleave(patch, 0).repeat_interleave(patch, 1), apart.repeat(patch, patch))
        found: Tensor = lags[:, down, across]
        return found[:, None]

    def around(self, reach: int) -> Tensor:
        """Return the autocorrelation at all lags up to `reach` rows and columns, (C, 2 reach + 1, 2 reach + 1)."""
        at = torch.arange(-reach, reach + 1, device=self.power.device)
        return self._at(at[:, None], at)

    def between(self, corners: Tensor, width: int) -> Tensor:
        """Return the correlation of the noise of patches that start at `corners`, (B, k): (C, B, k, k)."""
        rows, columns = corners // width, corners % width
        down, across = (place[:, :, None] - place[:, None, :] for place in (rows, columns))
        return self._at(down, across)

    def _at(self, down: Tensor, across: Tensor) -> Tensor:
        """Return the autocorrelation at lags; beyond half the square the transform has wrapped around."""
        half = self.lags.shape[1] // 2
        near = (down.abs() < half) & (across.abs() < half)
        found = self.lags[:, down.clamp(1 - half, half - 1), across.clamp(1 - half, half - 1)]
        return torch.where(near, found, torch.zeros_like(found))


def covariance_of(problem: Problem) -> Covariance | None:
    """Return that of the noise of a problem; None where neither neighbours nor channels share it."""
    noise = problem.noise
    shared = noise.shared or (noise.channel_correlation > 0 and problem.y.shape[1] == 3)
    return Covariance.of(noise, problem.y) if shared else None
