"""Non-local denoising: similar patches are denoised together by linear maps in closed form.

One picture, no fit. Groups of similar patches are gathered, every group gets the linear map of least
quadratic risk, and the overlapping answers are averaged. Three kinds of map are known here; a run is
a sequence of stages, each of which takes the answer of the one before as its pilot.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch
from torch import Tensor

from untaught.errors import InputError
from untaught.method import Needs, Runs
from untaught.methods.noise_variance import smoothed, variance_at
from untaught.methods.non_local.block_matching import Grid
from untaught.methods.non_local.compiled_pass import Pictures, filtered
from untaught.methods.non_local.cuda_pass import filtered as on_cuda
from untaught.methods.non_local.noise_covariance import Covariance, covariance_of
from untaught.noise.opponent_colours import basis
from untaught.problem import Estimate, Problem

VarianceOf = Callable[[Tensor], Tensor]

TINY = 1e-12  # least variance, far below that of 16-bit steps: keeps divisions finite


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
    share : float
        Of this stage in the answer; the rest is its pilot.
    """

    kind: Literal["sure", "ridge", "wiener"]
    patch: int
    group: int
    step: int = 4
    radius: int = 18
    share: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in ("sure", "ridge", "wiener"):
            raise InputError(f"There is no stage {self.kind!r}; take sure, ridge or wiener.")
        if not 1 <= self.step <= self.patch or self.group < 1 or self.radius < 1:
            raise InputError(
                f"{self} leaves pixels out; take a step from 1 to patch, and a group and a radius of at least 1."
            )
        if not 0 < self.share <= 1:
            raise InputError(f"{self} has no use; take a share above 0 and at most 1.")


