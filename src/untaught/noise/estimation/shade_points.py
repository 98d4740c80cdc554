"""The variance of the noise in every shade of a picture: the points of its mean-variance curve."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from untaught.noise.estimation.dct_patches import FREQUENCY, HIGH, LOW, Floats, Patches, kept_by_model
from untaught.noise.estimation.sigma import KEPT, variance_of
from untaught.noise.models.base import NoiseModel

HIGHEST = FREQUENCY >= 11  # of the coefficients (i, j), i + j
SHADES = 12  # of brightness by ranks, and as many by values: few patches are bright where the rest is dark
SPARSE = 2.0  # power by which the latter get wider towards the bright end
ENDS = (0.002, 0.998)  # quantiles between which they lie
FEWEST_IN_BIN = 60  # patches
FLAT = 0.12  # share of a bin's patches that is used, the flattest
MODEL_ERROR = 0.06  # relative error of a bin's variance beyond counting, from texture that is left
TEXTURE_ERROR = 1.0  # the same for every unit by which high frequencies hold more than the highest
TEXTURED = 1.15  # of these ratios, from which on that is counted


def points_of(patches: Patches, model: NoiseModel) -> list[tuple[float, ...]]:
    """Return (mean, variance, error, patches used, texture) of every shade of one channel; see `mean_variance`."""
    clean, share = kept_by_model(patches.mean, model)
    energy = np.square(patches.dct[:, 0, LOW]).mean(1) / share[:, 0]
    usable = np.flatnonzero(share[:, 0] > KEPT)
    found: list[tuple[float, ...]] = []
    for inside in _shades(clean[usable, 0]):
        shade = usable[inside]
        k = max(FEWEST_IN_BIN, int(FLAT * len(shade)))
        flat = shade[np.argsort(energy[shade], kind="stable")[:k]]
        variance, counting = variance_of(patches.take(flat), share[flat])
        power = np.square(patches.dct[flat, 0]).mean(0)
        texture = float(power[HIGH & ~HIGHEST].mean() / max(power[HIGHEST].mean(), 1e-20))
        doubt = math.hypot(2 * counting, MODEL_ERROR) + TEXTURE_ERROR * max(0.0, texture - TEXTURED)
        found.append((float(clean[flat].mean()), variance, variance * doubt, float(k), texture))
    return found


def _shades(mean: Floats) -> Iterator[NDArray[np.intp]]:
    """Yield the indices of patches of like brightness, `FEWEST_IN_BIN` or more in each."""
    if len(mean) < FEWEST_IN_BIN:
        return
    shares = np.linspace(0, 1, SHADES + 1)
    low, high = np.quantile(mean, ENDS)
    edges = np.unique(np.concatenate([np.quantile(mean, shares), low + (high - low) * shares**SPARSE]))
    order = np.argsort(mean, kind="stable")
    places = np.searchsorted(mean[order], edges[1:-1], side="right")
    first = 0
    for place in (*places, len(mean)):
        if place - first >= FEWEST_IN_BIN and (place == len(mean) or len(mean) - place >= FEWEST_IN_BIN):
            yield order[first:place]
            first = place
