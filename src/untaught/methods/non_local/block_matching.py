"""Patches of a picture: a grid of references, groups of similar ones, and the weighted way back.

Everything works on square tiles of the reference grid, so that the memory needed does not grow with
the picture (beyond the picture itself). Tiles do not depend on each other: they are shared out among
threads, and added up in their own order, so that the sum is the same with any number of threads.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from untaught.methods.parallel import each

FAR = 1e30  # stands outside of the picture
MAX_TILE = 8  # references on a side of one tile; 64 groups at once stay in the caches
WIDE_TILE = 32  # the same where a processor of graphics has to be kept busy: about 1 GiB
TILE_CHANNELS = 4  # beyond so many channels a tile gets smaller
COARSE = 8  # patches of this side and more are compared by the means of 2 x 2 pixels


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
        rows, columns = (mirrored(size, *self.padding(size), picture.device) for size in picture.shape[1:])
        return picture[:, rows][:, :, columns]

    def crop(self, padded: Tensor, height: int, width: int) -> Tensor:
        """Undo `pad`."""
        return padded[:, self.shift : self.shift + height, self.shift : self.shift + width]


def mirrored(size: int, before: int, after: int, device: torch.device) -> Tensor:
    """Return which places of an axis stand where it is continued by its mirror image on both sides."""
    index = torch.arange(-before, size + after, device=device) % (2 * size)
    return torch.where(index < size, index, 2 * size - 1 - index)


@dataclass(frozen=True)
class Tile:
    """A block of references and the part of the picture that they and their groups touch.

    Attributes
    ----------
    window : tuple of slice
        The part of a padded (C, H, W) picture, or (C, D, H, W) volume.
    corner : tuple of int
        Row and column, of a volume also the plane before them, of the first reference inside that part.
    shape : tuple of int
        Number of references down and across, of a volume also through its planes.
    """

    window: tuple[slice, ...]
    corner: tuple[int, ...]
    shape: tuple[int, ...]


def tiles(grid: Grid, size: Sequence[int], most: int = MAX_TILE) -> Iterator[Tile]:
    """Yield the tiles, `most` references on a side at most, that cover the grid of a padded picture (C, H, W)."""
    channels, height, width = size
    side = max(2, int(most * math.sqrt(min(1.0, TILE_CHANNELS / channels))))
    rows, columns = ((size - grid.patch) // grid.step + 1 for size in (height, width))
    for row, down in shares_of(rows, side):
        for column, across in shares_of(columns, side):
            y, x = _span(row, down, height, grid), _span(column, across, width, grid)
            corner = row * grid.step - y.start, column * grid.step - x.start
            yield Tile((slice(None), y, x), corner, (down, across))


def shares_of(count: int, most: int) -> Iterator[tuple[int, int]]:
    """Split `count` things into nearly equal shares of at most `most`: (first, number)."""
    shares = -(-count // most)
    for k in range(shares):
        first = count * k // shares
        yield first, count * (k + 1) // shares - first


def _span(first: int, count: int, size: int, grid: Grid) -> slice:
    last = (first + count - 1) * grid.step + grid.patch
    return slice(max(0, first * grid.step - grid.radius), min(size, last + grid.radius))


def averaged(
    work: Callable[[Tile], tuple[Tensor, Tensor]], grid: Grid, padded: Tensor, most: int | None = None
) -> Tensor:
    """Return the mean of what overlapping patches say of a padded picture (C, H, W), weighted by their trust.

    A tile has at most so many references on a side, by default what suits torch and the device.
    """
    most = most or (MAX_TILE if padded.is_cpu else WIDE_TILE)
    return added(work, list(tiles(grid, padded.shape, most)), padded)


def added(work: Callable[[Tile], tuple[Tensor, Tensor]], places: Sequence[Tile], padded: Tensor) -> Tensor:
    """Return the same for tiles that are given.

    `work` gives for a tile the sum of answers times trust, and of the trust, both of the shape of its window.
    """
    total, weight = torch.zeros_like(padded), torch.zeros_like(padded)
    for tile, (answer, trust) in zip(places, (each if padded.is_cpu else map)(work, places), strict=True):
        total[tile.window] += answer
        weight[tile.window] += trust
    return total / weight


def similar(guide: Tensor, tile: Tile, grid: Grid) -> Tensor:
    """Find the most similar patches of every reference of a tile, by squared distance.

    d(i, j) = || g_i - g_j ||^2 = || g_i ||^2 + || g_j ||^2 - 2 <g_i, g_j>

    for every patch j at most `grid.radius` rows and columns from i. Patches of `COARSE` pixels and more are
    compared by the means of 2 x 2 pixels, at every other pixel: a quarter of the numbers, with less noise.

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
        int64 (B, k): the pixel, counted along the rows of `guide`, where each patch starts; the
        reference itself is always among them.
    """
    step, side = grid.step, 2 * grid.radius + 1
    numbers, outside = _numbers(guide - guide.mean((1, 2), keepdim=True), tile, grid)
    wide = numbers.shape[2]
    references = numbers[:, grid.radius :: step, grid.radius :: step][:, : tile.shape[0], : tile.shape[1]]
    energy = (numbers.square().sum(0) + outside).flatten()
    numbers = numbers.flatten(1)
    ranks = guide.new_empty(*tile.shape, side, side)
    for row, reference in enumerate(references.unbind(1)):
        band = slice(row * step * wide, (row * step + side) * wide)
        scores = torch.addmm(energy[band], reference.T, numbers[:, band], alpha=-2)
        # Of every reference's scores only those at its own columns are wanted.
        near = scores.view(-1, side, wide).unfold(2, side, step).diagonal(0, 0, 2)
        ranks[row] = near.permute(2, 0, 1)
    ranks[:, :, grid.radius, grid.radius] = -FAR  # no tie may push the reference out
    best = torch.topk(ranks.flatten(2).flatten(0, 1), grid.group, dim=1, largest=False, sorted=False).indices
    y, x = (
        corner - grid.radius + step * torch.arange(count, device=guide.device)
        for corner, count in zip(tile.corner, tile.shape, strict=True)
    )
    first = (y[:, None] * guide.shape[2] + x).view(-1, 1)
    return first + torch.div(best, side, rounding_mode="floor") * guide.shape[2] + best % side


def _numbers(part: Tensor, tile: Tile, grid: Grid) -> tuple[Tensor, Tensor]:
    """Return what patches are compared by, (K, y, x), at every place in reach, and FAR where there is none."""
    reach = [(count - 1) * grid.step + 2 * grid.radius + 1 for count in tile.shape]
    before = [grid.radius - corner for corner in tile.corner]
    inside = [size - grid.patch + 1 for size in part.shape[1:]]
    after = [size - first - count for size, first, count in zip(reach, before, inside, strict=True)]
    edges = (before[1], after[1], before[0], after[0])
    part = F.pad(part, edges)
    outside = F.pad(part.new_zeros(inside), edges, value=FAR)
    stride = 1
    if grid.patch >= COARSE:
        part, stride = F.avg_pool2d(part, 2, stride=1), 2
    return part.unfold(1, reach[0], stride).unfold(2, reach[1], stride).flatten(0, 2), outside


def pixels(corners: Tensor, patch: int, width: int) -> Tensor:
    """Return the pixels of patches, (B, k, patch * patch), that start at `corners`, (B, k)."""
    offset = torch.arange(patch, device=corners.device)
    return corners[..., None] + (offset[:, None] * width + offset).flatten()


def gather(picture: Tensor, index: Tensor) -> Tensor:
    """Take the pixels `index`, (B, k, n), out of a (C, h, w) picture: (C, B, k, n)."""
    return picture.flatten(1).index_select(1, index.flatten()).view(-1, *index.shape)


def scatter(values: Tensor, index: Tensor, shape: torch.Size) -> Tensor:
    """Add groups (C, B, k, n) up where they came from: the adjoint of `gather` for a (C, h, w) `shape`.

    On a CPU the order of additions, and so the sum, is the same every time.
    """
    sums = values.new_zeros(shape).flatten(1)
    return sums.index_add_(1, index.flatten(), values.flatten(1)).view(shape)
