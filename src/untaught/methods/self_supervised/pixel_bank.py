"""A bank of pixels: for every pixel of a picture those most like it, from a window around it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor
from torch.nn import functional as F

from untaught.methods.parallel import each

BLOCK = 48  # pixels on a side of what is searched for at a time: 16 MiB of distances in a window of 40


@dataclass(frozen=True)
class Search:
    """Which pixels are compared, and how.

    Attributes
    ----------
    members : int
        Pixels in a bank, at most.
    window : int
        Side of the window that they are from; up to half of it to each side of the pixel.
    patch : int
        Side of the patches that are compared, odd.
    apart : tuple of int
        Rows and columns within which pixels share noise: from there a bank takes the pixel itself and no other.
    """

    members: int
    window: int
    patch: int
    apart: tuple[int, int] = (0, 0)


def pixel_bank(y: Tensor, known: Tensor, search: Search) -> Tensor:
    """Return for every pixel i the pixels j of least distance.

        d(i, j) = sum over offsets o of a patch of || y_{i+o} - y_{j+o} ||^2

    Beyond its edges the picture is mirrored, for patches; no j is taken from there.

    Parameters
    ----------
    y : Tensor
        float32 (1, C, H, W), finite.
    known : Tensor
        bool (H, W): the pixels that may be taken.
    search : Search
        Sizes.

    Returns
    -------
    Tensor
        int32 (H W, M), pixels counted along the rows of the picture, M at most those of the window. The most alike
        is first: the pixel itself if it is known. Where too few may be taken the first stands again, and where
        none may, the pixel itself.
    """
    height, width = y.shape[-2:]
    reach = min(search.window // 2, height - 1), min(search.window // 2, width - 1)
    comparison = _Comparison(y[0], known, search, reach)
    members = min(search.members, (2 * reach[0] + 1) * (2 * reach[1] + 1))
    bank = torch.empty(height, width, members, dtype=torch.int32, device=y.device)
    blocks = list(product(_spans(height), _spans(width)))
    banks = (each if y.is_cpu else map)(comparison.nearest, blocks)
    for (rows, columns), found in zip(blocks, banks, strict=True):
        bank[rows, columns] = found
    return bank.flatten(0, 1)


def _spans(length: int) -> list[slice]:
    return [slice(first, min(first + BLOCK, length)) for first in range(0, length, BLOCK)]


class _Comparison:
    """Every pixel of a picture (C, H, W) against those up to `reach` rows and columns away."""

    def __init__(self, y: Tensor, known: Tensor, search: Search, reach: tuple[int, int]):
        self.search, self.reach, self.size = search, reach, y.shape[1:]
        self.margin = search.patch // 2
        rows, columns = (_mirrored(size, self.margin, y.device) for size in y.shape[1:])
        around = (reach[1], reach[1], reach[0], reach[0])
        self.here = y[:, rows][:, :, columns]
        self.there = F.pad(self.here, around)
        self.known = F.pad(known, around)
        self.lags = torch.arange(-reach[1], reach[1] + 1, device=y.device)

    def nearest(self, block: tuple[slice, slice]) -> Tensor:
        """Return the banks of the pixels of some rows and columns, int32 (rows, columns, M)."""
        height, across = self.reach[0], len(self.lags)
        distance = torch.cat([self._distances(block, lag) for lag in range(-height, height + 1)])
        value, shift = distance.topk(min(self.search.members, len(distance)), dim=0, largest=False)
        width = self.size[1]
        row, column = (torch.arange(span.start, span.stop, device=value.device) for span in block)
        own = row.view(-1, 1) * width + column
        source = own + (shift // across - height) * width + shift % across - self.reach[1]
        first = torch.where(value[:1].isinf(), own, source[:1])
        source = torch.where(value.isinf(), first, source)
        return source.permute(1, 2, 0).to(torch.int32)

    def _distances(self, block: tuple[slice, slice], lag: int) -> Tensor:
        """Return those to the pixels `lag` rows below, a column a layer: (2 reach + 1, rows, columns)."""
        rows, columns = block
        down, beyond = lag + self.reach[0], 2 * self.reach[1]
        count, more = columns.stop - columns.start, 2 * self.margin
        squared = torch.zeros((), device=self.here.device)
        for here, there in zip(self.here, self.there, strict=True):
            own = here[rows.start : rows.stop + more, columns.start : columns.stop + more]
            wide = there[rows.start + down : rows.stop + down + more, columns.start : columns.stop + more + beyond]
            squared = squared + (wide.unfold(1, count + more, 1).transpose(0, 1) - own).square_()
        free = self.known[rows.start + down : rows.stop + down, columns.start : columns.stop + beyond]
        may = free.unfold(1, count, 1).transpose(0, 1) & self._apart(lag)
        return torch.where(may, _patch_sums(squared, self.search.patch), torch.inf)

    def _apart(self, lag: int) -> Tensor:
        """Say which pixels `lag` rows below share no noise with the one here, or are the same: (columns, 1, 1)."""
        rows, columns = self.search.apart
        far = (self.lags.abs() > columns) | (abs(lag) > rows)
        return (far | ((self.lags == 0) & (lag == 0))).view(-1, 1, 1)


def _patch_sums(x: Tensor, side: int) -> Tensor:
    """Return sums over squares of so many pixels, (L, H - side + 1, W - side + 1)."""
    for axis in (1, 2):
        length = x.shape[axis] - side + 1
        total = x.narrow(axis, 0, length).clone()
        for k in range(1, side):
            total += x.narrow(axis, k, length)
        x = total
    return x


def _mirrored(size: int, margin: int, device: torch.device) -> Tensor:
    index = torch.arange(-margin, size + margin, device=device) % (2 * size)
    return torch.where(index < size, index, 2 * size - 1 - index)
