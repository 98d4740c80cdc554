"""Maps of shifts: every pixel of a hole is a copy of a known one, and such a map is found coarse to fine."""

from __future__ import annotations

import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor
from torch.nn import functional as F

AT_ONCE = 2**22  # distances, or values of patches, held at one time
MOST = 2**27  # pairs of patches compared in one search: along a thin and long hole the known ones are thinned out
NEVER = 1e30  # distance of a patch that cannot be taken
FADING = 1.3  # votes lose by this factor with every pixel from what is known; Wexler et al., section 3.2
QUANTILE = 0.75  # of all distances, which are judged in units of it; the same section
NEAR = tuple(
    (reach * down, reach * across)
    for reach in (1, 2, 4)
    for down in (-1, 0, 1)
    for across in (-1, 0, 1)
    if down or across
)
"""Neighbours whose shift a patch may take over, in pixels."""


def corners(hole: Tensor, patch: int) -> Tensor:
    """Return True where a patch that starts there touches the hole, for a hole (H, W)."""
    return F.max_pool2d(hole[None, None].float(), patch, 1)[0, 0] > 0


def halved(x: Tensor, hole: Tensor) -> tuple[Tensor, Tensor]:
    """Return a picture (C, H, W) and its hole at half the size; beside the hole, means of known pixels alone."""
    rows, columns = (size % 2 for size in hole.shape)
    x, gone = (F.pad(v, (0, columns, 0, rows), mode="replicate") for v in (x[None], hole[None, None].float()))
    known = F.avg_pool2d(1 - gone, 2)
    mean = F.avg_pool2d(x * (1 - gone), 2) / known.clamp_min(1e-9)
    return torch.where(known > 0, mean, F.avg_pool2d(x, 2))[0], known[0, 0] < 1


def places(hole: Tensor) -> Tensor:
    """Return (H, W, 2), row and column of every pixel: the map of no shifts."""
    rows, columns = (torch.arange(size, device=hole.device) for size in hole.shape)
    return torch.stack(torch.meshgrid(rows, columns, indexing="ij"), -1)


def copied(x: Tensor, source: Tensor) -> Tensor:
    """Return (C, H, W) with every pixel taken from `source`, (H, W, 2)."""
    return x[:, source[..., 0], source[..., 1]]


def doubled(source: Tensor, shape: tuple[int, int]) -> Tensor:
    """Return the map of the next finer level: the four pixels of one are copied from the four of its source."""
    fine = places(torch.empty(shape, device=source.device))
    half = fine // 2
    return torch.minimum(source[half[..., 0], half[..., 1]] * 2 + fine % 2, fine[-1, -1])


