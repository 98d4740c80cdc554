"""The non-local picture at several resolutions, joined band by band with weights of least estimated risk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar

from torch import Tensor
from torch.nn import functional as F

from untaught.method import Along, Needs, Runs
from untaught.methods.noise_variance import variance_at
from untaught.methods.non_local.dct_pyramid import bands, enlarged, halved
from untaught.methods.non_local.noise_covariance import Covariance, covariance_of
from untaught.methods.non_local.single_scale import (
    HURRIED,
    QUICK,
    STANDARD,
    THOROUGH,
    WIDE,
    NonLocal,
    Stage,
    denoise_nonlocal,
)
from untaught.methods.time_limit import RUNS, first_that_fits, make_ready, seconds_for_all
from untaught.noise import NoiseModel
from untaught.problem import Estimate, Problem
from untaught.risk.sure import divergence_draws
from untaught.risk.sure_let import Part, differences, mixed, weights

SAMPLES = 8 * 96**2  # pixels that a sampled error is told on, at most
EDGES = (1 / 8, 1 / 4, 1 / 2)  # of the bands the half resolution may take over; half of that a scale further down


@dataclass(frozen=True)
class MultiScale:
    """Linear estimates of groups of similar patches (`NonLocal`), at several resolutions.

        f = f_0 + sum_{s, b} c_sb band_b(up(f_s) - f_0),   f_s = NonLocal of y at 1/2^s of the resolution

    with the weights c of least risk by Stein's formula (`sure_let`). A patch is too small to see slow noise, which
    stays in flat parts; at half the resolution it is fast noise, of half the level. How much of each band comes
    from below depends on the picture: on Kodak crops at sigma 25 the gain is 0.03 dB on texture and 0.4 dB on
    flat ones.

    Attributes
    ----------
    stages : tuple of Stage
        What `NonLocal` does at every scale; see `below` for what of that is left out.
    scales : int
        How many, the full one included; 1 is `NonLocal` alone.
    least : int
        The shorter side of the smallest scale, in pixels, at least.

    References
    ----------
    Facciolo, Pierazzo and Morel, "Conservative scale recomposition for multiscale denoising (the devil is in the
    high frequency detail)", SIAM J. Imaging Sciences 10(3), 2017, who join scales at a fixed frequency; see
    `NonLocal` for the rest.
    """

    stages: tuple[Stage, ...] = STANDARD
    scales: int = 3
    least: int = 64
    # Over Tweedie's formula the error of planes together was exp(-.35) to exp(.7) on films made of pictures of
    # scikit-image, of 64 to 144 pixels and at two levels; with the curve, exp(-.5) to exp(.1) on volumes.
    runs: ClassVar[Runs] = Runs(
        tweedie=(0.2, 0.6),
        compiled=True,
        together=("time", "depth"),
        tweedie_time=(0.4, 1.0, 0.024, 1.2),
        tweedie_depth=(0.4, 0.3, 0.04, 0.85),
    )
    name: ClassVar[str] = "nonlocal"
    needs: ClassVar[Needs] = Needs(level=True, complete=True)  # distant patches do not share noise
    whole_below: ClassVar[bool] = False  # whether no stage is left out at the lower scales
    in_one_pass: ClassVar[bool] = False  # whether planes together are to take little more time than alone

    def full(self, noise: NoiseModel) -> tuple[Stage, ...]:
        """Return what is done at the full scale: `stages`, or `WIDE` for `STANDARD` where noise is shared."""
        return WIDE if noise.shared and self.stages == STANDARD else self.stages

    def below(self, noise: NoiseModel) -> tuple[Stage, ...]:
        """Return what is done at the scales below the full one.

        White Gaussian noise needs no "ridge" there that follows "wiener": on Kodak crops at sigma 10, 25 and 50 it
        gained less than .006 dB. Where the noise differs from pixel to pixel it gains .2 dB and more.
        """
        stages = self.full(noise)
        spared = noise.white and noise.uniform and [s.kind for s in stages[-2:]] == ["wiener", "ridge"]
        return stages[:-1] if spared and not self.whole_below else stages

    def within(self, problem: Problem, seconds: float) -> MultiScale | None:
        """Return the method, or the first of those that take less, that ends in so many seconds; or None."""
        make_ready(self._run(problem), problem.y)
        return first_that_fits(self._rungs(problem, seconds), seconds)

    def quicker(self) -> tuple[MultiScale, ...]:
        """Return what takes less time, step by step."""
        return Quick(), *Quick().quicker()

    def _rungs(self, problem: Problem, seconds: float) -> Iterator[tuple[MultiScale, float]]:
        """Yield methods from this one down, and about how long each takes with its error."""
        pixels = problem.y[0, 0].numel()
        for method in (self, *self.quicker()):
            runs = RUNS * sum(4.0**-scale for scale in range(method._fitting(problem.y)))
            if method.runs.sampled:
                runs = min(runs, 1 + SAMPLES / pixels)
            yield method, runs * seconds_for_all(method._run(problem), problem.y, seconds / runs)

    def _run(self, problem: Problem) -> Callable[[Tensor], object]:
        """Return what is done at the full scale, with the corner of a picture."""
        variance, shared = variance_at(problem, problem.y), covariance_of(problem)
        variance, stages = variance.expand_as(problem.y), self.full(problem.noise)

        def run(part: Tensor) -> Tensor:
            height, width = part.shape[2:]
            return denoise_nonlocal(part, variance[..., :height, :width], stages, covariance=shared).cpu()

        return run

    def solve(self, problem: Problem, seed: int = 0) -> Estimate:
        """Return the estimate of `problem`; the weights depend on a probe drawn from `seed`, very little."""
        pictures = self.pictures(problem)
        first = pictures[0]
        if len(pictures) == 1:
            return Estimate(
                first,
                function=lambda y: self.pictures(problem.with_y(y))[0],
                repilot=lambda y, variance: self.guide(problem, y, variance),
            )
        draws = divergence_draws(problem, first, seed)
        moved = [self.pictures(problem.with_y(draw.yhat)) for draw in draws]
        parts = [
            Part(
                picture,
                tuple(replace(d, p=picture).response(m[s], len(draws)) for d, m in zip(draws, moved, strict=True)),
            )
            for s, picture in enumerate(pictures)
        ]
        return self._joined(problem, parts)

    def solve_together(self, problems: Sequence[Problem], along: Along, seed: int = 0) -> list[Estimate]:
        """Return the estimates of planes that help each other; see `method.Together`, and `stacks`."""
        from untaught.methods.non_local.stacks import solve_together

        return solve_together(self, problems, along, seed)

    def solve_grid(self, problems: Sequence[Problem], length: int, seed: int = 0) -> list[Estimate]:
        """Return the estimates of volumes that follow each other; see `method.OnGrid`, and `stacks`."""
        from untaught.methods.non_local.stacks import solve_grid

        return solve_grid(self, problems, length, seed)

    def guide(self, problem: Problem, y: Tensor, variance: Tensor) -> Tensor:
        """Return a quick estimate of another observation of a plane, at its full resolution alone."""
        return denoise_nonlocal(y, variance, self.full(problem.noise), covariance=covariance_of(problem))

    def split(self, scale: int) -> Callable[[Tensor], list[Tensor]]:
        """Return what splits pictures (F, C, H, W) into the bands that the scale below `scale` may take over."""
        return _split(scale)

    def _joined(self, problem: Problem, parts: Sequence[Part]) -> Estimate:
        found: list[Part] = []
        for scale, part in enumerate(parts[1:]):
            found += differences(part, parts[0], _split(scale))
        chosen = weights(parts[0], found, problem.y, problem.mask)
        answer = mixed(parts[0], found, chosen)

        def function(y: Tensor) -> Tensor:
            return _combined(self.pictures(problem.with_y(y)), chosen)

        shared = covariance_of(problem)

        def guide(y: Tensor, variance: Tensor) -> Tensor:
            first = denoise_nonlocal(y, variance, self.full(problem.noise), covariance=shared)
            return _combined(self._lower(y, first, (variance, shared), problem.noise), chosen)

        return Estimate(answer.image, function=function, repilot=guide, responses=answer.responses)

    def _fitting(self, y: Tensor) -> int:
        """Return how many scales the picture has room for."""
        return next((s for s in range(self.scales, 1, -1) if min(y.shape[2:]) >= self.least * 2 ** (s - 1)), 1)

    def pictures(self, problem: Problem) -> list[Tensor]:
        """Return the pictures of every scale at full size."""
        first = NonLocal(self.full(problem.noise)).solve(problem).image
        return self._lower(problem.y, first, (variance_at(problem, first), covariance_of(problem)), problem.noise)

    def _lower(
        self, y: Tensor, first: Tensor, law: tuple[Tensor, Covariance | None], noise: NoiseModel
    ) -> list[Tensor]:
        """Return `first`, the picture of the full scale, and those of the scales below it at its size.

        `law` is the variance at every pixel and what neighbours share of the noise.
        """
        found, size, stages = [first], y.shape[2:], self.below(noise)
        variance, covariance = law
        for share in _shares(y, self._fitting(y)):
            y = halved(y)
            # Of shared noise more than the share of white noise stays: `Covariance.halved` keeps count of that.
            kept = share if covariance is None else 1.0
            variance = kept * F.avg_pool2d(variance, 2, ceil_mode=True, count_include_pad=False)
            covariance = None if covariance is None else covariance.halved()
            found.append(enlarged(denoise_nonlocal(y, variance, stages, covariance=covariance), size))
        return found


def _shares(y: Tensor, count: int) -> list[float]:
    """Return how much of its variance white noise keeps in every halving: a quarter."""
    sizes = [tuple(-(-side // 2**s) for side in y.shape[2:]) for s in range(count)]
    return [b[0] * b[1] / (a[0] * a[1]) for a, b in pairwise(sizes)]


def _combined(pictures: Sequence[Tensor], chosen: Sequence[float]) -> Tensor:
    """Join the pictures of all scales with weights found before."""
    answer = pictures[0].clone()
    rest = iter(chosen)
    for scale, picture in enumerate(pictures[1:]):
        for band in _split(scale)(picture - pictures[0]):
            answer += next(rest) * band
    return answer


def _split(scale: int) -> Callable[[Tensor], list[Tensor]]:
    """Return what splits a picture into the bands that the scale below `scale` may take over."""
    return lambda x: bands(x, [edge / 2**scale for edge in EDGES])


@dataclass(frozen=True)
class Thorough(MultiScale):
    """`MultiScale` with the stages `THOROUGH`, in two and a half times its time.

    On crops of 256 x 256 pixels at sigma 25 it is 0.01 (kodim04), 0.14 (kodim05), 0.09 (coffee) and 0.09 dB
    (astronaut) better.
    """

    stages: tuple[Stage, ...] = THOROUGH
    name: ClassVar[str] = "nonlocal-thorough"
    whole_below: ClassVar[bool] = True  # .03 dB on smooth pictures
    # Both look for similar patches in the same noise, which Stein's formula does not see, and the weights of a
    # mixture would feed on that. On Kodak crops mixtures of the two lost up to 0.8 of mean squared error (of 60)
    # where they promised to gain as much.
    runs: ClassVar[Runs] = Runs(replaces=MultiScale.name, tweedie=MultiScale.runs.tweedie, compiled=True)

    def quicker(self) -> tuple[MultiScale, ...]:
        """See `MultiScale`."""
        return MultiScale(), *MultiScale().quicker()


@dataclass(frozen=True)
class Quick(MultiScale):
    """`NonLocal` at the full resolution alone and in two stages, in a fourth of the time of `MultiScale`.

    Its error is measured on parts of the picture, so that the answer does not have to be made a second time.
    Planes that help each other are followed, or taken as a volume, once.
    """

    stages: tuple[Stage, ...] = QUICK
    scales: int = 1
    name: ClassVar[str] = "nonlocal-quick"
    runs: ClassVar[Runs] = Runs(
        tweedie=(0.3, 0.6),
        compiled=True,
        sampled=True,
        together=("time", "depth"),
        tweedie_time=MultiScale.runs.tweedie_time,
        tweedie_depth=MultiScale.runs.tweedie_depth,
        held=240,  # measured as 185 over time
    )
    in_one_pass: ClassVar[bool] = True

    def quicker(self) -> tuple[MultiScale, ...]:
        """See `MultiScale`."""
        return () if self.stages == HURRIED else (replace(self, stages=HURRIED),)
