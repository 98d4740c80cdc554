"""Patches of a picture: a grid of references, groups of similar ones, and the weighted way back.

Everything works on square tiles of the reference grid, so that the memory needed does not grow with
the picture (beyond the picture itself).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

FAR = 1e9  # stands outside of the picture: finite, so that 0 * FAR is 0
MAX_TILE = 16  # references on a side of one tile; 256 groups at once keep the caches warm
TILE_CHANNELS = 4  # beyond so many channels a tile gets smaller


@dataclass(frozen=True)
class Grid:
    """Where the reference patches of a padded picture lie.

    Attributes
    ----------
    patch : int
        Side of a patch, in pixels.
    step : int
        Distance of neighbouring references, at most `patch`, so that no pixel is left out.
    radius : int
        Similar patches are looked for at offsets up to this, both ways.
    group : int
        Patches in a group, the reference itself included.
    shift : int
        Pixels by which the grid starts before the picture; less than `patch`.
    """

    patch: int
    step: int
    radius: int
    group: int
    shift: int = 0

    def fitted(self, height: int, width: int) -> Grid:
        """Return the grid with patches and groups no larger than a (height, width) picture holds."""
        patch = min(self.patch, max(1, min(height, width) // 2))
        step = min(self.step, patch)
        rows, columns = (min(size - patch, self.radius) + 1 for size in (height, width))
        group = min(self.group, rows * columns)
        return Grid(patch, step, self.radius, group, min(self.shift, patch - 1))

    def padding(self, size: int) -> tuple[int, int]:
        """Return how many pixels to add before and after an axis so that the grid covers it."""
        return self.shift, (self.patch - size - self.shift) % self.step

    def pad(self, picture: Tensor) -> Tensor:
        """Mirror a (C, H, W) picture, edges repeated, so that the grid covers it; any size."""
        rows, columns = (_mirrored(size, *self.padding(size), picture.device) for size in picture.shape[1:])
        return picture[:, rows][:, :, columns]

    def crop(self, padded: Tensor, height: int, width: int) -> Tensor:
        """Undo `pad`."""
        return padded[:, self.shift : self.shift + height, self.shift : self.shift + width]


def _mirrored(size: int, before: int, after: int, device: torch.device) -> Tensor:
    index = torch.arange(-before, size + after, device=device) % (2 * size)
    return torch.where(index < size, index, 2 * size - 1 - index)


@dataclass(frozen=True)
class Tile:
    """A block of references and the part of the picture that they and their groups touch.

    Attributes
    ----------
    window : tuple of slice
        The part of a padded (C, H, W) picture.
    corner : tuple of int
        Row and column of the first reference inside that part.
    shape : tuple of int
        Number of references down and across.
    """

    window: tuple[slice, slice, slice]
    corner: tuple[int, int]
    shape: tuple[int, int]


def tiles(grid: Grid, channels: int, height: int, width: int) -> Iterator[Tile]:
    """Yield the tiles that cover the grid of a padded (channels, height, width) picture."""
    side = max(2, int(MAX_TILE * math.sqrt(min(1.0, TILE_CHANNELS / channels))))
    rows, columns = ((size - grid.patch) // grid.step + 1 for size in (height, width))
    for row in range(0, rows, side):
        for column in range(0, columns, side):
            counts = min(side, rows - row), min(side, columns - column)
            spans = [
                _span(first * grid.step, count, size, grid)
                for first, count, size in zip((row, column), counts, (height, width), strict=True)
            ]
            window = (slice(None), slice(*spans[0]), slice(*spans[1]))
            corner = row * grid.step - spans[0][0], column * grid.step - spans[1][0]
            yield Tile(window, corner, counts)


def _span(first: int, count: int, size: int, grid: Grid) -> tuple[int, int]:
    last = first + (count - 1) * grid.step + grid.patch
    return max(0, first - grid.radius), min(size, last + grid.radius)


def similar(guide: Tensor, tile: Tile, grid: Grid) -> Tensor:
    """Find the most similar patches of every reference of a tile, by squared distance.

    d(i, j) = || g_i - g_j ||^2 for every j at most `grid.radius` rows and columns from i. Differences
    of the shifted picture are box-filtered only where references lie.

    Parameters
    ----------
    guide : Tensor
        The tile's part of the picture to compare, (G, h, w).
    tile : Tile
        Where the references are in it.
    grid : Grid
        Patch side, step, radius and group size.

    Returns
    -------
    Tensor
        int64 (B, k): rows of `table(guide, grid.patch)`; the reference itself is always among them.
    """
    radius, patch, step = grid.radius, grid.patch, grid.step
    (top, left), (rows, columns) = tile.corner, tile.shape
    high, wide = (rows - 1) * step + patch, (columns - 1) * step + patch
    side = 2 * radius + 1
    reference = guide[:, None, top : top + high, left : left + wide]
    padded = F.pad(guide, (radius,) * 4, value=FAR)[:, :, left : left + wide + 2 * radius]
    across = _boxes(columns, patch, step).T.to(guide)
    distance = guide.new_empty(side, side, rows, columns)
    for offset in range(side):
        strip = padded[:, top + offset : top + offset + high]
        shifted = strip.unfold(2, wide, 1).transpose(1, 2)  # (G, side, high, wide)
        error = (shifted[0] - reference[0]).square_()
        for channel in range(1, guide.shape[0]):  # a sum over the first axis is far slower
            error += (shifted[channel] - reference[channel]).square_()
        distance[offset] = F.avg_pool2d((error @ across)[:, None], (patch, 1), (step, 1))[:, 0]
    distance[radius, radius] = -1  # no tie may push the reference out
    ranked = distance.flatten(2).flatten(0, 1).T.contiguous()
    best = torch.topk(ranked, grid.group, dim=1, largest=False, sorted=False).indices
    down_by = torch.div(best, side, rounding_mode="floor") - radius
    across_by = best % side - radius
    y = top + step * torch.arange(rows, device=guide.device)[:, None].expand(rows, columns)
    x = left + step * torch.arange(columns, device=guide.device).expand(rows, columns)
    per_row = guide.shape[2] - patch + 1
    return (y.reshape(-1, 1) + down_by) * per_row + x.reshape(-1, 1) + across_by


def _boxes(count: int, patch: int, step: int) -> Tensor:
    """Return the sums over `patch` samples from every `step`-th on, as a matrix of `count` rows."""
    start = step * torch.arange(count)[:, None]
    sample = torch.arange((count - 1) * step + patch)
    return ((sample >= start) & (sample < start + patch)).float()


def table(picture: Tensor, patch: int) -> Tensor:
    """Lay out all N patches of a (C, h, w) picture as rows: (C, N, patch * patch)."""
    windows = picture.unfold(1, patch, 1).unfold(2, patch, 1)
    return windows.reshape(picture.shape[0], -1, patch * patch)


def gather(rows: Tensor, index: Tensor) -> Tensor:
    """Take groups out of a `table`: (C, N, n) by (B, k) gives (C, B, k, n)."""
    taken = rows.index_select(1, index.reshape(-1))
    return taken.view(rows.shape[0], *index.shape, rows.shape[2])


def scatter(values: Tensor, index: Tensor, shape: torch.Size, patch: int) -> Tensor:
    """Add groups (C, B, k, n) up where they came from: the adjoint of `gather` after `table`.

    On a CPU the order of additions, and so the sum, is the same every time.
    """
    channels, height, width = shape
    positions = (height - patch + 1) * (width - patch + 1)
    rows = values.new_zeros(channels, positions, patch * patch)
    rows.index_add_(1, index.reshape(-1), values.flatten(1, 2))
    return F.fold(rows.mT, (height, width), patch)[:, 0]