# Herbreteau and Kervrann 2022, the values for sigma from 15 to 35 of 255.
NL_RIDGE = (Stage("sure", 9, 18), Stage("ridge", 9, 90))
# Tuned on crops of four pictures of scikit-image at sigma 10, 25 and 50, and held against crops of Kodak. Smaller
# groups suit texture and larger ones (96) large smooth areas at sigma 50; these are between. Sixteen patches fill
# a vector of the processor. In the second the references lie closer and more is searched.
STANDARD = (
    Stage("sure", 9, 16, step=6, radius=14),
    Stage("wiener", 5, 64, step=5, radius=20),
    Stage("wiener", 8, 64, step=8, radius=16, share=0.8),
    Stage("ridge", 8, 64, step=8, radius=14, share=0.4),
)
# The same where neighbours share the noise: on retinal scans .3 dB better than the small patches of `STANDARD`.
WIDE = (
    Stage("sure", 11, 18, step=6, radius=14),
    Stage("wiener", 5, 64, step=5, radius=20),
    Stage("wiener", 8, 64, step=8, radius=20, share=0.8),
    Stage("ridge", 7, 48, step=7, radius=18, share=0.5),
)
# On the same crops .14 dB below the first three of `STANDARD`, in two thirds of their time.
QUICK = (Stage("sure", 9, 16, step=6, radius=10), Stage("wiener", 6, 64, step=6, radius=14))
# For little time: references side by side and a short search, in a tenth of the time of `QUICK`.
HURRIED = (Stage("sure", 9, 16, step=9, radius=4),)
THOROUGH = (
    Stage("sure", 9, 16, step=6, radius=14),
    Stage("wiener", 5, 48, step=4, radius=28),
    Stage("wiener", 5, 48, step=4, radius=28, share=0.5),
    Stage("wiener", 8, 64, step=5, radius=28, share=0.8),
    Stage("ridge", 6, 64, step=5, radius=28, share=0.5),
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
    passes of "wiener", the second step of NL-Bayes with a pilot, and takes the mean with a last "ridge",
    whose errors are a little different.

    Attributes
    ----------
    stages : tuple of Stage
        What is done in turn. `QUICK` is quicker, `THOROUGH` better and slower.

    Notes
    -----
    Three channels are denoised in opponent colours, by "wiener" in those in which the group's own pilot is
    uncorrelated (on four crops of 256 x 256 pixels at sigma 25 over several scales 0.02 to 0.18 dB better);
    groups are found on all channels together, every channel scaled by its noise. Of a colour that holds next to no
    structure in the pilot of a group (`kernels.wiener.SILENT`) only the mean is kept. A variance that depends on
    the signal is taken from the latest pilot before every stage. The answer estimates E[y | x], not x, where the
    noise was clipped.

    References
    ----------
    S. Herbreteau and C. Kervrann, "Towards a unified view of unsupervised non-local methods for
    image denoising: the NL-Ridge approach", ICIP 2022, arXiv:2203.00570; "A unified framework of
    non-local parametric methods for image denoising", arXiv:2402.13816. M. Lebrun, A. Buades and
    J.-M. Morel, "A nonlocal Bayesian image denoising algorithm", SIAM J. Imaging Sciences 6(3), 2013.
    """

    runs: ClassVar[Runs] = Runs(tweedie=(0.2, 0.6), compiled=True)
    name: ClassVar[str] = "nonlocal"
    needs: ClassVar[Needs] = Needs(level=True, complete=True)  # distant patches do not share noise

    stages: tuple[Stage, ...] = STANDARD

    def __post_init__(self) -> None:
        _check(self.stages)

    def solve(self, problem: Problem, seed: int = 0) -> Estimate:
        """Return the estimate of `problem`; nothing is drawn, so `seed` changes nothing."""

        def variance_of(pilot: Tensor) -> Tensor:
            return variance_at(problem, pilot)

        shared = covariance_of(problem)
        return Estimate(_run(problem.y, variance_of, self.stages, problem.pilot, covariance=shared))


def denoise_nonlocal(
    y: Tensor,
    variance: float | Tensor,
    stages: tuple[Stage, ...] = STANDARD,
    pilot: Tensor | None = None,
    covariance: Covariance | None = None,
) -> Tensor:
    """Denoise one picture with a known variance; what `NonLocal` does, for other methods.

    Parameters
    ----------
    y : Tensor
        Noisy picture, float32 (1, C, H, W), any size, values of order 1.
    variance : float or Tensor
        Variance of the noise: one number, or a map (1, 1, H, W) or (1, C, H, W).
    stages : tuple of Stage
        What is done in turn.
    pilot : Tensor, optional
        An earlier estimate, of the shape of `y`, that the first stage is guided by; it need not be a "sure" one.
    covariance : Covariance, optional
        What neighbouring pixels share of the noise; white noise without.

    Returns
    -------
    Tensor
        Estimate of the mean of `y`, float32, shape of `y`, detached; not clipped to any range.

    Raises
    ------
    InputError
        If `y` is not one picture, or there is no pilot and the stages do not start with a "sure" one.
    """
    constant = torch.as_tensor(variance, dtype=y.dtype, device=y.device).expand(y.shape)
    return _run(y, lambda _: constant, stages, pilot=pilot, covariance=covariance)


def _check(stages: tuple[Stage, ...]) -> None:
    if not stages or stages[0].kind != "sure":
        raise InputError("The stages have to start with a 'sure' one: the others need a pilot.")


@torch.no_grad()
def _run(
    y: Tensor,
    variance_of: VarianceOf,
    stages: tuple[Stage, ...],
    guess: Tensor | None = None,
    pilot: Tensor | None = None,
    covariance: Covariance | None = None,
) -> Tensor:
    if y.ndim != 4 or y.shape[0] != 1 or y.numel() == 0:
        raise InputError(f"Give one picture of shape (1, C, H, W), not {tuple(y.shape)}.")
    if pilot is None:
        _check(stages)
    else:
        guess = pilot
    y = y.detach()
    own = basis(y)
    colours, back = (own, own.T) if covariance is None else covariance.colours(own)
    noisy = torch.einsum("oc,chw->ohw", colours, y[0])
    current = smoothed(y) if guess is None else guess.detach()
    pilot = None if pilot is None else torch.einsum("oc,chw->ohw", colours, pilot[0])
    for number, stage in enumerate(stages):
        variance = variance_of(current)[0].clamp_min(TINY)
        if (variance == variance[:, :1, :1]).all():
            variance = variance[:, :1, :1]
        if covariance is None:
            variance = torch.einsum("oc,chw->ohw", colours.square(), variance)
        else:
            variance = variance.mean(0, keepdim=True) * covariance.evened
        shift = stage.step // 2 * (number % 2)  # so that block edges of two stages do not coincide
        found = _pass(noisy, (variance, covariance), pilot, stage, shift)
        pilot = found if pilot is None else torch.lerp(pilot, found, stage.share)
        current = torch.einsum("co,ohw->chw", back, pilot)[None]
    return current


def _pass(
    noisy: Tensor, law: tuple[Tensor, Covariance | None], pilot: Tensor | None, stage: Stage, shift: int
) -> Tensor:
    """Run one stage over a (C, H, W) picture in decorrelated colours.

    `law` is the variance, (C, H, W) or (C, 1, 1), and what neighbours share of it.
    """
    variance, covariance = law
    height, width = noisy.shape[1:]
    grid = Grid(stage.patch, stage.step, stage.radius, stage.group, shift).fitted(height, width)
    if stage.kind == "sure":  # Y Y^T has to be well conditioned: far fewer patches than pixels
        grid = replace(grid, group=min(grid.group, -(-(grid.patch**2) // 4)))
    scale = variance.mean()
    unit = scale.sqrt()
    y, v = grid.pad(noisy) / unit, variance / scale
    v = v if v.shape[1:] == (1, 1) else grid.pad(v)
    x = None if pilot is None else grid.pad(pilot) / unit
    guide = (y if x is None else x) / v.mean((1, 2), keepdim=True).sqrt()
    pictures = Pictures(y, x, v, guide, covariance)
    answer = filtered(stage.kind, grid, pictures) if y.is_cpu else on_cuda(stage.kind, grid, pictures)
    return grid.crop(answer * unit, height, width)
