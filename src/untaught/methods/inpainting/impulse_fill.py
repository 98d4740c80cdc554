"""Salt and pepper taken away in closed form: what was hit is predicted from the rest, from similar patches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from untaught.errors import InputError
from untaught.method import Method, Needs, Runs
from untaught.methods.non_local.block_matching import Grid, Tile, averaged, gather, pixels, scatter, similar
from untaught.methods.non_local.compiled_pass import predicted
from untaught.methods.non_local.group_estimators import inverse_of
from untaught.methods.non_local.single_scale import NonLocal
from untaught.methods.time_limit import AT_ONCE, MARGIN, PROBE, RUNS, make_ready, seconds_for_all
from untaught.noise.models.registry import kinds
from untaught.problem import Estimate, Problem

SPREADS = (0.8, 2.0, 6.0, 20.0)  # pixels: the blurs tried in turn until one reaches something measured
REACHED = 1e-3  # least weight of what was measured under a blur
LARGEST = 512  # pixels a side of a square that tells how long a pass takes
ENERGY = 1e-20  # keeps 0 / 0 out of the conjugate gradients
REGIONAL = 0.01  # of the shrinkage: the group of a whole region has many more patches


@dataclass(frozen=True)
class ImpulseFill:
    """Every missing value is predicted from the others by Gaussian laws of groups of similar patches.

        v_m = E[v_m | v_o] = mu_m - L_mm^-1 L_mo (v_o - mu_o),   L = (C + delta I)^-1

    for every patch v of a group, of all channels together, with mean mu and covariance C of the group; o is what
    was measured of the patch and m what is missing. The system is solved by conjugate gradients, all patches at
    once; predictions of overlapping patches are averaged by their precision, the diagonal of L. First the groups
    are all patches of a region, so that channels and neighbours help each other from the start, then the most
    similar ones.

    Attributes
    ----------
    patch : int
        Side of the patches, in pixels.
    group : int
        Patches in a group.
    radius : int
        Similar patches are looked for at offsets up to this, in pixels.
    regional, passes : int
        How often the groups are regions, and similar patches; each pass starts from the one before. With none of
        both a missing value is the weighted mean of its neighbours.
    sweeps : int
        Steps of the conjugate gradients.
    shrinkage : float
        delta, as a share of the mean variance of a group of similar patches.
    floor : float
        What is added to delta; the variance of one grey level of 8-bit pictures.

    Notes
    -----
    Where the noise is impulses, measured values are kept as they are. Else the filled picture is denoised by
    `NonLocal`. The mask may be (1, C, H, W): a value of a pixel may be missing and the others not.

    References
    ----------
    G. Yu, G. Sapiro and S. Mallat, "Solving inverse problems with piecewise linear estimators: from Gaussian
    mixture models to structured sparsity", IEEE TIP 21(5), 2012; M. Lebrun, A. Buades and J.-M. Morel, "A nonlocal
    Bayesian image denoising algorithm", SIAM J. Imaging Sciences 6(3), 2013, whose groups these are. The numbers
    are ours, set on crops of three Kodak pictures.
    """

    patch: int = 4
    group: int = 100
    radius: int = 20
    regional: int = 2
    passes: int = 2
    sweeps: int = 10
    shrinkage: float = 0.001
    floor: float = 1.5e-5
    runs: ClassVar[Runs] = Runs(compiled=True)
    name: ClassVar[str] = "impulse-fill"
    needs: ClassVar[Needs] = Needs(kinds=kinds("replaces"))

    def within(self, problem: Problem, seconds: float) -> Method | None:
        """Return the method with as many passes as so many seconds are enough for, error included."""
        y = problem.y[0].detach()
        if not problem.noise.replaces:  # it is not what this is made for: all of it is denoised
            from untaught.methods.non_local.multiscale import MultiScale

            fitting = MultiScale().within(problem, seconds)
            if fitting != MultiScale():
                return fitting
        return self.cut(y, problem.mask[0].expand_as(y), MARGIN * seconds / RUNS)

    def cut(self, y: Tensor, known: Tensor, seconds: float, each: int = 1) -> ImpulseFill:
        """Return the method with as many passes over (C, H, W), made `each` times over, as end in so many seconds.

        Those over regions come first.
        """
        left, counts = seconds, [0, 0]
        for kind, (first, most) in enumerate(((0, self.regional), (self.regional, self.passes))):
            if not most or bool(known.all()):
                counts[kind] = most
                continue
            need = each * self._seconds_a_pass(y, known, first, max(left, 0.0))
            counts[kind] = min(most, int(max(left, AT_ONCE) / max(need, 1e-9)))
            left -= counts[kind] * need
            if counts[kind] < most:
                break
        return replace(self, regional=counts[0], passes=counts[1])

    def _seconds_a_pass(self, y: Tensor, known: Tensor, number: int, seconds: float) -> float:
        """Return how long a pass takes, told by the part that misses most."""
        corner, share = _emptiest(known)
        gone = 1 - known[corner]

        def run(part: Tensor) -> Tensor:
            height, width = part.shape[2:]
            return _predicted(part[0], 1 - gone[:, :height, :width], self, number).cpu()

        part = y[corner][None]
        make_ready(run, part)
        return share * seconds_for_all(run, part, seconds / share)

    def solve(self, problem: Problem, seed: int = 0) -> Estimate:
        """Return the picture with its missing values filled in; nothing is drawn, so `seed` changes nothing."""
        y = problem.y[0].detach()
        known = problem.mask[0].expand_as(y)
        image = y[None] if bool(known.all()) else filled(y, known, self)[None]
        if not problem.noise.replaces:
            image = NonLocal().solve(problem.with_y(image)).image
        return Estimate(image)


@torch.no_grad()
def filled(y: Tensor, known: Tensor, how: ImpulseFill) -> Tensor:
    """Fill in the missing values of a picture.

    Parameters
    ----------
    y : Tensor
        (C, H, W), [0, 1] units; what stands in missing places is not looked at.
    known : Tensor
        float32 (C, H, W): 1 where a value was measured, 0 where it is missing.
    how : ImpulseFill
        The settings.

    Returns
    -------
    Tensor
        (C, H, W), equal to `y` where that was measured.

    Raises
    ------
    InputError
        If nothing was measured.
    """
    *_, picture = fillings(y, known, how)
    return picture


def fillings(y: Tensor, known: Tensor, how: ImpulseFill) -> Iterator[Tensor]:
    """Yield the first guess and the filled picture after every pass, of which the last is that of `filled`."""
    if not known.any():
        raise InputError("no value of the picture was measured: there is nothing to fill in from")
    picture = _first_guess(y, known)
    yield picture
    for number in range(how.regional + how.passes):
        with torch.no_grad():
            picture = torch.where(known > 0, y, _predicted(picture, known, how, number))
        yield picture


def _first_guess(y: Tensor, known: Tensor) -> Tensor:
    """Fill in with weighted means of measured neighbours, and the detail of the channels that were measured."""
    mean, weight = torch.zeros_like(y), torch.zeros_like(y)
    for spread in SPREADS:
        far = weight < REACHED
        if not far.any():
            break
        total, wide = _blurred(y * known, spread), _blurred(known, spread)
        mean = torch.where(far, total / wide.clamp_min(1e-12), mean)
        weight = torch.where(far, wide, weight)
    lost = weight < 1e-6
    mean = torch.where(lost, (y * known).sum() / known.sum(), mean)
    detail = ((y - mean) * known).sum(0) / known.sum(0).clamp_min(1)
    return torch.where(known > 0, y, mean + detail)


def _emptiest(known: Tensor) -> tuple[tuple[slice, ...], float]:
    """Return the square of (C, H, W) that misses most, and how many squares of its size have as much to do."""
    height, width = known.shape[1:]
    side = min(LARGEST, height, width)
    missing = F.avg_pool2d((known == 0).any(0).float()[None, None], min(PROBE, side), ceil_mode=True)[0, 0]
    down, across = divmod(int(missing.argmax()), missing.shape[1])
    top, left = (min(min(PROBE, side) * at, size - side) for at, size in ((down, height), (across, width)))
    square = slice(None), slice(top, top + side), slice(left, left + side)
    touched = float((missing > 0).float().mean()) * height * width
    return square, max(1.0, touched / side**2)


def _blurred(x: Tensor, spread: float) -> Tensor:
    reach = round(3 * spread)
    at = torch.arange(-reach, reach + 1, device=x.device, dtype=x.dtype)
    kernel = torch.softmax(-at.square() / (2 * spread**2), 0)
    down = F.conv2d(x[:, None], kernel.view(1, 1, -1, 1), padding=(reach, 0))
    return F.conv2d(down, kernel.view(1, 1, 1, -1), padding=(0, reach))[:, 0]


def _predicted(picture: Tensor, known: Tensor, how: ImpulseFill, number: int) -> Tensor:
    """Return the predictions of the missing values, (C, H, W), in pass `number`; what was measured as it is."""
    height, width = picture.shape[1:]
    grid = Grid(how.patch, how.patch, how.radius, how.group, how.patch // 2 * (number % 2)).fitted(height, width)
    x, k = grid.pad(picture), grid.pad(known)
    regional = number < how.regional
    share, floor = (REGIONAL * how.shrinkage, REGIONAL * how.floor) if regional else (how.shrinkage, how.floor)
    if x.is_cpu and not regional:
        return grid.crop(predicted(grid, x, 1 - k, (share, floor, how.sweeps)), height, width)
    return grid.crop(_by_tiles(grid, x, k, (share, floor, how.sweeps), regional), height, width)


def _by_tiles(grid: Grid, x: Tensor, k: Tensor, law: tuple[float, float, int], regional: bool) -> Tensor:
    """Return what `compiled_pass.predicted` does, on any device, and for groups of all patches of a tile."""
    share, floor, sweeps = law

    @torch.no_grad()  # does not reach into threads from outside
    def work(tile: Tile) -> tuple[Tensor, Tensor]:
        part, mask = x[tile.window], k[tile.window]
        if mask.all():  # nothing to predict
            return part, torch.ones_like(part)
        corners = _everywhere(part, grid.patch) if regional else similar(part, tile, grid)
        index = pixels(corners, grid.patch, part.shape[2])
        values, missing = _rows(part, index), 1 - _rows(mask, index)
        mean = values.mean(1, keepdim=True)
        inverse = _precision(values - mean, share, floor)
        trust = inverse.diagonal(dim1=-2, dim2=-1)[:, None].expand_as(values)
        answer = mean + _settled(values - mean, missing, inverse, sweeps)
        return _unrowed(answer * trust, index, part), _unrowed(trust, index, part)

    return averaged(work, grid, x)


def _everywhere(part: Tensor, patch: int) -> Tensor:
    """Return the corners of all patches, as one group (1, k)."""
    rows, columns = (torch.arange(size - patch + 1, device=part.device) for size in part.shape[1:])
    return (rows[:, None] * part.shape[2] + columns).view(1, -1)


def _rows(part: Tensor, index: Tensor) -> Tensor:
    """Return patches of all channels as rows: (C, h, w) by (B, k, n) gives (B, k, C n)."""
    return gather(part, index).permute(1, 2, 0, 3).flatten(2)


def _unrowed(values: Tensor, index: Tensor, part: Tensor) -> Tensor:
    """Add rows (B, k, C n) up where they came from: the adjoint of `_rows`."""
    split = values.unflatten(2, (part.shape[0], -1)).permute(2, 0, 1, 3)
    return scatter(split.contiguous(), index, part.shape)


def _precision(centred: Tensor, share: float, floor: float) -> Tensor:
    """Return L = (C + delta I)^-1, (B, d, d), of centred patches (B, k, d)."""
    covariance = centred.mT @ centred / centred.shape[1]
    diagonal = covariance.diagonal(dim1=-2, dim2=-1)
    diagonal += floor + share * diagonal.mean(-1, keepdim=True)
    return inverse_of(covariance)


def _settled(v: Tensor, missing: Tensor, inverse: Tensor, sweeps: int) -> Tensor:
    """Minimise v L v over the missing entries of the rows of `v` by preconditioned conjugate gradients."""
    scale = inverse.diagonal(dim1=-2, dim2=-1)[:, None]
    residual = -(v @ inverse) * missing
    step = residual / scale
    energy = (residual * step).sum(-1, keepdim=True)
    for _ in range(sweeps):
        image = step @ inverse
        length = energy / ((step * image).sum(-1, keepdim=True) + ENERGY)
        v = v + length * step
        residual = residual - length * image * missing
        scaled = residual / scale
        new = (residual * scaled).sum(-1, keepdim=True)
        step = scaled + new / (energy + ENERGY) * step
        energy = new
    return v
