"""A plane on the scale it is worked on, which its values decide and not their type."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.image.grey_levels import step_of
from untaught.image.padding import padding_of, padding_within
from untaught.image.values import ends_of, filled, reach_of, scaled, thinned

Flags = NDArray[np.bool_]

# Ranges beyond the range from which on a value is no part of the picture: its square hides all else in sums over
# the plane, and in float32. What is as bright is next to free of noise, and is left as it is.
FAR = 10.0


@dataclass(frozen=True, eq=False)
class Scale:
    """What the parts of a plane share that is worked on part by part.

    Attributes
    ----------
    low, high : float
        What z = 0 and z = 1 are, in units of the array.
    step : float
        Distance of the grey levels of z; 0 where they are continuous.
    padding : ndarray or None
        The value of padding in units of the array, (C,); None where the plane has none.
    clip : tuple of bool
        Whether values were cut at z = 0 and at z = 1.
    """

    low: float
    high: float
    step: float
    padding: NDArray[Any] | None = None
    clip: tuple[bool, bool] = (False, False)

    @classmethod
    def of(
        cls,
        sample: tuple[NDArray[Any], Flags],
        parts: Iterable[tuple[NDArray[Any], Flags]],
        own: tuple[float, float],
    ) -> Scale:
        """Find it in a plane that is not held.

        Parameters
        ----------
        sample : tuple of ndarray
            Values as in the file, (H', W', C), and what was not measured, (H', W'): the plane, thinned evenly.
        parts : iterable of such tuples
            All of the plane, part by part.
        own : tuple of float
            The range of the picture.
        """
        raw, missing = sample
        padding = padding_of(raw, missing)
        value = raw[padding][0].copy() if padding.any() else None
        there = raw[~(missing | padding)]
        if not there.size:
            return cls(*own, 0.0, value)
        reach = reach_of(thinned(there))
        found = [ends_of(each[~(gone | _at(each, value))], reach) for each, gone in parts]
        low, high = min(low for low, _ in found), max(high for _, high in found)
        low, high = (low, high) if low < high else own
        near = (there >= low - FAR * (high - low)) & (there <= high + FAR * (high - low))
        return cls(low, high, step_of(there[near.all(-1)]) / (high - low), value)


def _at(values: NDArray[Any], value: NDArray[Any] | None) -> Flags:
    """Return which pixels of (H, W, C) have a value, (C,); none where that is None."""
    return (
        np.zeros(values.shape[:2], np.bool_) if value is None else np.asarray((values == value).all(-1), np.bool_)
    )


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
    def of(
        cls, raw: NDArray[Any], missing: Flags, own: tuple[float, float], scale: Scale | None = None
    ) -> Working:
        """Make it from values as they are in the file, (H, W, C), and the range of the picture.

        `scale` is that of the plane, where this is a part of it.
        """
        if scale is None:
            padding = padding_of(raw, missing)
            low, high = _range(_there(raw, missing | padding), own)
        else:
            padding = padding_within(raw, missing, scale.padding)
            low, high = scale.low, scale.high
        far = _beyond(raw, low - FAR * (high - low), high + FAR * (high - low)) & ~missing & ~padding
        gone = missing | padding | far
        values = filled(scaled(raw, (low, high), missing), np.asarray(gone, np.bool_))
        stuck = _alone(far)
        factor, shift = (own[1] - own[0]) / (high - low), (own[0] - low) / (high - low)
        step = step_of(_there(raw, gone)) / (high - low) if scale is None else scale.step
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


def _there(raw: NDArray[Any], gone: Flags) -> NDArray[Any]:
    """Return the pixels of (H, W, C) that are not `gone`, one a row."""
    return raw[~gone] if gone.any() else raw.reshape(-1, raw.shape[2])


def _range(there: NDArray[Any], own: tuple[float, float]) -> tuple[float, float]:
    """Return low and high of the values that are there, (N, C)."""
    if not there.size:
        return own
    low, high = ends_of(there, reach_of(thinned(there)))
    return (low, high) if low < high else own


def _beyond(raw: NDArray[Any], bottom: float, top: float) -> Flags:
    """Return where a value of a pixel lies outside."""
    least, most = np.float64(bottom), np.float64(top)  # of 64 bits, as float16 may not hold them
    if raw.size and raw.min() >= least and raw.max() <= most:
        return np.zeros(raw.shape[:2], np.bool_)
    return np.asarray(((raw < least) | (raw > most)).any(-1), np.bool_)


def _alone(far: Flags) -> Flags:
    """Return which of the flagged pixels have no flagged neighbour."""
    if not far.any():
        return far
    from scipy.ndimage import convolve

    return np.asarray(far & (convolve(far.astype(np.uint8), np.ones((3, 3), np.uint8), mode="constant") == 1))
