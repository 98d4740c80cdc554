"""Noise that neighbours share and that grows with brightness: radar, ultrasound envelopes, filtered scans."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from untaught.noise.estimation.correlation import Correlation, correlation_of
from untaught.noise.estimation.dct_patches import Floats, Patches
from untaught.noise.estimation.mean_variance import Curve
from untaught.noise.models.correlated import Correlated
from untaught.noise.models.gaussian import Gaussian

# How evenly the coarse energy lies over patches that were divided by what the noise is said to be there. 1.50 to
# 1.79 in 18 simulated pictures of radar and electron microscopes, 1.66 in one of a satellite; of 850 photographs,
# micrographs and scans without such noise 3 were below 1.9, none of them below 1.8.
EVEN = 1.8
MORE_EVEN = 0.2  # than undivided
LEAST_SHARE = 0.1  # of the value, from which on speckle is taken for such
DARKEST = 1e-2  # of the range: a place where such a law has next to no noise tells nothing
NODES = 16  # of the curve that is written down
ERROR = 0.15  # one standard error of the variance, relative, as of other noise that neighbours share
SPECKLED = (
    "The noise is a share of the value, which neighbours share, as speckle is (radar, ultrasound, lasers): "
    "if it is something else, give the noise."
)


@dataclass(frozen=True)
class Growth:
    """Noise whose standard deviation is `factor` times `shape`(brightness), and what is shared of it."""

    base: float  # squared: shape^2 = base + slope max(x - offset, 0) + square (x - offset)^2
    slope: float
    square: float
    offset: float

    def variance(self, brightness: NDArray[np.float64] | Floats) -> NDArray[np.float64]:
        """Return shape^2, of the shape of `brightness`."""
        above = np.asarray(brightness, np.float64) - self.offset
        return self.base + self.slope * np.maximum(above, 0.0) + self.square * np.square(above)


def correlated_and_growing(
    patches: Patches, start: Gaussian, own: Correlation, curve: Curve | None, zero: float
) -> tuple[Correlated, tuple[str, ...]] | None:
    """Return the law of noise that neighbours share and that grows with brightness, None where it is none.

        y = x + s(x) (k * n),   s(x) = c (x - zero)  or  s(x)^2 = c^2 (gain (x - offset) + read^2)

    The flattest patches are where such noise is least, and a picture has little else there. Divided by s the noise
    is alike everywhere; the law is the one by which it lies the most evenly.

    Parameters
    ----------
    patches : Patches
        Of one channel.
    start : Gaussian
        White noise, with the `clip` to take over.
    own : Correlation
        Of the patches as they are.
    curve : Curve or None
        Variance against brightness, of the fast waves: as much too low everywhere as these have less of the noise.
    zero : float
        Where a share of the value is nothing, [0, 1] units.
    """
    if patches.dct.shape[1] > 1:
        return None
    laws = [Growth(0.0, 0.0, 1.0, zero)]
    if curve is not None and curve.gain > 0:
        laws.append(Growth(curve.read**2, curve.gain, 0.0, curve.offset))
    tried = [(law, _divided(patches, law)) for law in laws]
    law, found = min(tried, key=lambda pair: pair[1].spread)
    if found.white or found.spread > min(EVEN, own.spread - MORE_EVEN):
        return None
    speckle = law.square > 0
    if speckle and found.sigma < LEAST_SHARE:
        return None
    low, high = (float(end) for end in np.quantile(patches.mean, (0.001, 0.999)))
    places = np.linspace(low, high, NODES)
    variances = found.sigma**2 * np.maximum(law.variance(places), law.variance(np.array(low + DARKEST)) / 4)
    shades = tuple(zip(places.tolist(), variances.tolist(), strict=True))
    sigma = float(np.sqrt(variances.mean()))
    noise = Correlated(sigma, found.kernel, shades, relative_error=ERROR, clip=start.clip)
    return noise, (SPECKLED,) if speckle else ()


def _divided(patches: Patches, law: Growth) -> Correlation:
    """Return what is shared of the noise over its standard deviation."""
    floor = law.variance(np.array(law.offset + DARKEST)).item()
    over = np.sqrt(np.maximum(law.variance(patches.mean), floor)).astype(np.float32)
    return correlation_of(replace(patches, dct=patches.dct / over[:, :, None]), Gaussian(1.0))
