"""The noise of a stack, from how its planes differ: what stays the same is the picture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.noise.estimation.dct_patches import Flags, Floats

BINS = 16  # of brightness
FEWEST = 200  # values in a bin
NORMAL_MEDIAN = 0.4549364  # of the square of a standard normal number

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Temporal:
    """The variance between consecutive planes.

        Var[n | x] = median (y_{t+1} - y_t)^2 / (2 * 0.4549)   over the values of one brightness

    The median, so that what moves in less than half of a brightness does not count.

    Attributes
    ----------
    mean, variance, count : ndarray
        (K,): brightness and variance in [0, 1] units, and values used.
    pairs : int
        Pairs of planes.
    """

    mean: Values
    variance: Values
    count: NDArray[np.int64]
    pairs: int

    @property
    def level(self) -> float:
        """Root mean square deviation over all values, [0, 1] units."""
        return float(np.sqrt(np.average(self.variance, weights=self.count)))

    def describe(self) -> str:
        """Return a sentence for a person."""
        return (
            f"From plane to plane values differ as by noise of level {255 * self.level:.1f} (of 255); "
            "if nothing moves, that is the noise."
        )

    def as_dict(self) -> dict[str, Any]:
        """Return a JSON-able summary; values in [0, 1] units."""
        return {
            "sigma": round(255 * self.level, 3),
            "pairs": self.pairs,
            "mean": [round(float(v), 5) for v in self.mean],
            "variance": [float(f"{v:.5g}") for v in self.variance],
            "count": [int(v) for v in self.count],
        }


def temporal(pairs: Iterable[tuple[Floats, Floats, Flags]]) -> Temporal | None:
    """Measure the variance between consecutive planes.

    Parameters
    ----------
    pairs : iterable of (ndarray, ndarray, ndarray)
        Two exposures of the same scene, float32 (H, W, C) in [0, 1] units, and (H, W), True where one is missing.

    Returns
    -------
    Temporal or None
        None where no brightness has enough values.
    """
    brightness, squares, count = [], [], 0
    for first, second, gone in pairs:
        count += 1
        brightness.append(((first + second) / 2)[~gone].ravel())
        squares.append(np.square(second - first)[~gone].ravel() / 2)
    if not count:
        return None
    light, square = np.concatenate(brightness), np.concatenate(squares).astype(np.float64)
    bins = np.clip((light * BINS).astype(int), 0, BINS - 1)
    inside = [np.flatnonzero(bins == b) for b in range(BINS)]
    found = [index for index in inside if len(index) >= FEWEST]
    if not found:
        return None
    return Temporal(
        np.array([float(light[index].mean()) for index in found]),
        np.array([float(np.median(square[index])) / NORMAL_MEDIAN for index in found]),
        np.array([len(index) for index in found]),
        count,
    )
