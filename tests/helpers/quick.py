"""Methods that are small enough for tests, and noisy crops for them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.conftest import clean, noisy
from untaught.methods.networks.hourglass import HourglassShape
from untaught.methods.networks.unet import UNetShape
from untaught.methods.self_supervised.r2r import R2R
from untaught.methods.untrained.dip import DIP

SMALL = HourglassShape(width=16, depth=3, skip=4)


DIP_FAST = DIP(steps=20, shape=HourglassShape(width=8, depth=2, skip=4))


R2R_FAST = R2R(steps=20, draws=2, shape=UNetShape(8, 2), crop=32)


def crop(size: int = 32, seed: int = 0) -> NDArray[np.float32]:
    return np.clip(noisy(clean(size, size), seed=seed), 0, 1)


def uncut(size: int = 32) -> NDArray[np.float32]:
    """Return a noisy picture whose values were not cut off at the ends of the range."""
    return noisy(0.2 + 0.6 * clean(size, size))
