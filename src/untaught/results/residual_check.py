"""Is the residual like the noise that was found? A small check that needs no clean picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.noise import NoiseModel
from untaught.results.display import Pair

LAGS = ((0, 1), (0, 2), (1, 0), (2, 0))  # (down, right), in pixels
ALIKE = 0.05  # correlations nearer than this to those of the noise are called alike
NEAR = 0.15  # ... and further away than this, clearly different
SPREAD = (0.85, 1.1)  # the share of the noise's standard deviation that a good residual holds
NO_NOISE = 1e-6  # share of the value range below which there is no noise to compare with
WINDOW = 5  # side of the squares in which edges are looked for
EDGES = 1.1  # square means of the residual this much stronger than those of noise hold edges


@dataclass(frozen=True)
class ResidualCheck:
    """What was measured on z = (y - E[y|x]) / sd[y|x], with x the restored picture.

    Attributes
    ----------
    mean, std, expected : float
        Mean and standard deviation of the residual y - E[y|x], and the standard deviation the noise model
        predicts for it, all in units of the value range.
    correlation, predicted : dict
        Autocorrelation of z at each of `LAGS`, and that of the noise model.
    bound : float
        1.96 / sqrt(N), within which 95 % of the correlations of N independent values lie.
    structure : float or None
        Root mean square of the means of z over squares of `WINDOW` pixels, at the tenth of places with the
        strongest gradient in the restored picture, over what noise of the variance of z and the
        correlation of the model would have; None where the picture has no gradient.
    """

    mean: float
    std: float
    expected: float
    correlation: dict[tuple[int, int], float]
    predicted: dict[tuple[int, int], float]
    bound: float
    structure: float | None

    @property
    def ratio(self) -> float:
        """Standard deviation of the residual over that of the noise."""
        return self.std / self.expected

    @property
    def worst(self) -> tuple[int, int]:
        """The lag at which the correlation is furthest from that of the noise."""
        return max(LAGS, key=lambda lag: abs(self.correlation[lag] - self.predicted[lag]))

    @property
    def _excess(self) -> float:
        return self.correlation[self.worst] - self.predicted[self.worst]

    def sentences(self) -> list[str]:
        """Return the verdict in sentences: strength, correlation, edges."""
        said = [self._strength(), self._neighbours()]
        # Where all of the residual is correlated, its local means say nothing about edges.
        if self.structure is not None and self._excess <= NEAR:
            said.append(self._edges(self.structure))
        return said

    @property
    def alike(self) -> bool:
        """Whether no part of the check found a difference worth a warning."""
        calm = self.structure is None or self.structure < EDGES
        return SPREAD[0] <= self.ratio <= SPREAD[1] and abs(self._excess) <= NEAR and calm

    def _strength(self) -> str:
        share = f"The residual is {100 * self.ratio:.0f} % as strong as the noise that was found"
        if self.ratio < SPREAD[0]:
            return f"{share}: some noise is still in the picture, or the noise was over-estimated."
        if self.ratio > SPREAD[1]:
            return f"{share}: detail went out with the noise, or the noise was under-estimated."
        return f"{share}, as it should be."

    def _neighbours(self) -> str:
        (down, right), excess = self.worst, self._excess
        where = f"at {down or right} px {'down' if down else 'across'}"
        if abs(excess) <= ALIKE:
            return "Its neighbouring pixels are as little related as those of the noise."
        how = "slightly" if abs(excess) <= NEAR else "clearly"
        what = f"The correlation of its neighbours {how} differs from the noise's ({excess:+.2f} {where})"
        if how == "slightly":
            return f"{what}, as is usual for a good but imperfect result."
        if excess < 0:
            return f"{what}: the result follows the noise in places."
        return f"{what}: detail went out with the noise, or the noise itself is correlated."

    def _edges(self, structure: float) -> str:
        times = f"{structure:.2f} times as strong as those of noise"
        if structure >= EDGES:
            return f"Near edges its local means are {times}: edges lost some detail."
        return f"Near edges its local means are {times}: no sign of lost edges."


def check_residual(pair: Pair, noise: NoiseModel) -> ResidualCheck | None:
    """Return the check of one plane, or None where nothing can be said.

    Parameters
    ----------
    pair : Pair
        The plane before and after, in units of the value range.
    noise : NoiseModel
        The noise that was found or given, in the same units.
    """
    measured = pair.told
    if pair.residual is None or not measured.any():
        return None
    residual, z, variance = _standardised(pair, noise)
    expected = float(np.sqrt(variance[measured].mean()))
    if expected < NO_NOISE or not np.isfinite(z).any():
        return None
    return ResidualCheck(
        mean=float(residual[measured].mean()),
        std=float(residual[measured].std()),
        expected=expected,
        correlation={lag: _autocorrelation(z, lag) for lag in LAGS},
        predicted={lag: noise.correlation(lag) for lag in LAGS},
        bound=1.96 / float(residual[measured].size) ** 0.5,
        structure=_structure(z, pair.after, noise),
    )


def _standardised(pair: Pair, noise: NoiseModel) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return y - E[y|x], that over its predicted deviation (nan where unusable), and Var[y|x]."""
    x = np.nan_to_num(pair.after.astype(np.float64))
    r = np.nan_to_num(pair.before.astype(np.float64)) - np.asarray(noise.mean(x))
    variance = np.asarray(noise.variance(x), dtype=np.float64)
    # Where nearly all noise was clipped away the quotient says nothing about the noise.
    low = variance < 0.05 * np.median(variance)
    z = np.where(low | ~pair.told[..., None], np.nan, r / np.sqrt(np.maximum(variance, 1e-18)))
    return r, z, variance


