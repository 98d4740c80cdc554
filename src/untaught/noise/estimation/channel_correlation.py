"""Noise that the channels of a colour picture share: that of film, of luminance, of what JPEG files keep.

    E[n_c n_d] = rho s_c s_d

so that grey has 1 + 2 rho times the variance of a channel, and a difference of colours 1 - rho times.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from untaught.noise.estimation.dct_patches import Patches
from untaught.noise.estimation.sigma import level_of
from untaught.noise.opponent_colours import OPPONENT

# Variance of grey over colour differences, each measured in its own flattest patches, from which on it is believed
# that the channels share it, where grey's patches are flat and where they are not. On crops of nine pictures with
# noise of level 3 to 25 that channels do not share it was .94 to 1.14, once 1.5, where they were flat, else up to
# 2.2; 3.3 and more with a correlation of one half, but for texture and next to no noise (2.1).
CLEAR = (1.6, 2.8)
FLAT = 1.5  # `Level.texture` of flat patches
SMOOTH = (False, False)  # sums and differences of channels are not cut off


@dataclass(frozen=True)
class ChannelCorrelation:
    """What three channels share of their noise.

    Attributes
    ----------
    value : float
        Correlation of the noise of two of them at one pixel; 0 where none is told.
    relative_error : float
        One standard error of the variance of grey over it.
    """

    value: float = 0.0
    relative_error: float = 0.0


def channel_correlation(patches: Patches) -> ChannelCorrelation:
    """Measure what the channels share in patches of three channels.

    Texture is grey more than coloured, so a little more noise in grey tells nothing; much more, where the flattest
    grey patches hold no texture, does.
    """
    turned = np.einsum("oc,ncf->nof", np.asarray(OPPONENT, np.float32), patches.dct)
    opponent = replace(patches, dct=turned)
    grey, *colours = (level_of(opponent.channel(o), SMOOTH) for o in range(3))
    between = float(np.mean([colour.sigma**2 for colour in colours]))
    if not grey.sigma**2 > CLEAR[grey.texture > FLAT] * between:
        return ChannelCorrelation()
    value = (grey.sigma**2 - between) / (grey.sigma**2 + 2 * between)
    return ChannelCorrelation(float(value), grey.relative_error)
