"""How the variance of the noise depends on brightness, from one picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.noise.estimation.clipping import clipping
from untaught.noise.estimation.dct_patches import LOW, Flags, Floats, Patches, collect, kept_by_model
from untaught.noise.estimation.sigma import KEPT, level_of, variance_of
from untaught.noise.models.base import NoiseModel
from untaught.noise.models.censored import Clip
from untaught.noise.models.gaussian import Gaussian
from untaught.noise.models.poisson_gaussian import PoissonGaussian
from untaught.noise.models.speckle import Speckle

BINS = 16  # of brightness
FEWEST_IN_BIN = 60  # patches
FLAT = 0.12  # share of a bin's patches that is used, the flattest
MODEL_ERROR = 0.06  # relative error of a bin's variance beyond counting, from texture that is left
# Brightness dependence is believed when it takes away this much of the misfit, both in itself and as a
# share of it: white Gaussian noise called Poisson does more harm than the reverse.
GAINED = 7.0
LEFT = 0.3
PASSES = 4  # for the law and what clipping takes away to agree
SAME_STEP = 0.2  # how far the gain may be from the step of the grey levels to be that step
COUNTED_ERROR = 0.005  # relative error of the variance where the gain is read off the grey levels
HOPELESS = 1e6  # misfit of a law that leaves nothing to measure
BARELY = 0.1  # of a photo-electron; read-out noise below that never makes a count negative

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """Points of the mean-variance curve and the laws fitted to them.

    Attributes
    ----------
    mean, variance, error, count : ndarray
        Shape (K,): clean value and noise variance before clipping in [0, 1] units, one standard error
        of the variance, patches used.
    gain, read : float
        Best fit of variance = gain mean + read^2, both not negative.
    speckle : float
        Best fit of variance = speckle^2 mean^2.
    level : float
        Best fit of variance = level^2.
    misfit : dict
        Chi-squared of the laws ``gaussian``, ``poisson-gaussian``, ``speckle``, each undoing clipping itself.
    rise : float
        Fitted variance at the brightest point over that at the darkest.
    """

    mean: Values
    variance: Values
    error: Values
    count: Values
    gain: float
    read: float
    speckle: float
    level: float
    misfit: dict[str, float]
    rise: float

    @property
    def grows(self) -> bool:
        """Whether it is beyond doubt that the variance grows with brightness."""
        return self._beats("poisson-gaussian") or self._beats("speckle")

    def law(self, start: NoiseModel, step: float = 0.0) -> NoiseModel | None:
        """Return the signal-dependent law that fits, None where constant variance will do.

        Parameters
        ----------
        start : NoiseModel
            White noise, with the `clip` and `relative_error` to take over.
        step : float
            Distance of the grey levels in use, where they are few (`clipping.counts`): what one photon would be.
        """
        if step and self._counted(step):
            return PoissonGaussian(step, 0.0, relative_error=COUNTED_ERROR, clip=(False, start.clip[1]))
        if not self.grows:
            return None
        error = max(start.relative_error, 0.05)
        if self.misfit["speckle"] < 0.5 * self.misfit["poisson-gaussian"]:
            return Speckle(self.speckle, relative_error=error, clip=start.clip)
        low = start.clip[0] and self.read > BARELY * self.gain  # counts alone are never negative
        return PoissonGaussian(self.gain, self.read, relative_error=error, clip=(low, start.clip[1]))

    def _beats(self, name: str) -> bool:
        white, other = self.misfit["gaussian"], self.misfit[name]
        return white - other > GAINED and other < LEFT * white

    def _counted(self, step: float) -> bool:
        best = min(self.misfit["gaussian"], self.misfit["speckle"])
        return abs(self.gain / step - 1) < SAME_STEP and self.misfit["poisson-gaussian"] < best + GAINED

    def as_dict(self) -> dict[str, Any]:
        """Return a JSON-able summary; values in [0, 1] units."""
        return {
            "mean": [round(float(v), 5) for v in self.mean],
            "variance": [float(f"{v:.5g}") for v in self.variance],
            "error": [float(f"{v:.5g}") for v in self.error],
            "count": [int(v) for v in self.count],
            "gain": self.gain,
            "read": self.read,
            "speckle": self.speckle,
            "misfit": {name: round(v, 3) for name, v in self.misfit.items()},
        }


def mean_variance(values: Floats, missing: Flags | None = None, model: NoiseModel | None = None) -> Curve | None:
    """Measure the variance of the noise as a function of brightness.

    Parameters
    ----------
    values : ndarray
        float32, shape (H, W, C), [0, 1] units.
    missing : ndarray, optional
        bool, shape (H, W), True where there is no measurement.
    model : NoiseModel, optional
        Level and clipping where they are known; measured where not given.

    Returns
    -------
    Curve or None
        None where fewer than three shades have enough patches.

    Notes
    -----
    Patches of every channel are sorted into shades; in every shade the flattest are measured as in
    `estimate_sigma`. Weighted non-negative least squares fits variance = gain mean + read^2. What
    clipping takes away is put back with the law of the previous pass, for every law on its own: with the wrong one
    the points lie nowhere near it.

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
    return curve_of(patches, model)


