"""A plane on the scale it is worked on, which its values decide and not their type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.image.grey_levels import step_of
from untaught.image.padding import padding_of
from untaught.image.values import ends_of, filled, reach_of, scaled, thinned

Flags = NDArray[np.bool_]

# Ranges beyond the range from which on a value is no part of the picture: its square hides all else in sums over
# the plane, and in float32. What is as bright is next to free of noise, and is left as it is.
FAR = 10.0


@dataclass(frozen=True, eq=False)
class Working:
    """A plane as it is worked on: z = (array - low) / (high - low), the same for k array + b as for the array.

    Attributes
    ----------
    values : ndarray
        z, float32, (H, W, C), finite; where `gone`, the nearest pixel that is not.
    missing, padding, far, stuck : ndarray
        bool, (H, W): what was not measured, what is padding (`padding_of`), and what lies more than ten ranges
        beyond the range: with others, such as the core of a star, or alone, as hot pixels do. Padding and what is
        `far` are `left` as they are.
    factor, shift : float
        z = factor * v + shift, with v the values on the picture's own range, `Plane.values`.
    step : float
        Distance of the grey levels of z; 0 where they are continuous.
    zero : float
        z of the array's zero, where no light was counted.

    Notes
    -----
    low and high are the least and greatest value within reach, `reach_of`, of what was measured and is no padding:
    order statistics, so that one hot pixel does not move them. A plane of one value stays on the picture's range.
    """

    values: NDArray[np.float32]
    missing: Flags
    padding: Flags
    far: Flags
    stuck: Flags
    factor: float = 1.0
    shift: float = 0.0
    step: float = 0.0
    zero: float = 0.0

    @property
    def left(self) -> Flags:
        """What is left as it is though it was measured."""
        return np.asarray(self.padding | self.far, np.bool_)

    @property
    def gone(self) -> Flags:
        """What is not there to be restored, nor to measure noise on."""
        return np.asarray(self.missing | self.stuck | self.left, np.bool_)

    def ends(self, own: tuple[float, float]) -> tuple[float, float]:
        """Return what z = 0 and z = 1 are in units of the array, of which `own` is the picture's range."""
        span = (own[1] - own[0]) / self.factor
        low = own[0] - self.shift * span
        return low, low + span

    @classmethod
    def of(cls, raw: NDArray[Any], missing: Flags, own: tuple[float, float]) -> Working:
        """Make it from values as they are in the file, (H, W, C), and the range of the picture."""
        padding = padding_of(raw, missing)
        there = raw[~(missing | padding)]
        low, high = _range(there, own)
        far = _beyond(raw, low - FAR * (high - low), high + FAR * (high - low)) & ~missing & ~padding
        gone = missing | padding | far
        values = filled(scaled(raw, (low, high), missing), np.asarray(gone, np.bool_))
        stuck = _alone(far)
        factor, shift = (own[1] - own[0]) / (high - low), (own[0] - low) / (high - low)
        step = step_of(raw[~gone]) / (high - low)
        return cls(
            values,
            missing,
            padding,
            np.asarray(far & ~stuck, np.bool_),
            stuck,
            factor,
            shift,
            step,
            -low / (high - low),
        )


def _range(there: NDArray[Any], own: tuple[float, float]) -> tuple[float, float]:
    """Return low and high of the values that are there, (N, C)."""
    if not there.size:
        return own
    low, high = ends_of(there, reach_of(thinned(there)))
    return (low, high) if low < high else own


def _beyond(raw: NDArray[Any], bottom: float, top: float) -> Flags:
    """Return where a value of a pixel lies outside."""
    least, most = np.float64(bottom), np.float64(top)  # of 64 bits, as float16 may not hold them
    return np.asarray(((raw < least) | (raw > most)).any(-1), np.bool_)


def _alone(far: Flags) -> Flags:
    """Return which of the flagged pixels have no flagged neighbour."""
    from scipy.ndimage import convolve

    return np.asarray(far & (convolve(far.astype(np.uint8), np.ones((3, 3), np.uint8), mode="constant") == 1))
