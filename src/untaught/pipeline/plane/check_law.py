"""A law of white noise held against what is left of a picture, by shade of brightness."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from untaught.image.grey_levels import step_of
from untaught.noise import NoiseModel
from untaught.pipeline.plane.refine_noise import KNEE, UNCLIPPED
from untaught.problem import Problem
from untaught.risk.doubt import Doubt, Shade
from untaught.risk.sure import Terms

BLOCK = 8  # pixels: side of the squares whose energies are compared
MARGIN = 2  # pixels at the edges, which the differences need
SHADES = 5  # of brightness, equally many blocks in each
FEWEST = 24  # blocks of a shade
# Share of a shade's blocks, those with the least energy in slow waves. Fast waves there were .9 to 1.03 of
# the law's on crops of BSD68 at level 25, and up to 1.7 at level 5, where texture was in all of them.
QUIET = 0.25
CHOSEN = 0.94  # fast energy of white noise in these blocks over that in all: the bands share a little
AT_END = 0.05  # share of a block's values at an end of the range from which on it shows no noise
STEPS = 2.0  # variance in squared grey steps from which on noise is near to normal
ERRORS = 4.0  # standard errors, and
OFF = 0.25  # relative difference of the variance, from which on a law does not fit
AGREES = 0.1  # by how much the whole residual has to be off, to the same side
FOLLOWED = 0.95  # divergence from which on the residual says nothing
# Fast over slow energy of the quiet blocks. 1.2 to 1.45 of white noise, for the slow waves chose them; below 1
# where texture outweighs it, .6 and less where a Gaussian of half a pixel or wider has blurred the noise.
WHITE = 1.0
SHARED = 0.75
# Below it what slow waves hold may be noise that neighbours share as well as texture: .04 to .4 of noise of level
# 10 and 25 that was blurred over .8 and 1.4 pixels, where it was taken for white and weak; of white noise .22 to
# .46 in 7 of 14 pictures at level 2, more in all others and at higher levels.
COARSE = 0.42
FAINT = 0.3  # slow energy of the quiet blocks over the law's, below which there may be less noise as well

Values = NDArray[np.float64]
Index = NDArray[np.intp]


def check_law(problem: Problem, answer: Tensor, terms: Terms, least: float = OFF) -> Doubt | None:
    """Hold the law of white noise against what is left of a picture; None where they agree or it cannot be told.

        k = E_B (h * y)^2 / E_B Var,    r = E (y - f)^2 / (Var (1 - 2 d + d^2 / (d + knee))),   d = div f

    with h the second difference down and across at unit norm, which hardly sees a picture, and B the blocks of a
    shade that have the least energy in waves half as fast. The law is off where k and the residual's r are off to
    the same side, k by more than `ERRORS` standard errors and `least`. Texture can only add to both: more noise
    than the law says is believed only where fast waves have as much energy as slow ones, as white noise has.

    Parameters
    ----------
    problem : Problem
        Whose noise is white, or shared by neighbours and given: see `_beside`.
    answer : Tensor
        The denoised picture, an estimate of E[y | x], (1, C, H, W).
    terms : Terms
        Its risk per pixel.
    least : float
        Relative difference of the variance, from which on a law does not fit.
    """
    noise = problem.noise
    if noise.replaces or noise.negligible or min(problem.y.shape[2:]) < BLOCK + 2 * MARGIN:
        return None
    if not noise.white:
        return _beside(problem, answer, terms) if noise.shared and not noise.relative_error else None
    blocks = _Blocks.of(problem, answer, terms)
    if blocks.count < FEWEST:
        blocks = _Blocks.of(problem, answer, terms, rounded=True)
        return None if blocks.count < FEWEST else _coarse(blocks.take(blocks.quiet(blocks.all)), noise)
    parts = np.array_split(np.argsort(blocks.brightness, kind="stable"), min(SHADES, blocks.count // FEWEST))
    quiet = [blocks.quiet(part) for part in parts]
    together = blocks.take(np.concatenate(quiet))
    if together.shared:
        faint = float(together.slow.sum() / together.variance.sum()) < FAINT
        return Doubt((together.shade(),), shared=True, faint=faint)
    everywhere = _told(blocks, together, noise, least)
    alike = all(blocks.take(few).shade().near(together.shade()) for few in quiet)
    shades = [
        _told(blocks.take(part), blocks.take(few), noise, least) for part, few in zip(parts, quiet, strict=True)
    ]
    if alike or all(shade.factor == 1 for shade in shades):
        shades = [everywhere]  # all of them tell what one does not
    return Doubt(tuple(shades)) if any(shade.factor != 1 for shade in shades) else _coarse(together, noise)


def _beside(problem: Problem, answer: Tensor, terms: Terms) -> Doubt | None:
    """Return the doubt about a law of noise that neighbours share, where there is white noise beside it.

        w = E_B (h * y)^2 / E_B Var - sum_l a(l) R(l)

    is the variance of that over the law's: R is the law's correlation at a lag, and a the autocorrelation of h. It
    is believed where fast waves have the energy of slow ones, as only white noise has.
    """
    blocks = _Blocks.of(problem, answer, terms)
    if blocks.count < FEWEST:
        return None
    quiet = blocks.take(blocks.quiet(blocks.all))
    shade, said = quiet.shade(), _fast_share(problem.noise)
    more = shade.factor - said
    if quiet.whiteness < WHITE or more < max(OFF, ERRORS * shade.error):
        return None
    return Doubt((shade,), beside=more * float(blocks.variance.mean()))


def _fast_share(noise: NoiseModel) -> float:
    """Return the share of the variance of noise that is left by the second difference."""
    line = np.convolve([1.0, -2.0, 1.0], [1.0, -2.0, 1.0])
    overlaps = np.outer(line, line) / 36
    lags = range(-2, 3)
    return math.fsum(overlaps[i + 2, j + 2] * noise.correlation((i, j)) for i in lags for j in lags)


def _coarse(quiet: _Blocks, noise: NoiseModel) -> Doubt | None:
    """Return the doubt about a law that was measured on fast waves, where slow ones hold far more."""
    if noise.relative_error <= 0 or quiet.whiteness >= COARSE:
        return None
    return Doubt((quiet.shade(),), coarse=True)


def _told(every: _Blocks, quiet: _Blocks, noise: NoiseModel, least: float) -> Shade:
    """Return what a shade tells by its quiet blocks, a factor of 1 where that is nothing new."""
    shade = quiet.shade()
    off, left = shade.factor - 1, every.residual()
    sure = abs(off) > max(least, ERRORS * math.hypot(shade.error, noise.relative_error))
    agrees = left is None or (left - 1) * math.copysign(1, off) > AGREES
    if sure and agrees and (off < 0 or quiet.whiteness > WHITE):
        return shade
    return Shade(shade.brightness, 1.0, shade.error)


@dataclass(frozen=True)
class _Blocks:
    """Means over blocks, each (N,): of the answer, Var, the squared residual, Var df/dy, and two bands of y."""

    brightness: Values
    variance: Values
    misfit: Values
    cross: Values
    fast: Values
    slow: Values

    @classmethod
    def of(cls, problem: Problem, answer: Tensor, terms: Terms, rounded: bool = False) -> _Blocks:
        """Return the blocks in which nothing is missing or cut off, of every channel.

        Noise that is not many grey levels strong is left out unless it may be `rounded`.
        """
        y = problem.y
        variance = problem.noise.variance_at_mean(answer)
        kept = _means(_usable(problem, answer, variance, rounded).expand_as(y)) > 1 - 1e-6
        kept &= _means(((y == y.amin()) | (y == y.amax())).to(y)) < AT_END
        maps = (answer, variance, (y - answer).square(), terms.cross, _band(y, 1), _band(y, 2))
        return cls(*(_means(each)[kept].double().cpu().numpy() for each in maps))

    @property
    def count(self) -> int:
        return len(self.brightness)

    @property
    def all(self) -> Index:
        return np.arange(self.count)

    def take(self, index: Index) -> _Blocks:
        return _Blocks(*(getattr(self, name)[index] for name in [entry.name for entry in fields(self)]))

    def quiet(self, part: Index) -> Index:
        """Return those of the blocks at `part` that have the least energy in slow waves."""
        order = np.argsort((self.slow / self.variance)[part], kind="stable")
        return np.asarray(part[order[: max(2, round(QUIET * len(part)))]])

    def shade(self) -> Shade:
        """Return the energy of fast waves over what the law says."""
        total = CHOSEN * float(self.variance.sum())
        factor = float(self.fast.sum()) / total
        error = float(np.sqrt(np.square(self.fast - CHOSEN * factor * self.variance).sum())) / total
        return Shade(float(self.brightness.mean()), max(factor, 1e-3), error)

    @property
    def whiteness(self) -> float:
        """The energy of fast waves over that of slow ones."""
        return float(self.fast.sum() / max(self.slow.sum(), 1e-20))

    @property
    def shared(self) -> bool:
        """Whether fast waves lack what slow ones have."""
        shade = self.shade()
        return self.whiteness < SHARED and 1 - shade.factor > max(OFF, ERRORS * shade.error)

    def residual(self) -> float | None:
        """Return the variance that the residual shows over the law's; None where it says nothing."""
        total = float(self.variance.sum())
        divergence = max(float(self.cross.sum()) / total, 0.0)
        if not self.cross.any() or divergence > FOLLOWED:
            return None
        risk = divergence**2 / (divergence + KNEE)
        return float(self.misfit.sum()) / total / (1 - 2 * divergence + risk)


