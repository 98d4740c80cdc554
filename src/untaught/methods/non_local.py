"""Non-local denoising: similar patches are denoised together by linear maps in closed form.

One picture, no fit. Groups of similar patches are gathered, every group gets the linear map of least
quadratic risk, and the overlapping answers are averaged. Three kinds of map are known here; a run is
a sequence of stages, each of which takes the answer of the one before as its pilot.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from untaught.errors import InputError
from untaught.methods.base import Estimate, Needs, Problem
from untaught.methods.colours import basis, smoothed, variance_at
from untaught.methods.patches import Grid, gather, scatter, similar, table, tiles

VarianceOf = Callable[[Tensor], Tensor]

TINY = 1e-12  # least variance, far below that of 16-bit steps: keeps divisions finite
ROUNDING = 3e-6  # of a Gram matrix's mean diagonal: keeps float32 factorisations positive
SURE_SLACK = 0.01  # of the noise added to the Gram matrix of step one, against near-singular groups


@dataclass(frozen=True)
class Stage:
    """One pass over the picture.

    Attributes
    ----------
    kind : {"sure", "ridge", "wiener"}
        Which map: see `NonLocal`. The first stage must be "sure", it alone needs no pilot.
    patch : int
        Side of the patches, in pixels.
    group : int
        Patches in a group.
    step : int
        Distance of neighbouring reference patches, at most `patch`.
    radius : int
        Similar patches are looked for at offsets up to this, in pixels.
    """

    kind: Literal["sure", "ridge", "wiener"]
    patch: int
    group: int
    step: int = 4
    radius: int = 18

    def __post_init__(self) -> None:
        if self.kind not in ("sure", "ridge", "wiener"):
            raise InputError(f"There is no stage {self.kind!r}; take sure, ridge or wiener.")
        if not 1 <= self.step <= self.patch or self.group < 1 or self.radius < 1:
            raise InputError(
                f"{self} leaves pixels out; take a step from 1 to patch, and a group and a radius of at least 1."
            )


# Herbreteau and Kervrann 2022, the values for sigma from 15 to 35 of 255.
NL_RIDGE = (Stage("sure", 9, 18), Stage("ridge", 9, 90))
# Tuned on Kodak crops at sigma 10, 25 and 50; the first two alone take half the time and, at 25, lose
# 0.15 dB.
BEST = (
    Stage("sure", 11, 18, step=5, radius=14),
    Stage("wiener", 5, 64, step=5, radius=14),
    Stage("wiener", 8, 64, step=5, radius=14),
)


@dataclass(frozen=True)
class NonLocal:
    """Linear estimates of groups of similar patches, in closed form.

    With Y the k patches of a group as rows of n pixels, X their pilot and V = diag(v) the noise
    energy of every patch (v = n sigma^2 for white noise):

    - "sure": X^ = (I - V (Y Y^T)^-1) Y, the combination of patches that minimises Stein's unbiased
      risk estimate;
    - "ridge": X^ = X X^T (X X^T + V)^-1 Y, the combination of least risk if the pilot were true;
    - "wiener": X^ = m + (Y - m) (C + S)^-1 C, with m the mean patch of Y, C the pilot's covariance of
      pixels and S = diag(variance of every pixel): the linear map of pixels of least risk.

    "sure" followed by "ridge" is NL-Ridge (`stages=NL_RIDGE`); the default follows "sure" by two
    passes of "wiener", the second step of NL-Bayes with a pilot, which measured better and faster.

    Attributes
    ----------
    stages : tuple of Stage
        What is done in turn. `BEST[:2]` is quicker.

    Notes
    -----
    Three channels are denoised in opponent colours; groups are found on all channels together, every
    channel scaled by its noise. A variance that depends on the signal is taken from the latest pilot
    before every stage. The answer estimates E[y | x], not x, where the noise was clipped.

    References
    ----------
    S. Herbreteau and C. Kervrann, "Towards a unified view of unsupervised non-local methods for
    image denoising: the NL-Ridge approach", ICIP 2022, arXiv:2203.00570; "A unified framework of
    non-local parametric methods for image denoising", arXiv:2402.13816. M. Lebrun, A. Buades and
    J.-M. Morel, "A nonlocal Bayesian image denoising algorithm", SIAM J. Imaging Sciences 6(3), 2013.
    """

    shrinkage_error: ClassVar[float] = 0.2  # of Tweedie's formula, see risk.estimate_risk
    name: ClassVar[str] = "nonlocal"
    needs: ClassVar[Needs] = Needs(level=True, complete=True)  # distant patches do not share noise

    stages: tuple[Stage, ...] = BEST

    def __post_init__(self) -> None:
        _check(self.stages)

    def solve(self, problem: Problem, seed: int = 0) -> Estimate:
        """Return the estimate of `problem`; nothing is drawn, so `seed` changes nothing."""

        def variance_of(pilot: Tensor) -> Tensor:
            return variance_at(problem, pilot)

        return Estimate(_run(problem.y, variance_of, self.stages, problem.pilot))


def denoise_nonlocal(y: Tensor, variance: float | Tensor, stages: tuple[Stage, ...] = BEST) -> Tensor:
    """Denoise one picture with a known variance; what `NonLocal` does, for other methods.

    Parameters
    ----------
    y : Tensor
        Noisy picture, float32 (1, C, H, W), any size, values of order 1.
    variance : float or Tensor
        Variance of the noise: one number, or a map (1, 1, H, W) or (1, C, H, W).
    stages : tuple of Stage
        What is done in turn.

    Returns
    -------
    Tensor
        Estimate of the mean of `y`, float32, shape of `y`, detached; not clipped to any range.

    Raises
    ------
    InputError
        If `y` is not one picture, or the stages do not start with a "sure" one.
    """
    constant = torch.as_tensor(variance, dtype=y.dtype, device=y.device).expand(y.shape)
    return _run(y, lambda _: constant, stages)


def _check(stages: tuple[Stage, ...]) -> None:
    if not stages or stages[0].kind != "sure":
        raise InputError("The stages have to start with a 'sure' one: the others need a pilot.")


@torch.no_grad()
def _run(y: Tensor, variance_of: VarianceOf, stages: tuple[Stage, ...], guess: Tensor | None = None) -> Tensor:
    if y.ndim != 4 or y.shape[0] != 1 or y.numel() == 0:
        raise InputError(f"Give one picture of shape (1, C, H, W), not {tuple(y.shape)}.")
    _check(stages)
    y = y.detach()
    colours = basis(y)
    noisy = torch.einsum("oc,chw->ohw", colours, y[0])
    current = smoothed(y) if guess is None else guess.detach()
    pilot: Tensor | None = None
    for number, stage in enumerate(stages):
        variance = variance_of(current)[0].clamp_min(TINY)
        variance = torch.einsum("oc,chw->ohw", colours.square(), variance)
        shift = stage.step // 2 * (number % 2)  # so that block edges of two stages do not coincide
        pilot = _pass(noisy, variance, pilot, stage, shift)
        current = torch.einsum("oc,ohw->chw", colours, pilot)[None]
    return current


def _pass(noisy: Tensor, variance: Tensor, pilot: Tensor | None, stage: Stage, shift: int) -> Tensor:
    """Run one stage over a (C, H, W) picture in decorrelated colours."""
    height, width = noisy.shape[1:]
    grid = Grid(stage.patch, stage.step, stage.radius, stage.group, shift).fitted(height, width)
    if stage.kind == "sure":  # Y Y^T has to be well conditioned: far fewer patches than pixels
        grid = Grid(grid.patch, grid.step, grid.radius, min(grid.group, -(-(grid.patch**2) // 4)))
    scale = variance.mean()
    y, v = grid.pad(noisy), grid.pad(variance / scale)
    x = y if pilot is None else grid.pad(pilot)
    guide = x / v.mean((1, 2), keepdim=True).sqrt()
    total, weight = torch.zeros_like(y), torch.zeros_like(y)
    estimate = _wiener if stage.kind == "wiener" else _combination
    for tile in tiles(grid, *y.shape):
        part, shape = tile.window, y[tile.window].shape
        index = similar(guide[part], tile, grid)
        rows = table(y[part], grid.patch)
        group = gather(rows, index)
        known = None if stage.kind == "sure" else gather(table(x[part], grid.patch), index)
        answer, trust = estimate(group, known, _noise(v[part], index, grid, stage.kind), scale)
        total[part] += scatter(answer * trust, index, shape, grid.patch)
        weight[part] += scatter(trust.expand_as(answer), index, shape, grid.patch)
    return grid.crop(total / weight, height, width)


def _noise(variance: Tensor, index: Tensor, grid: Grid, kind: str) -> Tensor:
    """Noise of the groups: by pixel of the patch (C, B, n) for "wiener", else by patch (C, B, k)."""
    rows = table(variance, grid.patch)
    if kind == "wiener":
        return torch.stack([F.embedding_bag(index, channel, mode="mean") for channel in rows])
    return rows.sum(2)[:, index]


def _inverse(matrix: Tensor, noise: Tensor) -> Tensor:
    """Return (matrix + diag(noise))^-1 of positive semi-definite matrices, safe in float32."""
    diagonal = matrix.diagonal(dim1=-2, dim2=-1)
    diagonal += noise + ROUNDING * diagonal.mean(-1, keepdim=True) + TINY
    return torch.cholesky_inverse(torch.linalg.cholesky_ex(matrix).L)


def _complement(inverse: Tensor, noise: Tensor) -> Tensor:
    """Return I - diag(noise) inverse, in place."""
    inverse *= -noise[..., None]
    inverse.diagonal(dim1=-2, dim2=-1).add_(1)
    return inverse


def _combination(group: Tensor, pilot: Tensor | None, noise: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """Combine the patches (C, B, k, n) of a group; noise energies (C, B, k) in units of `scale`."""
    known = group if pilot is None else pilot
    gram = known @ known.mT / scale
    inverse = _inverse(gram, noise * (SURE_SLACK if pilot is None else 1.0))
    combine = _complement(inverse, noise)
    left = (combine.square() @ noise[..., None]) / group.shape[-1]  # variance that is left
    return combine @ group, 1 / left.clamp_min(1e-4)


def _wiener(group: Tensor, pilot: Tensor | None, noise: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """Filter the pixels of a group (C, B, k, n); noise variances (C, B, n) in units of `scale`."""
    assert pilot is not None
    centred = pilot - pilot.mean(-2, keepdim=True)
    covariance = centred.mT @ centred / (group.shape[-2] * scale)
    mix = _complement(_inverse(covariance, noise), noise)
    mean = group.mean(-2, keepdim=True)
    left = mix.square() @ noise[..., None]  # variance that is left
    return mean + (group - mean) @ mix.mT, 1 / (left.mT + 0.01)