def _autocorrelation(z: NDArray[Any], lag: tuple[int, int]) -> float:
    """Return the correlation of values `lag` apart, over all pairs that are both finite."""
    down, right = lag
    z = z - np.nanmean(z)
    products = z[down:, right:] * z[: z.shape[0] - down, : z.shape[1] - right]
    power = float(np.nanmean(z * z))
    return float(np.nanmean(products)) / power if np.isfinite(products).any() and power > 0 else 0.0


def _structure(z: NDArray[Any], after: NDArray[np.float32], noise: NoiseModel) -> float | None:
    """Return the strength of the local means of z near edges, relative to noise.

    Single pixels hide an edge under the noise; the mean of a square lowers independent noise by its side
    and leaves the edge. A result that kept the edges and only smoothed noise stays below 1.
    """
    strong = _strong_gradient(after)
    power = float(np.nanvar(z))
    if power == 0 or min(strong.shape) <= WINDOW:
        return None
    means = _square_means(z - np.nanmean(z))[_inner(strong)]
    if means.size < 100:
        return None
    return float(np.sqrt(np.mean(means**2) / (power * _square_variance(noise))))


def _strong_gradient(values: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return where the tenth of strongest gradients lies, shape (H, W)."""
    rows, columns = np.gradient(np.nan_to_num(values.mean(axis=-1, dtype=np.float64)))
    size = np.hypot(rows, columns)
    strong: NDArray[np.bool_] = size > np.quantile(size, 0.9)
    return strong


def _square_means(z: NDArray[Any]) -> NDArray[Any]:
    total = np.pad(np.nan_to_num(z).cumsum(0).cumsum(1), ((1, 0), (1, 0), (0, 0)))
    n = WINDOW
    sums: NDArray[Any] = total[n:, n:] - total[:-n, n:] - total[n:, :-n] + total[:-n, :-n]
    return sums / n**2


def _inner(strong: NDArray[np.bool_]) -> NDArray[np.bool_]:
    half = WINDOW // 2
    return strong[half : strong.shape[0] - half, half : strong.shape[1] - half]


def _square_variance(noise: NoiseModel) -> float:
    """Return the variance of a square's mean for noise of unit variance with the model's correlation."""
    shifts = range(1 - WINDOW, WINDOW)
    total = sum((WINDOW - abs(i)) * (WINDOW - abs(j)) * noise.correlation((i, j)) for i in shifts for j in shifts)
    return total / WINDOW**4
