"""Noise made one of the same level everywhere by a transform, and the transform taken back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

LOOKS = 10  # of gamma noise
LOGARITHMS = (-8.0, 1.5)  # of gamma noise: what becomes 0 and 1


def anscombe(noisy: NDArray[Any], model: Any) -> tuple[NDArray[Any], Any]:
    """Return Anscombe's transform of counts, divided by its largest value, and its noise.

    Source: F. J. Anscombe, "The transformation of Poisson, binomial and negative-binomial data", Biometrika 1948.
    """
    from untaught.noise import Gaussian

    top = 2 * np.sqrt(1 / model.gain + 3 / 8)
    return 2 * np.sqrt(np.maximum(noisy / model.gain, 0) + 3 / 8) / top, Gaussian(1 / top)


def of_anscombe(image: NDArray[Any], model: Any) -> NDArray[Any]:
    """Return the values whose transform has the mean `image`.

    Source: Makitalo and Foi, "A closed-form approximation of the exact unbiased inverse of the Anscombe variance-
    stabilizing transformation", IEEE TIP 2011.
    """
    top = 1 / model.sigma
    d, gain = np.maximum(image * top, 0.1), 1 / ((top / 2) ** 2 - 3 / 8)
    counts = d**2 / 4 + np.sqrt(1.5) / 4 / d - 11 / 8 / d**2 + 5 / 8 * np.sqrt(1.5) / d**3 - 1 / 8
    return np.asarray(gain * np.maximum(counts, 0))


def logarithm(noisy: NDArray[Any], model: Any) -> tuple[NDArray[Any], Any]:
    """Return the logarithm of gamma noise of mean one, which is stationary, moved into [0, 1], and its noise."""
    del model  # its level is that of LOOKS
    from scipy.special import polygamma

    from untaught.noise import Gaussian

    low, high = LOGARITHMS
    return (np.log(np.maximum(noisy, np.exp(low))) - low) / (high - low), Gaussian(
        float(np.sqrt(polygamma(1, LOOKS))) / (high - low)
    )


def of_logarithm(image: NDArray[Any], model: Any) -> NDArray[Any]:
    """Return the light behind the mean of the logarithm, whose bias is known."""
    from scipy.special import digamma

    low, high = LOGARITHMS
    bias = float(digamma(LOOKS)) - np.log(LOOKS)
    return np.asarray(np.exp(image * (high - low) + low - bias))


TRANSFORMS = {"anscombe": anscombe, "logarithm": logarithm}
BACK = {"anscombe": of_anscombe, "logarithm": of_logarithm}