def _usable(problem: Problem, answer: Tensor, variance: Tensor, rounded: bool) -> Tensor:
    """Return where values were measured, hardly any were cut off, and the law is near to normal, (1, C, H, W)."""
    noise = problem.noise
    before: Tensor = noise.std(noise.unclip(answer))
    step = 0.0 if rounded else grey_step(problem)
    few = (variance <= STEPS * step**2) | (variance <= 0)
    usable: Tensor = problem.mask * (variance > UNCLIPPED * before.square()) * ~few
    side = 2 * MARGIN + 1  # a difference reaches so far
    return 1 - F.max_pool2d(1 - usable, side, stride=1, padding=MARGIN)


def grey_step(problem: Problem) -> float:
    """Return the distance of the grey levels of what was measured; 0 where they are continuous."""
    return step_of(problem.y[problem.mask.expand_as(problem.y) > 0].cpu().numpy())


def _means(x: Tensor) -> Tensor:
    return F.avg_pool2d(x[..., MARGIN:-MARGIN, MARGIN:-MARGIN], BLOCK)


def _band(y: Tensor, step: int) -> Tensor:
    """Return squared second differences, down and across over `step` pixels; of white noise its variance."""
    line = y.new_tensor([1.0, -2.0, 1.0])
    kernel = (line[:, None] * line / 6).expand(y.shape[1], 1, 3, 3)
    return F.conv2d(y, kernel, padding=step, dilation=step, groups=y.shape[1]).square()
