"""How the variance of the noise depends on brightness, from one picture."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.noise.estimation.clipping import COARSE, clipping
from untaught.noise.estimation.counts import COUNTED_ERROR
from untaught.noise.estimation.curve_fit import least_squares, misfit_of, smoothed
from untaught.noise.estimation.dct_patches import (
    Flags,
    Floats,
    Patches,
    collect,
)
from untaught.noise.estimation.shade_points import points_of
from untaught.noise.estimation.sigma import level_of
from untaught.noise.models.base import NoiseModel
from untaught.noise.models.gaussian import Gaussian
from untaught.noise.models.poisson_gaussian import PoissonGaussian
from untaught.noise.models.speckle import Speckle
from untaught.noise.models.variance_curve import VarianceCurve

ROUGH = 1.25  # from which on patches show texture; its median was 1.0 to 1.1 of noise, 1.2 to 3.4 of clean scenes
FLAT_POINTS = 0.5  # share of the points that have to be flatter than that for a law to be told
# Brightness dependence is believed when it takes away this much of the misfit, both in itself and as a
# share of it: white Gaussian noise called Poisson does more harm than the reverse.
GAINED = 7.0
LEFT = 0.3
NO_LAW = 1.0  # misfit a point of the best law from which on none is right; .05 to .5 where one was
FREED = 0.4  # share of that misfit that a free curve leaves, at most
PASSES = 4  # for the law and what clipping takes away to agree
SETTLED = 0.03  # change of every variance, from which on no further pass is made
DARKEST = 0.25  # of the least variance measured: what is left where brightness is below the offset
SAME_STEP = 0.2  # how far the gain may be from the step of the grey levels to be that step
HOPELESS = 1e6  # misfit of a law that leaves nothing to measure
BARELY = 0.1  # of a photo-electron; read-out noise below that never makes a count negative

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """The grey levels in use: their distance, 0 where they are continuous, and the data's zero; [0, 1] units."""

    step: float = 0.0
    zero: float = 0.0

    @property
    def coarse(self) -> bool:
        """Whether they are so far apart that one of them may be one photon."""
        return self.step > COARSE


CONTINUOUS = Grid()