def grown(x: Tensor, hole: Tensor, patch: int, trust: float) -> Tensor:
    """Return (C, H, W) with its hole filled patch by patch, first where edges run into it.

        argmin over known patches s of  sum_i w_i (q_i - s_i)^2,   w_i = 1 where q_i is known, else `trust`

    The next patch is the one about the pixel of the rim with the most C D: C is the mean confidence in its pixels,
    1 where they were known at first, and D = |grad^T n|, how strong an edge meets the rim, of normal n.
    """
    x, last = x.clone(), torch.tensor(hole.shape) - patch
    known = torch.nonzero(~corners(hole, patch))
    patches = _at(x, known, patch).T
    squares, sure, left = patches.square(), (~hole).float(), hole.clone()
    while left.any():
        confidence = _mean(sure, patch)
        rim = left & (F.max_pool2d((~left)[None, None].float(), 3, 1, 1)[0, 0] > 0)
        rank = torch.where(rim, confidence * (_edges(x, left) + 1e-3), -1.0)
        middle = torch.tensor(divmod(int(rank.argmax()), hole.shape[1]))
        first = torch.minimum((middle - patch // 2).clamp_min(0), last)[None]
        q = _at(x, first, patch)
        weight = _at((~left)[None].float(), first, patch).repeat(1, len(x)).clamp_min(trust)
        nearest = known[(weight @ squares - 2 * (weight * q) @ patches).argmin(1)]
        at = (first[:, None] + _window(patch))[0]
        at = at[left[at[:, 0], at[:, 1]]]
        x[:, at[:, 0], at[:, 1]] = copied(x, at + nearest - first)
        sure[at[:, 0], at[:, 1]] = confidence[middle[0], middle[1]]
        left[at[:, 0], at[:, 1]] = False
    return x


def _edges(x: Tensor, hole: Tensor) -> Tensor:
    """Return (H, W), |grad^T n|: grad is the strongest of the known ones near a pixel, n the normal of the rim."""
    grey, known = x.mean(0), ~hole
    down, across = (torch.gradient(grey, dim=dim)[0] for dim in (0, 1))
    whole = F.max_pool2d(hole[None, None].float(), 3, 1, 1)[0, 0] == 0
    size = torch.where(whole, down.square() + across.square(), 0.0)
    _, index = F.max_pool2d(size[None, None], 5, 1, 2, return_indices=True)
    down, across = (torch.where(whole, g, 0.0).flatten()[index[0, 0]] for g in (down, across))
    normal = torch.gradient(_mean(known.float(), 3))
    length = (normal[0].square() + normal[1].square()).sqrt().clamp_min(1e-6)
    return (across * normal[0] - down * normal[1]).abs() / length


def _mean(x: Tensor, side: int) -> Tensor:
    return F.avg_pool2d(x[None, None], side, 1, side // 2, count_include_pad=False)[0, 0]


class Level:
    """A hole of one level, (H, W): its patches look for known ones like them, and vote for its pixels."""

    def __init__(self, hole: Tensor, patch: int):
        self.hole, self.patch = hole, patch
        touched = corners(hole, patch)
        self.free, self.own = ~touched, torch.nonzero(touched)
        self.last = torch.tensor(hole.shape) - patch
        self.fade = FADING ** -torch.from_numpy(distance_transform_edt(hole.numpy())).float()
        off = _window(patch) - patch // 2
        self.middle = torch.exp(-off.square().sum(1) / 2.0)  # a vote counts for pixels near the patch's middle

    def searched(self, x: Tensor, sweeps: int) -> tuple[Tensor, Tensor]:
        """Return the picture and its map after so many searches among all known patches, at least one."""
        known, shift = torch.nonzero(self.free), torch.zeros_like(self.own)
        known = known[:: max(1, len(known) * len(self.own) // MOST)]
        for _ in range(sweeps):
            patches = _at(x, known, self.patch).T
            squares, found = patches.square().sum(0), []
            for some in self.own.split(max(1, AT_ONCE // len(known))):
                q = _at(x, some, self.patch)
                least, index = (squares - 2 * q @ patches).min(1)
                found.append((known[index] - some, (least + q.square().sum(1)).clamp_min(0)))
            shift = torch.cat([shift for shift, _ in found])
            x = self._voted(x, shift, torch.cat([distance for _, distance in found]))
        return x, self._map(shift)

    def propagated(self, x: Tensor, source: Tensor, sweeps: int) -> tuple[Tensor, Tensor]:
        """Return the same from a map, after so many rounds in which patches take over a neighbour's shift."""
        shift = self._begin(source)
        for _ in range(sweeps):
            shift, distance = self._better(x, shift)
            x = self._voted(x, shift, distance)
        return x, self._map(shift)

    def _map(self, shift: Tensor) -> Tensor:
        """Return the map of the pixels, each moved as the patch around it."""
        field = torch.zeros(*self.free.shape, 2, dtype=torch.long)
        field[self.own[:, 0], self.own[:, 1]] = shift
        here = places(self.hole)
        first = torch.minimum((here - self.patch // 2).clamp_min(0), self.last)
        moved = here + field[first[..., 0], first[..., 1]]
        return torch.where(self.hole[..., None], moved, here)

    def _begin(self, source: Tensor) -> Tensor:
        """Return (n, 2), the shift of every patch: that of the pixel of the hole nearest to its middle."""
        nearest = distance_transform_edt(~self.hole.numpy(), return_distances=False, return_indices=True)
        at = torch.from_numpy(nearest).permute(1, 2, 0)[tuple((self.own + self.patch // 2).T)]
        return (source - places(self.hole))[at[:, 0], at[:, 1]]

    def _better(self, x: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
        """Return the best of the shifts of every patch and its neighbours, and its distance, (n, 2) and (n,)."""
        number = torch.full_like(self.free, -1, dtype=torch.long)
        number[self.own[:, 0], self.own[:, 1]] = torch.arange(len(self.own))
        found = []
        for some in torch.arange(len(self.own)).split(max(1, AT_ONCE // (len(x) * self.patch**2))):
            own = self.own[some]
            q = _at(x, own, self.patch)
            best, least = shift[some], torch.full((len(some),), NEVER)
            for step in ((0, 0), *NEAR):
                beside = torch.minimum((own + torch.tensor(step)).clamp_min(0), self.last)
                near = number[beside[:, 0], beside[:, 1]]
                wanted = torch.where(near[:, None] >= 0, shift[near], shift[some])
                to = torch.minimum((own + wanted).clamp_min(0), self.last)
                able = (to == own + wanted).all(1) & self.free[to[:, 0], to[:, 1]]
                distance = torch.where(able, (_at(x, to, self.patch) - q).square().sum(1), NEVER)
                best = torch.where((distance < least)[:, None], wanted, best)
                least = torch.minimum(distance, least)
            found.append((best, least))
        return torch.cat([best for best, _ in found]), torch.cat([least for _, least in found])

    def _voted(self, x: Tensor, shift: Tensor, distance: Tensor) -> Tensor:
        """Return the picture with the hole made of what the shifted patches say, near ones and middles most."""
        able = distance < NEVER
        if not able.any():
            return x
        own, shift, distance = self.own[able], shift[able], distance[able]
        unit = 2 * float(distance.sort().values[int(QUANTILE * (len(distance) - 1))]) + 1e-9
        trust = torch.exp(-distance / unit)
        total, weight = torch.zeros_like(x).flatten(1), torch.zeros(x[0].numel())
        for some in torch.arange(len(own)).split(max(1, AT_ONCE // (len(x) * self.patch**2))):
            at = own[some][:, None] + _window(self.patch)
            votes = trust[some][:, None] * self.middle * self.fade[at[..., 0], at[..., 1]] + 1e-20
            index = (at[..., 0] * x.shape[2] + at[..., 1]).flatten()
            values = copied(x, at + shift[some][:, None]) * votes
            total.index_add_(1, index, values.flatten(1))
            weight.index_add_(0, index, votes.flatten())
        voted = (total / weight.clamp_min(1e-30)).view_as(x)
        return torch.where(self.hole & (weight > 0).view_as(self.hole), voted, x)


def _window(patch: int) -> Tensor:
    return places(torch.empty(patch, patch)).flatten(0, 1)


def _at(x: Tensor, first: Tensor, patch: int) -> Tensor:
    """Return the patches of (C, H, W) that start at `first`, (n, 2), as rows."""
    at = first[:, None] + _window(patch)
    return copied(x, at).transpose(0, 1).flatten(1)
