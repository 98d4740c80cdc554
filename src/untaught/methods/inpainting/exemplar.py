"""Wide holes filled with what lies around them, copied pixel by pixel: texture that is plausible, and invented."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from scipy.ndimage import distance_transform_edt, label
from torch import Tensor
from torch.nn import functional as F

from untaught.method import Needs, Pass, Runs, answer
from untaught.methods.inpainting.fill import Fill
from untaught.methods.inpainting.shift_map import Level, copied, corners, doubled, grown, halved
from untaught.methods.inpainting.wide_holes import DEEP, wide_holes
from untaught.problem import Estimate, Problem, Window, around

FEWEST = 100  # known patches on the coarsest level
LEAST_TILE = 8  # pixels
FOR_GAPS = 0.6  # of the seconds; the rest is for wide holes
WHOLE = 0.9  # share of a tile that has to be known
SAMPLES = 16  # tiles below which nothing is said of a texture


@dataclass(frozen=True)
class Exemplar:
    """Every pixel of a wide hole is a copy of a known one around it, so that each patch resembles a known patch.

        min over maps phi of  sum over patches p that touch the hole of  || x_p - x_phi(p) ||^2,   x = x o phi

    coarse to fine. On the coarsest level, where the hole is two patches wide, it is filled patch by patch, first
    where edges run into it; then all its patches are searched for exactly and vote for its pixels, some times
    over. On finer levels patches take over a neighbour's shift where that fits better. It is the shifts that go on
    to the next level, not the colours: nothing is blurred on the way, and no patch is preferred for being smooth.
    Narrow gaps are filled by `Fill`.

    Attributes
    ----------
    deep : float
        Holes that reach this many pixels from anything measured are wide.
    patch : int
        Side of the patches; 7 in Newson et al.
    searches : int
        How often the patches of the coarsest level are searched for; ours.
    sweeps : int
        How often the patches of a level look among their neighbours' shifts; ours.
    context : float
        Pixels around a hole that are copied from, in depths of the hole; at least `least` of them. Ours: from
        farther away come patches that fit the hole but not the place.
    trust : float
        Weight of what is not known yet, when a patch is searched for. Ours.
    alike : float
        Share of the surroundings' variance that may be one of tiles, for `suited`. Ours.
    narrow : Fill
        What fills narrow gaps.
    last : int or None
        See `InPasses`.

    Notes
    -----
    Nothing is drawn by chance. The answer is to be looked at, not measured: nobody can know what was there, and of
    two plausible textures one is as far from the truth as the other. So there is no estimate of its error.

    References
    ----------
    Y. Wexler, E. Shechtman and M. Irani, "Space-time completion of video", IEEE TPAMI 29(3), 2007, the energy, the
    votes and the levels; A. Newson et al., "Video inpainting of complex scenes", SIAM J. Imaging Sciences 7(4),
    2014, shifts that go on to the next level; A. Criminisi, P. Perez and K. Toyama, "Region filling and object
    removal by exemplar-based image inpainting", IEEE TIP 13(9), 2004, edges first; M. Ashikhmin, "Synthesizing
    natural textures", I3D 2001, the neighbours' shifts. The numbers that are ours were set on brick, grass, gravel
    and coffee of scikit-image, and on `vase`.
    """

    deep: float = DEEP
    patch: int = 7
    searches: int = 6
    sweeps: int = 3
    context: float = 2.0
    least: int = 32
    trust: float = 0.01
    alike: float = 0.4
    narrow: Fill = Fill()  # noqa: RUF009
    last: int | None = None
    name: ClassVar[str] = "exemplar"
    needs: ClassVar[Needs] = Needs()
    runs: ClassVar[Runs] = Runs(invents=True)

    def solve(self, problem: Problem, seed: int = 0) -> Estimate:
        """Return the picture with its missing values filled in; `seed` is that of `Fill`."""
        return answer(self, problem, seed)

    def passes(self, problem: Problem, seed: int) -> Iterator[Pass]:
        """Yield the passes of `Fill`, and the picture after every wide hole."""
        wide = wide_holes(problem.mask, self.deep)
        holes, found = _parts(wide), Pass(Estimate(problem.initial()), 0, 0)
        for found in self.narrow.passes(problem, seed):
            yield replace(found, of=found.of + len(holes))
        image = found.estimate.image
        for number, hole in enumerate(holes, 1):
            image, window = image.clone(), self._near(hole)
            image[window] = self._copied(image[window], hole[window], wide[window])
            wide = wide - hole
            yield Pass(Estimate(image), found.of + number, found.of + len(holes))

    def within(self, problem: Problem, seconds: float) -> Exemplar:
        """Return the method with as many passes over narrow gaps as so many seconds are enough for."""
        return replace(self, narrow=self.narrow.within(problem, FOR_GAPS * seconds))

    def too_wide(self, problem: Problem) -> Tensor:
        """Return 1 in every wide hole that does not lie within a texture, (1, 1, H, W)."""
        return wide_holes(problem.mask, self.deep) - self.suited(problem)

    def suited(self, problem: Problem) -> Tensor:
        """Return 1 in every wide hole that lies within a texture, (1, 1, H, W): what is around it looks alike.

            var over tiles of the mean of a tile  <  alike * var over pixels

        in the surroundings that would be copied from, in squares as wide as the hole is deep.
        """
        wide = wide_holes(problem.mask, self.deep)
        found = torch.zeros_like(wide)
        for hole in _parts(wide):
            window = self._near(hole)
            known = 1 - wide[window]
            if _between(problem.y[window], known, _depth(hole[window])) < self.alike:
                found += hole
        return found

    def _near(self, hole: Tensor) -> Window:
        return around(hole, max(self.least, round(self.context * _depth(hole))))

    @torch.no_grad()
    def _copied(self, image: Tensor, hole: Tensor, wide: Tensor) -> Tensor:
        """Return (1, C, h, w) with one hole filled; other wide holes are not copied from."""
        levels = [(image[0].cpu(), wide[0, 0].cpu() > 0)]
        halvings = math.ceil(math.log2(max(_depth(hole) / self.patch, 1.0)))
        while len(levels) <= halvings:
            coarser = halved(*levels[-1])
            if not _enough(coarser[1], self.patch):
                break
            levels.append(coarser)
        if not _enough(levels[-1][1], self.patch):
            return image
        source = None
        for x, gone in reversed(levels):
            level = Level(gone, self.patch)
            if source is None:
                x, source = level.searched(grown(x, gone, self.patch, self.trust), self.searches)
            else:
                source = doubled(source, (x.shape[1], x.shape[2]))
                x = torch.where(gone, copied(x, source), x)
            x, source = level.propagated(x, source, self.sweeps)
        return torch.where(hole > 0, x[None].to(image), image)


def _parts(wide: Tensor) -> list[Tensor]:
    """Return the connected parts of what is marked, (1, 1, H, W) each."""
    parts, count = label(wide[0, 0].cpu().numpy() > 0, [[1] * 3] * 3)
    found = torch.from_numpy(parts).to(wide.device)
    return [(found == number).to(wide)[None, None] for number in range(1, count + 1)]


def _depth(hole: Tensor) -> float:
    return float(distance_transform_edt(hole[0, 0].cpu().numpy() > 0).max())


def _enough(hole: Tensor, patch: int) -> bool:
    """Say whether a level has patches to copy from."""
    return min(hole.shape) >= patch and int((~corners(hole, patch)).sum()) >= FEWEST


def _between(y: Tensor, known: Tensor, depth: float) -> float:
    """Return the variance of the means of tiles as a share of that of pixels; 1 where there are too few tiles."""
    side = max(LEAST_TILE, round(depth))
    if min(y.shape[2:]) < side:
        return 1.0
    share = F.avg_pool2d(known, side, 1)
    means = F.avg_pool2d(y * known, side, 1) / share.clamp_min(1e-9)
    tiles, values = means[0, :, share[0, 0] > WHOLE], y[0, :, known[0, 0] > 0]
    if tiles.shape[1] < SAMPLES:
        return 1.0
    return float(tiles.var(1).sum() / values.var(1).sum().clamp_min(1e-12))