@dataclass(frozen=True)
class Curve:
    """Points of the mean-variance curve and the laws fitted to them.

    Attributes
    ----------
    mean, variance, error, count : ndarray
        Shape (K,): clean value and noise variance before clipping in [0, 1] units, one standard error
        of the variance, patches used.
    texture : ndarray
        Shape (K,): energy of the patches used in high over that in the highest frequencies, 1 of white noise.
    gain, read, offset : float
        Best fit of variance = gain max(mean - offset, 0) + read^2.
    speckle : float
        Best fit of variance = speckle^2 mean^2.
    level : float
        Best fit of variance = level^2.
    misfit : dict
        Chi-squared of the laws ``gaussian``, ``poisson-gaussian``, ``speckle``, each undoing clipping itself.
    """

    mean: Values
    variance: Values
    error: Values
    count: Values
    texture: Values
    gain: float
    read: float
    offset: float
    speckle: float
    level: float
    misfit: dict[str, float]

    @property
    def grows(self) -> bool:
        """Whether it is beyond doubt that the variance depends on brightness by one of the laws."""
        return self._beats("poisson-gaussian") or self._beats("speckle")

    def law(self, start: NoiseModel, grid: Grid = CONTINUOUS) -> NoiseModel | None:
        """Return the signal-dependent law that fits, None where constant variance will do.

        Parameters
        ----------
        start : NoiseModel
            White noise, with the `clip` and `relative_error` to take over.
        grid : Grid
            The grey levels in use: where they are few, their distance is what one photon would be.
        """
        if grid.coarse and self._counted(grid):
            clip = (False, start.clip[1])
            return PoissonGaussian(grid.step, 0.0, grid.zero, relative_error=COUNTED_ERROR, clip=clip)
        if (self.texture < ROUGH).mean() < FLAT_POINTS:  # it is texture that follows brightness
            return None
        error = max(start.relative_error, 0.05)
        free = self._free()
        if free is not None:
            return VarianceCurve(free, relative_error=error, clip=start.clip)
        if not self.grows:
            return None
        if self.misfit["speckle"] < 0.5 * self.misfit["poisson-gaussian"]:
            return Speckle(self.speckle, grid.zero, relative_error=error, clip=start.clip)
        low = start.clip[0] and self.read > BARELY * self.gain  # counts alone are never negative
        clip = (low, start.clip[1])
        return PoissonGaussian(self.gain, self.read, self.offset, relative_error=error, clip=clip)

    def _beats(self, name: str) -> bool:
        white, other = self.misfit["gaussian"], self.misfit[name]
        return white - other > GAINED and other < LEFT * white

    def _counted(self, grid: Grid) -> bool:
        best = min(self.misfit["gaussian"], self.misfit["speckle"])
        alike = abs(self.gain / grid.step - 1) < SAME_STEP and abs(self.offset - grid.zero) < grid.step
        return alike and self.misfit["poisson-gaussian"] < best + GAINED

    def _free(self) -> tuple[tuple[float, float], ...] | None:
        """Return nodes (brightness, variance) of a smooth curve where no law is near to the points."""
        count, best = len(self.mean), min(self.misfit.values())
        if best < NO_LAW * count:
            return None
        order = np.argsort(self.mean)
        mean, variance = self.mean[order], np.maximum(self.variance[order], 1e-12)
        smooth = np.exp(smoothed(np.log(variance), (self.error / self.variance.clip(1e-12))[order]))
        left = misfit_of((self.variance[order] - smooth) / self.error[order])
        return tuple(zip(mean.tolist(), smooth.tolist(), strict=True)) if left < FREED * best else None

    def moved(self, factor: float, shift: float) -> Curve:
        """Return the curve of factor y + shift, given this one of y; see `NoiseModel.moved`."""
        return replace(
            self,
            mean=factor * self.mean + shift,
            variance=factor**2 * self.variance,
            error=factor**2 * self.error,
            gain=factor * self.gain,
            read=factor * self.read,
            offset=factor * self.offset + shift,
            level=factor * self.level,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return a JSON-able summary; values in [0, 1] units."""
        return {
            "mean": [round(float(v), 5) for v in self.mean],
            "variance": [float(f"{v:.5g}") for v in self.variance],
            "error": [float(f"{v:.5g}") for v in self.error],
            "count": [int(v) for v in self.count],
            "gain": self.gain,
            "read": self.read,
            "offset": self.offset,
            "speckle": self.speckle,
            "misfit": {name: round(v, 3) for name, v in self.misfit.items()},
        }


def mean_variance(
    values: Floats, missing: Flags | None = None, model: NoiseModel | None = None, zero: float = 0.0
) -> Curve | None:
    """Measure the variance of the noise as a function of brightness.

    Parameters
    ----------
    values : ndarray
        float32, shape (H, W, C), [0, 1] units.
    missing : ndarray, optional
        bool, shape (H, W), True where there is no measurement.
    model : NoiseModel, optional
        Level and clipping where they are known; measured where not given.
    zero : float
        The data's zero, where noise that is a share of the value has none, [0, 1] units.

    Returns
    -------
    Curve or None
        None where fewer than three shades have enough patches.

    Notes
    -----
    Patches of every channel are sorted into shades, which lie where the picture's brightness lies: by ranks and
    by values, for a few bright cells on black say more than all the rest. In every shade the flattest are measured
    as in `estimate_sigma`. Weighted least squares fits variance = gain (mean - offset) + read^2; points above it,
    which texture may have raised, count less. What clipping takes away is put back with the law of the previous
    pass, for every law on its own: with the wrong one the points lie nowhere near it.

    References
    ----------
    A. Foi, M. Trimeche, V. Katkovnik, K. Egiazarian, "Practical Poissonian-Gaussian noise modeling
    and fitting for single-image raw-data", IEEE TIP 17(10), 2008.
    """
    patches = collect(values, missing)
    if patches is None:
        return None
    if model is None:
        ends = clipping(values, missing).clip
        model = Gaussian(level_of(patches, ends).sigma, clip=ends)
    return curve_of(patches, model, zero)


def curve_of(patches: Patches, start: NoiseModel, zero: float = 0.0) -> Curve | None:
    """Return the mean-variance curve of `patches`; see `mean_variance`."""
    passes = PASSES if any(start.clip) else 1  # what clipping takes away depends on the law, and the law on that
    laws: dict[str, NoiseModel] = {
        "gaussian": Gaussian(start.level, clip=start.clip),
        "poisson-gaussian": PoissonGaussian(2 * start.level**2, clip=start.clip),
        "speckle": Speckle(2 * start.level, zero, clip=start.clip),
    }
    fits = {name: _settled(patches, law, FITTED[name], passes, zero) for name, law in laws.items()}
    white = fits["gaussian"]
    if white is None:
        return None
    # Fewer shades are usable where a law takes most of them for clipped, which is no merit.
    misfit = {
        name: HOPELESS if fit is None else fit.misfit[name] * len(white.mean) / len(fit.mean)
        for name, fit in fits.items()
    }
    best = fits[min(misfit, key=lambda name: misfit[name])] or white
    photons, speckle = fits["poisson-gaussian"] or white, fits["speckle"] or white
    return replace(
        best,
        gain=photons.gain,
        read=photons.read,
        offset=photons.offset,
        speckle=speckle.speckle,
        misfit=misfit,
    )


# The laws a curve is fitted with, their numbers as it says.
Fitted = Callable[[Curve, NoiseModel], NoiseModel]
FITTED: dict[str, Fitted] = {
    "gaussian": lambda curve, law: Gaussian(curve.level, clip=law.clip),
    "poisson-gaussian": lambda curve, law: PoissonGaussian(
        curve.gain, max(curve.read, 1e-4), curve.offset, clip=law.clip
    ),
    "speckle": lambda curve, law: replace(law, sigma=curve.speckle),  # type: ignore[call-arg]
}


def _settled(patches: Patches, law: NoiseModel, fitted: Fitted, passes: int, zero: float) -> Curve | None:
    """Return the curve that `law` gives when clipping is undone with what was fitted before."""
    curve: Curve | None = None
    for _ in range(passes):
        points = [p for c in range(patches.dct.shape[1]) for p in points_of(patches.channel(c), law)]
        if len(points) < 3:
            return None
        before, curve = curve, _fit(np.array(points), zero)
        if before is not None and _same(before, curve):
            break
        law = fitted(curve, law)
    return curve


def _same(before: Curve, after: Curve) -> bool:
    """Say whether another pass changed nothing that matters."""
    alike = len(before.variance) == len(after.variance)
    return alike and bool(np.allclose(before.variance, after.variance, rtol=SETTLED, atol=0))


def _fit(points: Values, zero: float) -> Curve:
    mean, variance, error, count, texture = points.T
    floor = np.maximum(error, 1e-3 * variance.max() + 1e-12)
    ones, light = np.ones_like(mean), mean - zero
    columns = {"gaussian": (ones,), "poisson-gaussian": (mean, ones), "speckle": (light**2,)}
    solved = {name: least_squares(np.stack(c, 1), variance, floor) for name, c in columns.items()}
    (slope, height), _ = solved["poisson-gaussian"]
    if slope <= 0:
        slope, height = 0.0, solved["gaussian"][0][0]
    # Below an offset a law has no more than the noise of reading, of which the points say nothing.
    read2 = height if height >= 0 else DARKEST * float(variance.min())
    offset = 0.0 if height >= 0 else (read2 - height) / slope
    return Curve(
        mean,
        variance,
        floor,
        count,
        texture,
        gain=float(slope),
        read=math.sqrt(read2),
        offset=float(offset),
        speckle=math.sqrt(max(solved["speckle"][0][0], 0.0)),
        level=math.sqrt(max(solved["gaussian"][0][0], 0.0)),
        misfit={name: misfit for name, (_, misfit) in solved.items()},
    )
