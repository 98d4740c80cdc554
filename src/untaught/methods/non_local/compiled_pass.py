"""One stage of `NonLocal` on a processor: its tiles, shared out among threads, in compiled code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from untaught.methods.non_local.block_matching import COARSE, Grid, Tile, averaged
from untaught.methods.non_local.kernels.combination import combination
from untaught.methods.non_local.kernels.compiling import quickly
from untaught.methods.non_local.kernels.search import BLOCK
from untaught.methods.non_local.kernels.vectors import LANES
from untaught.methods.non_local.kernels.wiener import wiener
from untaught.methods.non_local.noise_covariance import Covariance

SIDE = 24  # references on a side of one tile: what three channels of it take stays in the second cache


class Part(NamedTuple):
    """A tile as compiled code takes it: the sizes of the part of the picture and of the grid, and its references.

    `reach` is the number of distances that a search may write, rows of whole vectors.
    """

    height: int
    width: int
    patch: int
    step: int
    radius: int
    group: int
    top: int
    left: int
    down: int
    across: int
    reach: int

    @classmethod
    def of(cls, tile: Tile, grid: Grid) -> Part:
        """Return that of a tile of a grid."""
        rows, columns = (span.stop - span.start for span in tile.window[1:])
        side = 2 * grid.radius + 1
        reach = side * -(-side // LANES) * LANES
        return cls(rows, columns, grid.patch, grid.step, grid.radius, grid.group, *tile.corner, *tile.shape, reach)


@dataclass(frozen=True)
class Pictures:
    """What one stage works on, padded, (C, H, W), in units in which the mean variance is 1.

    Attributes
    ----------
    y, pilot : Tensor
        What is filtered, and what by, if there is something.
    variance : Tensor
        Of `y`; (C, 1, 1) where it is the same everywhere.
    guide : Tensor
        What is compared.
    covariance : Covariance or None
        What neighbours share of the noise.
    """

    y: Tensor
    pilot: Tensor | None
    variance: Tensor
    guide: Tensor
    covariance: Covariance | None = None

    def shared(self, kind: str, grid: Grid) -> NDArray[np.float32] | None:
        """Return the correlation that the kernel for a kind of stage takes, nothing for white noise."""
        if self.covariance is None:
            return None
        if kind != "wiener":
            return self.covariance.around(2 * grid.radius).flatten(1).numpy()
        spare = -(grid.patch**2) % LANES
        return F.pad(self.covariance.within(grid.patch)[:, 0], (0, spare, 0, spare)).flatten(1).numpy()


def filtered(kind: Literal["sure", "ridge", "wiener"], grid: Grid, pictures: Pictures) -> Tensor:
    """Return the weighted mean of what overlapping patches say of a padded picture, (C, H, W).

    Parameters
    ----------
    kind : {"sure", "ridge", "wiener"}
        Which map.
    grid : Grid
        Where the references lie.
    pictures : Pictures
        What is filtered, and by what.
    """
    y = pictures.y
    kernel = wiener if kind == "wiener" else combination
    shared, compared = pictures.shared(kind, grid), _compared(pictures.guide, grid)
    uniform = pictures.variance.shape[1:] == (1, 1)

    def work(tile: Tile) -> tuple[Tensor, Tensor]:
        part = Part.of(tile, grid)
        size, slack = part.height * part.width, BLOCK * part.width + 2 * LANES
        pilot = np.empty((0, 1), np.float32) if pictures.pilot is None else _flat(pictures.pilot[tile.window])
        given = pictures.variance[:, 0].numpy() if uniform else _flat(pictures.variance[tile.window])
        values = _flat(compared[tile.window], slack).ravel(), _flat(y[tile.window]), pilot, given
        sums, weights = (np.zeros((len(y), size + LANES), np.float32) for _ in range(2))
        kernel(part, values, shared, _offsets(part, len(y), slack), sums, weights)
        shape = len(y), part.height, part.width
        answer, trust = (torch.from_numpy(s[:, :size].reshape(shape)) for s in (sums, weights))
        return answer, trust

    with quickly():
        return averaged(work, grid, y, SIDE)


def _compared(guide: Tensor, grid: Grid) -> Tensor:
    """Return the picture whose values patches are compared by: of large patches the means of 2 x 2 pixels."""
    if grid.patch < COARSE:
        return guide
    return F.pad(F.avg_pool2d(guide, 2, stride=1), (0, 1, 0, 1))  # what is added there, no patch reaches


def _offsets(part: Part, channels: int, slack: int) -> NDArray[np.int64]:
    """Return where the numbers of a patch lie, counted from its corner."""
    steps = np.arange(0, part.patch - 1, 2) if part.patch >= COARSE else np.arange(part.patch)
    planes = np.arange(channels)[:, None, None] * (part.height * part.width + slack)
    found: NDArray[np.int64] = (planes + steps[:, None] * part.width + steps).ravel()
    return found


def _flat(picture: Tensor, slack: int = 2 * LANES) -> NDArray[np.float32]:
    """Return a (C, h, w) picture as (C, h w), and so many zeros behind each row."""
    values = picture.numpy().reshape(len(picture), -1)
    found = np.zeros((len(values), values.shape[1] + slack), np.float32)
    found[:, : values.shape[1]] = values
    return found
