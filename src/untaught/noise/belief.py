"""Whether a noise level is believed: what else could have made what was measured, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass

DOUBTFUL = 0.13  # relative error of a variance from which on it may be texture


@dataclass(frozen=True)
class Mimic:
    """What can pass for noise.

    Attributes
    ----------
    level : float
        Standard deviation that it seldom exceeds, [0, 1] units.
    texture : bool
        Whether it is texture, which makes a level uncertain too.
    """

    level: float
    texture: bool = False


ROUNDING = Mimic(0.3 / 255)  # to 8 bits: what is weaker is negligible
CAMERA = Mimic(0.75 / 255)  # what rounding and a camera leave of a picture that counts as free of noise
COMPRESSION = Mimic(1.0 / 255)  # what it leaves, which neighbours share
# What the rounding of a gradient leaves beyond the slow waves of its rows and columns: .4 at most, where noise of
# level 2 that was blurred over 3 pixels leaves .8.
GRADIENT = Mimic(0.6 / 255)
TEXTURE = Mimic(5.0 / 255, texture=True)  # where patches are whole
ROUGH_TEXTURE = Mimic(15.0 / 255, texture=True)  # where none is, or only every other pixel is of one colour
BLURRED_TEXTURE = Mimic(0.3 / 255, texture=True)  # blurred before the noise came, there is next to none


def believed(level: float, mimic: Mimic, relative_error: float = 0.0) -> bool:
    """Say whether a level is noise and not what may pass for it.

        sigma >= m, and where texture may pass for it also  error of sigma^2 <= `DOUBTFUL` sigma^2

    Parameters
    ----------
    level : float
        sigma, the standard deviation that was measured, [0, 1] units.
    mimic : Mimic
        What else could have made it, with m.
    relative_error : float
        One standard error of the variance over the variance.
    """
    return level >= mimic.level and not (mimic.texture and relative_error > DOUBTFUL)
