"""The photon transfer curve of a camera: the variance of its noise against brightness, from dark and flat frames.

    Var = gain (mean - offset) + read^2

With the shutter closed, the mean is the offset (pedestal) and the variance that of the read-out. Evenly lit frames
have the variance of photons beside it, which grows by `gain`, the value of one photo-electron, for every level.

Janesick, "Photon Transfer", SPIE Press 2007; EMVA Standard 1288, release 4.0, 2021.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.noise.estimation.flat_frames import FULL, Exposure, Points, groups_of, points_of
from untaught.noise.estimation.line_fit import LineFit, fit_line
from untaught.noise.models.poisson_gaussian import PoissonGaussian

LEAST_FULL = 20  # values there; fewer are chance
CUT = 0.05  # share of a dark frame's values at 0 from which on black is cut off
SINGLE_ERROR = 0.01  # relative error of the variance of a single frame: the sensor's pattern is in it
PATTERN = "of single frames the pattern of the sensor was told from noise by how it grows"

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Transfer:
    """A camera's photon transfer curve, in the data's units.

    Attributes
    ----------
    points : Points
        Those that were measured, dark ones too.
    gain : float
        Value of one photo-electron.
    read : float
        Standard deviation of the read-out.
    offset : float
        Mean in the dark.
    relative_error : float
        One standard error of the variance halfway up the curve, over the variance.
    notes : tuple of str
        Sentences a person should read.
    """

    points: Points
    gain: float
    read: float
    offset: float
    relative_error: float
    notes: tuple[str, ...] = ()

    def law(self, value_range: tuple[float, float]) -> PoissonGaussian:
        """Return the law for pictures in the same units, of which `value_range` is scaled to [0, 1]."""
        low, high = value_range
        scale = high - low
        return PoissonGaussian(
            self.gain / scale,
            self.read / scale,
            offset=(self.offset - low) / scale,
            relative_error=self.relative_error,
        )

    def variance(self, brightness: Values) -> Values:
        """Return gain (brightness - offset) + read^2, the first term not below 0."""
        return np.asarray(self.gain * np.maximum(brightness - self.offset, 0.0) + self.read**2)

    def notes_for(self, used: tuple[float, float]) -> tuple[str, ...]:
        """Return what to say where a picture with values from `used[0]` to `used[1]` is held against the curve."""
        low, high = float(self.points.mean.min()), float(self.points.mean.max())
        outside = used[1] > high + 0.5 * (high - low) or used[0] < low - 0.5 * (high - low)
        note = (
            f"the frames have brightness {low:.5g} to {high:.5g} and the picture values from {used[0]:.5g} to "
            f"{used[1]:.5g}: are the units the same?"
        )
        return (*self.notes, note) if outside else self.notes

    def describe(self) -> str:
        """Return a sentence for a person, in the data's units."""
        low, high = float(self.points.mean.min()), float(self.points.mean.max())
        return (
            f"The frames tell gain {self.gain:.4g} (units an electron), read-out noise {self.read:.4g} and offset "
            f"{self.offset:.5g}: variance = {self.gain:.4g} (brightness - {self.offset:.5g}) + "
            f"{self.read**2:.4g}, good to {100 * self.relative_error:.1f} %, from {len(self.points)} points "
            f"between {low:.5g} and {high:.5g} (all in the data's units)."
        )

    def as_dict(self) -> dict[str, object]:
        """Return a JSON-able summary, in the data's units."""
        return {
            "gain": self.gain,
            "read": self.read,
            "offset": self.offset,
            "relative_error": round(self.relative_error, 5),
            "brightness": [float(f"{v:.7g}") for v in self.points.mean],
            "variance": [float(f"{v:.7g}") for v in self.points.variance],
            "count": [int(v) for v in self.points.count],
            "notes": list(self.notes),
            "description": self.describe(),
        }


