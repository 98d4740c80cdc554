"""How what is seen moves from a plane to the next: block matching from coarse to fine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from untaught.methods.non_local.kernels.compiling import quickly
from untaught.methods.non_local.kernels.motion import motion
from untaught.methods.non_local.kernels.search import BLOCK
from untaught.methods.non_local.kernels.vectors import LANES
from untaught.methods.parallel import each

PATCH, STEP = 8, 4  # side of the blocks that are compared, and their distance
RADIUS = 7  # pixels that are looked at around what the scale above found: 15 fill a vector of the processor
SMOOTHNESS = 1.0  # noise variances that a block has to gain for every pixel in which it differs from a neighbour
LEAST, MOST = 48, 5  # the shorter side of a picture that is halved, and the number of scales


class Blocks(NamedTuple):
    """The sizes of a plane and its blocks, as compiled code takes them."""

    height: int
    width: int
    patch: int
    step: int
    radius: int
    down: int
    across: int


@dataclass(frozen=True)
class Motion:
    """Where the blocks of every plane are in the plane after and in the plane before.

    Attributes
    ----------
    after, before : int32 array
        (F, rows, columns, 2): rows and columns by which a block has moved; nothing in the last or first plane.
    patch, step : int
        Side of the blocks, and their distance.
    """

    after: NDArray[np.int32]
    before: NDArray[np.int32]
    patch: int
    step: int

    @classmethod
    def of(cls, guide: Tensor) -> Motion:
        """Find it in planes (F, C, H, W) that are nearly free of noise, in units of the standard deviation it had.

        Block matching at every scale, beginning where the scale above has ended, and then a few rounds in which a
        block may take what a neighbour found: the difference of patches, and how far neighbours are apart, are
        made small together. A plane is compared with its neighbours alone: what moves further than
        `RADIUS (2^MOST - 1)` pixels, or its pattern repeats, may be lost.
        """
        levels = [guide.cpu()]
        while min(levels[-1].shape[2:]) >= LEAST and len(levels) < MOST:
            levels.append(F.avg_pool2d(levels[-1], 2))
        patch = min(PATCH, *levels[-1].shape[2:])
        with quickly():
            found = _at_scale(levels.pop(), patch, None)
            while levels:
                found = _at_scale(levels.pop(), patch, found)
        return cls(*found, patch, min(STEP, patch))

    def tracks(
        self, start: tuple[NDArray[np.int64], NDArray[np.int64]], way: int, path: range, patches: Places
    ) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Follow patches from plane to plane.

        Parameters
        ----------
        start : tuple of int64 arrays
            Rows and columns of their corners in the first plane of the path.
        way : int
            1 to follow them to later planes, -1 to earlier ones.
        path : range
            The planes.
        patches : Places
            What corners there can be.

        Returns
        -------
        list of tuple of int64 arrays
            Their corners in the other planes of the path.
        """
        field = self.after if way > 0 else self.before
        rows, columns = start
        found = []
        for plane in path[:-1]:
            moved = field[plane][patches.block_rows[rows], patches.block_columns[columns]]
            rows = np.clip(rows + moved[:, 0], 0, len(patches.block_rows) - 1)
            columns = np.clip(columns + moved[:, 1], 0, len(patches.block_columns) - 1)
            found.append((rows, columns))
        return found

    def places(self, height: int, width: int, patch: int, shift: int) -> Places:
        """Return which block is nearest to every patch of padded planes, which begin `shift` pixels earlier."""
        _, down, across, _ = self.after.shape
        rows, columns = (
            np.clip(
                np.rint((np.arange(size - patch + 1) - shift + (patch - self.patch) / 2) / self.step), 0, count - 1
            ).astype(np.int64)
            for size, count in ((height, down), (width, across))
        )
        return Places(rows, columns)


class Places(NamedTuple):
    """Which row and column of blocks is nearest to patches with a corner at every row and column."""

    block_rows: NDArray[np.int64]
    block_columns: NDArray[np.int64]


Fields = tuple[NDArray[np.int32], NDArray[np.int32]]


def _at_scale(level: Tensor, patch: int, above: Fields | None) -> Fields:
    planes, channels, height, width = level.shape
    step = min(STEP, patch)
    tile = Blocks(height, width, patch, step, RADIUS, *(-(-(n - patch) // step) + 1 for n in (height, width)))
    flat = F.pad(level.flatten(2), (0, BLOCK * width + 2 * LANES)).flatten(1).numpy()
    stride, at = height * width + BLOCK * width + 2 * LANES, np.arange(patch)
    offsets = (np.arange(channels)[:, None, None] * stride + at[:, None] * width + at).ravel()

    def work(pair: tuple[int, int]) -> NDArray[np.int32]:
        plane, way = pair
        found = np.zeros((tile.down, tile.across, 2), np.int32)
        if above is not None:
            coarse = above[0 if way > 0 else 1][plane]
            rows, columns = (
                np.minimum(np.arange(count) // 2, most - 1)
                for count, most in zip(found.shape[:2], coarse.shape[:2], strict=True)
            )
            found[:] = 2 * coarse[rows][:, columns]
        if 0 <= plane + way < planes:
            motion(tile, (flat[plane], flat[plane + way]), offsets, SMOOTHNESS, found)
        return found

    pairs = [(plane, way) for way in (1, -1) for plane in range(planes)]
    found = np.stack(list(each(work, pairs)))
    return found[:planes], found[planes:]
