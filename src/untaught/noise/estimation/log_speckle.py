"""Speckle after a logarithm, as scans by light (OCT) and by ultrasound are shown: told by its skewness."""

from __future__ import annotations

import numpy as np

from untaught.noise.belief import TEXTURE, believed
from untaught.noise.estimation.correlation import Correlation
from untaught.noise.estimation.dct_patches import Patches, dct_basis
from untaught.noise.models.correlated import UNSURE, Correlated
from untaught.noise.models.gaussian import Gaussian

# The logarithm of an exponential law, of fully developed speckle, has a skewness of -1.14; that of a sum of them
# less. Five retinal scans had -.64 to -.67 in their flattest patches, 112 photographs with Gaussian noise of level
# 15 to 80, cut off at the ends, -.11 to .39.
SKEWED = -0.4
# Speckle is not as strong everywhere, and the flattest patches are where it is weak. On the two retinal scans with
# a mean of many the variance of all was 1.2 to 1.4 times theirs; on these it was chosen, for there are no more.
QUIETER = 1.3
DOUBTFUL = UNSURE  # of that; what would have been stated on these two was 6 dB too high
SKEW = (
    "The noise is skewed as speckle is after a logarithm (OCT, ultrasound): taken for noise of one level, "
    "which neighbours share a little."
)


def log_speckle(flattest: Patches, shared: Correlation, start: Gaussian) -> Correlated | None:
    """Return the law of noise that is skewed to the dark, None where it is not.

    Parameters
    ----------
    flattest : Patches
        Those that hold little but noise.
    shared : Correlation
        What neighbours share of it.
    start : Gaussian
        White noise, with the `clip` to take over.
    """
    if not believed(start.sigma, TEXTURE) or not skewed(flattest):
        return None
    return Correlated(shared.sigma * QUIETER**0.5, shared.kernel, relative_error=DOUBTFUL, clip=start.clip)


def skewed(flattest: Patches) -> bool:
    """Say whether the noise of the flattest patches, of one channel, is skewed as the logarithm of speckle is.

        E (y - m)^3 / (E (y - m)^2)^(3/2) < -.4,   m the mean of a patch

    References
    ----------
    Goodman, "Speckle Phenomena in Optics", 2007, for the law of the logarithm.
    """
    if flattest.dct.shape[1] > 1:
        return False
    values = flattest.dct[:, 0] @ dct_basis()
    off = values - values.mean(1, keepdims=True)
    return bool(np.mean(off**3) < SKEWED * np.mean(off**2) ** 1.5)
