"""Missing pixels filled in from similar patches, in closed form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from untaught.method import Needs, Pass, Runs, answer
from untaught.methods.inpainting.impulse_fill import ImpulseFill, fillings
from untaught.methods.inpainting.wide_holes import DEEP, wide_holes
from untaught.methods.non_local.multiscale import MultiScale
from untaught.methods.time_limit import MARGIN
from untaught.noise.opponent_colours import basis
from untaught.problem import Estimate, Problem

FOR_NOISE = 0.4  # of the seconds
PIXELS = ImpulseFill(patch=7, group=70, radius=14, regional=2, passes=6, shrinkage=0.003, floor=5e-6)
CHANNELS = ImpulseFill(patch=4, group=100, regional=3, passes=3, shrinkage=0.03, floor=2e-5)


@dataclass(frozen=True)
class Fill:
    """Every missing value is predicted from the others by Gaussian laws of groups of similar patches.

        v_m = E[v_m | v_o] = mu_m - L_mm^-1 L_mo (v_o - mu_o),   L = (C + delta I)^-1

    for every patch v of a group with mean mu and covariance C, o what was measured of it and m what is missing:
    the formula of `ImpulseFill`, in passes that each take the groups from the filling of the one before. Whole
    pixels that are missing ask for larger patches and more passes than single channels of a pixel, as behind a
    colour filter array, which the other channels tell much about. They are filled in opponent colours, one by one.

    Attributes
    ----------
    pixels : ImpulseFill
        For pixels that are missing as a whole.
    channels : ImpulseFill
        For pixels of which some channels are missing.
    denoiser : MultiScale or None
        What the filled picture is denoised by, where there is noise.
    last : int or None
        See `InPasses`.

    Notes
    -----
    What lies farther from anything measured
    than half a patch becomes smooth: for wide holes a network does better.

    References
    ----------
    See `ImpulseFill`. The numbers are ours, set on crops of five grey pictures and three of Kodak's.
    """

    pixels: ImpulseFill = PIXELS
    channels: ImpulseFill = CHANNELS
    denoiser: MultiScale | None = MultiScale()  # noqa: RUF009
    last: int | None = None
    runs: ClassVar[Runs] = Runs(compiled=True)
    name: ClassVar[str] = "fill"
    needs: ClassVar[Needs] = Needs()

    def solve(self, problem: Problem, seed: int = 0) -> Estimate:
        """Return the picture with its missing values filled in; `seed` is that of `MultiScale`'s probe."""
        return answer(self, problem, seed)

    def passes(self, problem: Problem, seed: int) -> Iterator[Pass]:
        """Yield the filling after every pass over all colours, and where there is noise, the denoised picture."""
        image, noisy = problem.y.detach(), self.denoiser is not None and _noisy(problem)
        how = getattr(self, self._used(problem))
        count = 0 if problem.complete else how.regional + how.passes
        if not problem.complete:
            for done, image in enumerate(_fillings(problem.y[0].detach(), problem.mask[0], how)):
                yield Pass(Estimate(image), done, count + noisy)
        if noisy and self.denoiser is not None:
            whole = _made_whole(problem, image)
            yield Pass(self.denoiser.solve(whole, seed), count + 1, count + 1)
        elif problem.complete:
            yield Pass(Estimate(image), 0, 0)

    def within(self, problem: Problem, seconds: float) -> Fill:
        """Return the method with as many passes, and what denoises, as so many seconds are enough for."""
        if _noisy(problem) and self.denoiser is not None:
            share = FOR_NOISE if not problem.complete else 1.0
            denoiser = self.denoiser.within(_made_whole(problem, problem.y.detach()), share * seconds)
            return replace(self, denoiser=denoiser)._in_passes(problem, (1 - share) * seconds)
        return self._in_passes(problem, seconds)

    def _in_passes(self, problem: Problem, seconds: float) -> Fill:
        if problem.complete:
            return self
        used, (y, mask) = self._used(problem), (problem.y[0].detach(), problem.mask[0])
        how: ImpulseFill = getattr(self, used)
        if used == "channels" or mask.shape[0] == len(y) == 1:
            cut = how.cut(y, mask.expand_as(y), MARGIN * seconds)
        else:
            cut = how.cut(y[:1], mask[:1], MARGIN * seconds, each=len(y))
        return replace(self, channels=cut) if used == "channels" else replace(self, pixels=cut)

    def _used(self, problem: Problem) -> str:
        """Return which of the settings are those for what is missing."""
        return "channels" if _differ(problem.mask) else "pixels"

    def too_wide(self, problem: Problem) -> Tensor:
        """Return 1 in every hole that similar patches do not fill, (1, 1, H, W)."""
        return wide_holes(problem.mask, DEEP)


def _noisy(problem: Problem) -> bool:
    return not problem.noise.replaces and problem.noise.level > 0


def _made_whole(problem: Problem, image: Tensor) -> Problem:
    return replace(problem, y=image, mask=torch.ones_like(problem.mask), pilot=None)


def _differ(mask: Tensor) -> bool:
    """Say whether pixels are measured in part."""
    return bool((mask != mask[:, :1]).any())


def _fillings(y: Tensor, mask: Tensor, how: ImpulseFill) -> Iterator[Tensor]:
    """Yield (1, C, H, W) after every pass: all channels together, or opponent colours one by one."""
    if mask.shape[0] > 1 and _differ(mask[None]):
        yield from (image[None] for image in fillings(y, mask, how))
        return
    colours = basis(y[None])
    planes = [fillings(plane[None], mask[:1], how) for plane in torch.einsum("oc,chw->ohw", colours, y)]
    for found in zip(*planes, strict=True):
        image = torch.einsum("oc,ohw->chw", colours, torch.cat(found))
        yield torch.where(mask > 0, y, image)[None]