def curve_of(patches: Patches, start: NoiseModel) -> Curve | None:
    """Return the mean-variance curve of `patches`; see `mean_variance`."""
    passes = PASSES if any(start.clip) else 1  # what clipping takes away depends on the law, and the law on that
    laws: dict[str, NoiseModel] = {
        "gaussian": Gaussian(start.level, clip=start.clip),
        "poisson-gaussian": PoissonGaussian(2 * start.level**2, clip=start.clip),
        "speckle": Speckle(2 * start.level, clip=start.clip),
    }
    fits = {name: _settled(patches, law, FITTED[name], passes) for name, law in laws.items()}
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
    return replace(best, gain=photons.gain, read=photons.read, speckle=speckle.speckle, misfit=misfit)


# The laws a curve is fitted with, their numbers as it says.
FITTED: dict[str, Callable[[Curve, Clip], NoiseModel]] = {
    "gaussian": lambda curve, clip: Gaussian(curve.level, clip=clip),
    "poisson-gaussian": lambda curve, clip: PoissonGaussian(curve.gain, max(curve.read, 1e-4), clip=clip),
    "speckle": lambda curve, clip: Speckle(curve.speckle, clip=clip),
}


def _settled(
    patches: Patches, law: NoiseModel, fitted: Callable[[Curve, Clip], NoiseModel], passes: int
) -> Curve | None:
    """Return the curve that `law` gives when clipping is undone with what was fitted before."""
    curve = None
    for _ in range(passes):
        points = [p for c in range(patches.dct.shape[1]) for p in _points(patches.channel(c), law)]
        if len(points) < 3:
            return None
        curve = _fit(np.array(points))
        law = fitted(curve, law.clip)
    return curve


def _points(patches: Patches, model: NoiseModel) -> list[tuple[float, float, float, float]]:
    clean, share = kept_by_model(patches.mean, model)
    bins = np.clip((clean[:, 0] * BINS).astype(int), 0, BINS - 1)
    energy = np.square(patches.dct[:, 0, LOW]).mean(1) / share[:, 0]
    found = []
    for b in range(BINS):
        inside = np.flatnonzero((bins == b) & (share[:, 0] > KEPT))
        if len(inside) < FEWEST_IN_BIN:
            continue
        k = max(FEWEST_IN_BIN, int(FLAT * len(inside)))
        flat = inside[np.argsort(energy[inside], kind="stable")[:k]]
        variance, counting = variance_of(patches.take(flat), share[flat])
        error = variance * np.hypot(2 * counting, MODEL_ERROR)
        found.append((float(clean[flat].mean()), variance, float(error), float(k)))
    return found


def _fit(points: Values) -> Curve:
    from scipy.optimize import nnls

    mean, variance, error, count = points.T
    floor = np.maximum(error, 1e-3 * variance.max() + 1e-12)
    columns = np.stack([mean, np.ones_like(mean), mean**2], 1)
    solved = {}
    for name, use in (("gaussian", [1]), ("poisson-gaussian", [0, 1]), ("speckle", [2])):
        a, residual = nnls(columns[:, use] / floor[:, None], variance / floor)
        solved[name] = (a, float(residual**2))
    gain, read2 = (float(v) for v in solved["poisson-gaussian"][0])
    ends = [gain * x + read2 for x in (mean.max(), mean.min())]
    return Curve(
        mean,
        variance,
        error,
        count,
        gain,
        float(np.sqrt(read2)),
        float(np.sqrt(solved["speckle"][0][0])),
        float(np.sqrt(solved["gaussian"][0][0])),
        {name: chi for name, (_, chi) in solved.items()},
        ends[0] / max(ends[1], 1e-12),
    )