def photon_transfer(frames: Sequence[Exposure]) -> Transfer:
    """Measure gain, read-out noise and offset of a camera.

        two frames of equal exposure   Var = Var(y_1 - r y_2) / (1 + r^2),   r = mean y_1 / mean y_2
        a frame by itself              Var = variance around smooth light, every other pixel at a time

    with y above the offset. What is the same in both frames, dust and the pattern of the sensor, is gone from
    their difference. A frame by itself still has it: where there are such, a share of mean^2 is fitted too.

    Parameters
    ----------
    frames : sequence of Exposure
        Dark and flat frames, in any order; those of equal mean are pairs. Without frames whose name says that they
        are dark, the darkest are taken for such.

    Raises
    ------
    InputError
        Where there are too few of them, or the variance does not grow with brightness.
    """
    if not frames:
        raise InputError("there are no frames to measure the noise on; give dark and flat frames of the camera")
    top = _greatest(frames)
    groups = list(groups_of(frames))
    darks, flats, notes = _told_apart(groups)
    offset = float(np.mean([frame.values.mean() for group in darks for frame in group]))
    dark, flat = (points_of(part, offset, top) for part in (darks, flats))
    if not len(dark) or not len(flat):
        raise InputError(
            "the frames are all of one brightness, or overexposed; give dark frames and flat frames of several "
            "exposures that stay below white"
        )
    read = float(np.average(dark.variance, weights=dark.count))
    fit = fit_line(flat.mean - offset, flat.variance, _errors(flat), read, squared=not flat.paired.all())
    if fit.slope <= 0:
        raise InputError("the variance of the frames does not grow with brightness, so they tell no gain")
    notes += [PATTERN] if fit.square > 0 else []
    notes += _cut_off(darks)
    return Transfer(_joined(dark, flat), fit.slope, math.sqrt(read), offset, _error(fit, dark, flat), tuple(notes))


def _greatest(frames: Sequence[Exposure]) -> float:
    """Return the value at which frames are overexposed, infinite where none is."""
    top = max(float(frame.values.max()) for frame in frames)
    most = max(int((frame.values == top).sum()) for frame in frames)
    brightest = max(frames, key=lambda frame: float(frame.values.mean()))
    full = int((brightest.values == top).sum()) == most and most > max(LEAST_FULL, FULL * brightest.values.size)
    return top if full else math.inf


def _told_apart(groups: list[list[Exposure]]) -> tuple[list[list[Exposure]], list[list[Exposure]], list[str]]:
    """Return dark and flat frames; the darkest of every channel are dark where no name says so."""
    dark = [group for group in groups if group[0].dark]
    flat = [group for group in groups if not group[0].dark]
    if dark and flat:
        return dark, flat, []
    lowest: dict[int, list[Exposure]] = {}
    for group in groups:
        known = lowest.get(group[0].channel)
        if known is None or group[0].values.mean() < known[0].values.mean():
            lowest[group[0].channel] = group
    dark = list(lowest.values())
    flat = [group for group in groups if not any(group is one for one in dark)]
    return dark, flat, ['no file is named "dark" or "bias": the darkest frames were taken for dark ones']


def _errors(points: Points) -> Values:
    """Return one standard error of every variance: by counting, and of single frames by the sensor's pattern."""
    relative = np.hypot(np.sqrt(2 / points.count), np.where(points.paired, 0.0, SINGLE_ERROR))
    return np.asarray(np.maximum(points.variance, 1e-300) * relative)


def _error(fit: LineFit, dark: Points, flat: Points) -> float:
    """Return the relative error of the variance halfway up the curve; its start is what the dark frames tell."""
    half = float(flat.mean.max() - dark.mean.mean()) / 2
    read = float(np.average(dark.variance, weights=dark.count))
    dark_error = read * math.sqrt(2 / float(dark.count.sum()))
    return math.hypot(fit.error * half, dark_error) / max(fit.slope * half + read, 1e-300)


def _cut_off(darks: list[list[Exposure]]) -> list[str]:
    share = float(np.mean([(frame.values == 0).mean() for group in darks for frame in group]))
    if share <= CUT:
        return []
    return [
        f"{100 * share:.0f} % of the values of the dark frames are 0: black is cut off, and there is more "
        "read-out noise than they tell"
    ]


def _joined(first: Points, second: Points) -> Points:
    parts = zip(vars(first).values(), vars(second).values(), strict=True)
    return Points(*(np.concatenate(pair) for pair in parts))
