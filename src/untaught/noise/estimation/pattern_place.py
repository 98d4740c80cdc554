"""Where in a picture a regular pattern is: a page may have one photograph in dots amid letters that have none."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_closing, gaussian_filter, label, uniform_filter

from untaught.noise.estimation.dct_patches import Floats
from untaught.noise.estimation.pattern import Pattern, pattern_in

STRONG, MOST = 0.5, 4  # lines that tell the place: over the amplitude of the strongest, and how many
WIDE = 2.0  # periods: deviation of the Gaussian within which a wave is coherent; letters are not
THERE = 0.15  # of the amplitude where it is strong; letters and edges had .11 at most
REF = 95  # percentile of the amplitude that stands for it
GAP = 4  # periods of black or white, where dots have grown together or vanished, that are bridged
SMALL = 20  # periods: side of the smallest area without it that is let stand
MOSTLY = 0.8  # share of a square from which on its spectrum is taken for the pattern's
SIDES = (256, 128)  # pixels of squares that lie within it, to be looked at instead


@dataclass(frozen=True)
class Place:
    """How strong a pattern has to be to count as there.

    Attributes
    ----------
    pattern : Pattern
        The pattern.
    least : float
        Amplitude, in units of the values.
    """

    pattern: Pattern
    least: float

    def inside(self, values: Floats) -> NDArray[np.float32]:
        """Return 1 where it is in (H, W, C) and 0 where it is not, with soft edges; (H, W)."""
        there, reach = _amplitude(values, self.pattern) > self.least, round(GAP * self.pattern.longest)
        there = binary_closing(np.pad(there, reach, mode="edge"), iterations=reach)[reach:-reach, reach:-reach]
        elsewhere, _ = label(~there)
        there |= np.bincount(elsewhere.ravel())[elsewhere] < (SMALL * self.pattern.longest) ** 2
        return np.asarray(gaussian_filter(there.astype(np.float32), self.pattern.longest / 2), np.float32)


def place_of(values: Floats, pattern: Pattern) -> Place:
    """Return the place of a pattern in (H, W, C), measured anew where it fills a square better."""
    place = _place(values, pattern)
    inside = place.inside(values[pattern.rows, pattern.columns])
    if inside.mean() >= MOSTLY:
        return place
    for side in SIDES:
        if side >= min(inside.shape):
            continue
        share = uniform_filter(inside, side, mode="constant")
        top, left = (
            int(np.clip(at - side // 2, 0, n - side))
            for at, n in zip(np.unravel_index(int(share.argmax()), share.shape), share.shape, strict=True)
        )
        if inside[top : top + side, left : left + side].mean() < MOSTLY:
            continue
        rows, columns = (
            slice(whole.start + start, whole.start + start + side)
            for whole, start in ((pattern.rows, top), (pattern.columns, left))
        )
        nearer = pattern_in(values, None, rows, columns)
        if nearer is not None:
            return replace(_place(values, nearer), least=place.least)
    return place


def _place(values: Floats, pattern: Pattern) -> Place:
    amplitude = _amplitude(values[pattern.rows, pattern.columns], pattern)
    return Place(pattern, THERE * float(np.percentile(amplitude, REF)))


def _amplitude(values: Floats, pattern: Pattern) -> NDArray[np.float64]:
    """Return how strong the lines of a pattern are around every pixel, (H, W)."""
    period, energy = pattern.longest, np.zeros(values.shape[:2])
    down, across = np.arange(values.shape[0])[:, None], np.arange(values.shape[1])
    lines = [line for line in pattern.lines if line.amplitude > STRONG * pattern.lines[0].amplitude][:MOST]
    for plane in np.moveaxis(values.astype(np.float64), 2, 0):
        fine = plane - gaussian_filter(plane, period)
        for line in lines:
            turned = fine * np.exp(-2j * np.pi * (line.down * down + line.across * across))
            energy += gaussian_filter(turned.real, WIDE * period) ** 2
            energy += gaussian_filter(turned.imag, WIDE * period) ** 2
    return np.asarray(np.sqrt(energy))
