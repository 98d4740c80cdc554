"""Planes that follow each other in time: groups of similar patches that are followed through them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from untaught.methods.non_local.block_matching import Grid, Tile, shares_of
from untaught.methods.non_local.compiled_pass import Part, Pictures, compared, flat, offsets_of
from untaught.methods.non_local.kernels.compiling import quickly
from untaught.methods.non_local.kernels.search import BLOCK
from untaught.methods.non_local.kernels.temporal import temporal
from untaught.methods.non_local.kernels.vectors import LANES
from untaught.methods.non_local.motion import Motion
from untaught.methods.non_local.noise_covariance import Covariance
from untaught.methods.parallel import each
from untaught.noise.opponent_colours import basis

TINY = 1e-12  # least variance, as in `single_scale`
ROWS = 24  # rows of references in one tile


@dataclass(frozen=True)
class TimeStage:
    """One pass over planes that follow each other.

    Attributes
    ----------
    patch, group, step, radius, share
        See `single_scale.Stage`; similar patches are looked for in the plane of the reference alone.
    reach : int
        Each is followed through so many planes before and after.
    alike : float
        The mean squared difference of a patch from where it was followed to, in noise variances, up to which a
        plane takes part; so for the reference and for the whole group.
    """

    patch: int
    group: int
    step: int
    radius: int = 15
    share: float = 1.0
    reach: int = 4
    alike: float = 2.0


# Tuned on twelve frames of each of five films, and on pictures of scikit-image that stand, move or are cut.
TIME = (TimeStage(6, 32, 6), TimeStage(8, 24, 8), TimeStage(5, 20, 5, share=0.6))
# In a third of the time: .4 to .9 dB less on two of these films at levels 20 and 40, 1 to 2.4 above planes alone.
ONCE_OVER_TIME = (TimeStage(6, 32, 6),)


@torch.no_grad()
def denoise_over_time(
    y: Tensor,
    variance_of: Callable[[Tensor], Tensor],
    pilot: Tensor,
    stages: tuple[TimeStage, ...] = TIME,
    covariance: Covariance | None = None,
) -> Tensor:
    """Denoise planes with the help of those before and after.

        X^_t = sum_k u_kt F_k(sum_s u_ks Y_s)

    for the patches Y_s, s = 1..T, of a group that is followed through T planes: u are the eigenvectors of the
    matrix of the pilot's products of planes, the time courses of the group's own, and F_k is the filter of
    `NonLocal`'s "wiener" for the k-th of them. What stands still is all in one course, which has the T-th part of
    its noise; a course without signal is left out.

    Parameters
    ----------
    y : Tensor
        Noisy planes, float32 (F, C, H, W), in the order of time.
    variance_of : callable
        Returns the variance of `y`, (F, C, H, W) or such that it can be expanded, where an estimate is given.
    pilot : Tensor
        An estimate of every plane, such as that of the plane alone.
    stages : tuple of TimeStage
        What is done in turn.
    covariance : Covariance, optional
        What neighbouring pixels share of the noise; planes share none.

    Returns
    -------
    Tensor
        Estimate of the mean of `y`, float32, of its shape.
    """
    colours = basis(y[:1])
    noisy, current = (torch.einsum("oc,fchw->fohw", colours, x) for x in (y, pilot))
    for number, stage in enumerate(stages):
        variance = variance_of(torch.einsum("oc,fohw->fchw", colours, current)).clamp_min(TINY)
        if bool((variance == variance[:1, :, :1, :1]).all()):
            variance = variance[:1, :, :1, :1]
        if covariance is None:
            variance = torch.einsum("oc,fchw->fohw", colours.square(), variance)
        else:
            variance = variance.mean(1, keepdim=True) * covariance.shares
        found = _pass(noisy, (variance, covariance), current, stage, stage.step // 2 * (number % 2))
        current = torch.lerp(current, found, stage.share)
    return torch.einsum("oc,fohw->fchw", colours, current)


def _pass(
    noisy: Tensor, law: tuple[Tensor, Covariance | None], pilot: Tensor, stage: TimeStage, shift: int
) -> Tensor:
    """Run one stage over planes (F, C, H, W) in decorrelated colours."""
    variance, covariance = law
    height, width = noisy.shape[2:]
    grid = Grid(stage.patch, stage.step, stage.radius, stage.group, shift).fitted(height, width)
    scale = variance.mean()
    unit = scale.sqrt()
    deviation = variance.mean((0, 2, 3), keepdim=True).sqrt()
    colours = 1 if noisy.shape[1] == 3 else noisy.shape[1]  # grey says where things are
    moved = Motion.of((pilot / deviation)[:, :colours])

    def padded(x: Tensor) -> Tensor:
        whole = grid.pad(x.flatten(0, 1))
        return whole.view(*x.shape[:2], *whole.shape[1:]).transpose(0, 1).contiguous()

    y, x, v = padded(noisy) / unit, padded(pilot) / unit, (variance / scale).transpose(0, 1)
    v = v if v[0].numel() == 1 else padded((variance / scale).expand_as(noisy))
    guide = x / v.mean((1, 2, 3), keepdim=True).sqrt()
    answer = _Pass(stage, grid, Pictures(y, x, v, guide, covariance), moved).filtered() * unit
    return grid.crop(answer.transpose(0, 1).flatten(0, 1), height, width).reshape(noisy.shape)


@dataclass(frozen=True)
class _Band:
    """Some rows of references of one plane, and what they and their groups touch in the planes around.

    `tracks` says where a patch with its corner at a place of the reference's plane is in every plane, (planes,
    rows columns), both counted along the rows of the tile's window.
    """

    tile: Tile
    tracks: NDArray[np.int64]


@dataclass(frozen=True)
class _Pass:
    stage: TimeStage
    grid: Grid
    pictures: Pictures
    motion: Motion

    def filtered(self) -> Tensor:
        """Return the weighted mean of what overlapping patches say of padded planes, (C, F, H, W)."""
        y = self.pictures.y
        # Places that no reference covers, which there are none of, would have no weight.
        total, weight = torch.zeros_like(y), torch.zeros_like(y)
        rows = (y.shape[2] - self.grid.patch) // self.grid.step + 1
        bands = [(plane, *band) for plane in range(y.shape[1]) for band in shares_of(rows, ROWS)]
        with quickly():
            for window, answer, trust in each(lambda band: self._work(*band), bands):
                total[window] += answer
                weight[window] += trust
        return total / weight

    def _work(self, plane: int, first: int, count: int) -> tuple[tuple[slice, ...], Tensor, Tensor]:
        band, pictures = self._band(plane, first, count), self.pictures
        part, window = Part.of(band.tile, self.grid), band.tile.window
        size, slack = part.planes * part.height * part.width, BLOCK * part.width + 2 * LANES
        y, variance = pictures.y[window], pictures.variance
        given = variance.flatten(1).numpy() if variance[0].numel() == 1 else flat(variance[window])
        guide = flat(compared(pictures.guide[window], self.grid), slack).ravel()
        pilot = pictures.pilot
        values = guide, flat(y), flat(y if pilot is None else pilot[window]), given
        sums, weights = (np.zeros((len(y), size + LANES), np.float32) for _ in range(2))
        followed = band.tracks, float(self.stage.alike)
        shared = pictures.shared("wiener", self.grid)
        temporal(part, values, followed, shared, offsets_of(part, len(y), slack), sums, weights)
        answer, trust = (torch.from_numpy(s[:, :size].reshape(y.shape)) for s in (sums, weights))
        return window, answer, trust

    def _band(self, plane: int, first: int, count: int) -> _Band:
        """Follow all patches that references of a band can be grouped with."""
        _, planes, height, width = self.pictures.y.shape
        grid, reach = self.grid, self.stage.reach
        start, end = max(0, plane - reach), min(planes, plane + reach + 1)
        places = self.motion.places(height, width, grid.patch, grid.shift)
        top = max(0, first * grid.step - grid.radius)
        below = min(height - grid.patch, (first + count - 1) * grid.step + grid.radius) + 1
        across = len(places.block_columns)
        here = np.repeat(np.arange(top, below), across), np.tile(np.arange(across), below - top)
        earlier = self.motion.tracks(here, -1, range(plane, start - 1, -1), places)
        later = self.motion.tracks(here, 1, range(plane, end), places)
        found = [*reversed(earlier), here, *later]
        upper = min(int(rows.min()) for rows, _ in found)
        lower = max(int(rows.max()) for rows, _ in found) + grid.patch
        tracks = np.zeros((end - start, (lower - upper) * width), np.int64)
        own = (here[0] - upper) * width + here[1]
        for k, (rows, columns) in enumerate(found):
            tracks[k, own] = (rows - upper) * width + columns
        window = slice(None), slice(start, end), slice(upper, lower), slice(0, width)
        references = (width - grid.patch) // grid.step + 1
        corner = plane - start, first * grid.step - upper, 0
        return _Band(Tile(window, corner, (1, count, references)), tracks)
