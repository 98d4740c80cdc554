"""The law of noise that neighbouring pixels share, with its strength by brightness, of any kind of picture."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from untaught.noise.belief import CAMERA, COMPRESSION, GRADIENT, TEXTURE, believed
from untaught.noise.estimation.colour_noise import shared_by_colours
from untaught.noise.estimation.correlation import Correlation, correlation_of, level_by_shade
from untaught.noise.estimation.dct_patches import Patches
from untaught.noise.estimation.log_speckle import DOUBTFUL, SKEW, log_speckle, skewed
from untaught.noise.estimation.mean_variance import Curve
from untaught.noise.estimation.signal_dependent_correlation import correlated_and_growing
from untaught.noise.models.correlated import Correlated
from untaught.noise.models.gaussian import Gaussian

UNEVEN = 1.6  # variance of the noisiest shade over the least, from which on it is believed; texture gave 1.55


@dataclass(frozen=True)
class Shared:
    """What neighbours share in `patches`, whose white noise is `start`, and the law of it where there is one."""

    patches: Patches
    start: Gaussian
    correlation: Correlation
    law: Correlated | None


def shared_noise(
    patches: Patches, start: Gaussian, camera: Correlated | None
) -> tuple[Correlation, Correlated | None]:
    """Return the autocorrelation, and the law of the noise where neighbours share it; of colours, by their own.

    `camera` is the law of a picture that a camera has processed, if it is one.
    """
    shared = correlation_of(patches, start)
    if camera is not None:
        return replace(shared, white=False, sigma=camera.sigma), camera
    told, common = shared_by_colours(patches, start.clip) if patches.dct.shape[1] == 3 else (False, None)
    if told:
        shared = replace(shared, white=common is None, sigma=common.sigma if common else shared.sigma)
    elif not shared.white and not believed(shared.beyond_gradients, GRADIENT):
        shared = replace(shared, white=True)
    elif not shared.white and (believed(start.sigma, CAMERA) or believed(shared.sigma / 2, CAMERA)):
        error = max(0.15, start.relative_error)
        common = Correlated(shared.sigma, shared.kernel, relative_error=error, clip=start.clip)
    return shared, common if common is not None and believed(common.sigma, COMPRESSION) else None


def by_brightness(
    flattest: Patches, shared: Shared, curve: Curve | None, zero: float
) -> tuple[Correlated | None, tuple[str, ...]]:
    """Return the law of what neighbours share with its strength by brightness, and what to say of it.

    Parameters
    ----------
    flattest : Patches
        The patches that hold little but noise.
    shared : Shared
        What they share.
    curve : Curve or None
        Variance against brightness.
    zero : float
        The data's zero, [0, 1] units.
    """
    patches, common = shared.patches, shared.law
    grown = correlated_and_growing(patches, shared.start, shared.correlation, curve, zero)
    if grown is not None:
        return grown
    if common is None:
        law = log_speckle(flattest, shared.correlation, shared.start)
        return law, () if law is None else (SKEW,)
    common = _by_shades(patches, shared.correlation, common)
    if believed(common.sigma, TEXTURE) and skewed(flattest):
        return replace(common, relative_error=DOUBTFUL), (SKEW,)
    return common, ()


def _by_shades(patches: Patches, shared: Correlation, noise: Correlated) -> Correlated:
    """Return the law with its level following brightness, where that is more than chance and texture make."""
    shades = level_by_shade(patches, shared.spectrum.ravel())
    ratios = [ratio for _, ratio in shades]
    if noise.colours or not shades or max(ratios) < UNEVEN * min(ratios):
        return noise
    return replace(noise, sigma=noise.sigma * float(np.sqrt(np.mean(ratios))), shades=shades)
