"""Small inputs as scientists report them, each as its file is and again without what stands in its way.

Of each there are two askings of `untaught.denoise`, which have to give the same picture but for what was taken out
of the way, and the truth that both are held against, in the units of the file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from lib.harness import centre
from untaught import Image
from untaught.noise import Gaussian, NoiseModel, PoissonGaussian, Rician

Values = NDArray[Any]
HOT = 3.0  # what is called a hot pixel: beyond so many times the greatest of the others
# `scmos20e_pedestal100`, from the README of the data.
PEDESTAL, GAIN, READ = 100.0, 2.17, 1.6  # grey levels, grey levels an electron, electrons
PADDING = -2000  # of CT, outside of the tube; in Hounsfield units, as the next two
AIR, CT_SIGMA = -1000.0, 60.0
RICIAN_SIGMA = 40.0


@dataclass(frozen=True)
class Asked:
    """One picture to denoise, its noise model or "auto", and what to add to the answer for the file's units."""

    image: Image
    noise: NoiseModel | str = "auto"
    offset: float = 0.0


@dataclass(frozen=True)
class Obstacle:
    """What a case consists of.

    Attributes
    ----------
    file : Asked
        The picture as it is.
    without : Asked
        The same data as float, without the obstacle.
    truth : ndarray
        (H, W), in the units of the file.
    counted : ndarray of bool
        (H, W), where answers are held against the truth.
    """

    file: Asked
    without: Asked
    truth: Values
    counted: Values


def _asked(values: Values, noise: Callable[[float], NoiseModel] | None = None, low: float | None = None) -> Asked:
    """Return an asking; `noise` makes a model of the length of the value range, which begins at `low`."""
    image = Image.of(values, "YX")
    if low is not None:
        image = ranged(image, (low, float(values.max())))
    bottom, top = image.value_range
    return Asked(image, "auto" if noise is None else noise(top - bottom))


def ranged(image: Image, ends: tuple[float, float]) -> Image:
    """Return the image with another value range."""
    return replace(image, value_range=ends)


def hot_pixel(y: Values, truth: Values) -> Obstacle:
    """Return a pixel of 20000 in a picture that ends at 1609; without it: the median of its neighbours there."""
    hot = y > HOT * np.sort(y, axis=None)[-2]
    filled = np.where(hot, median_filter(y, 3), y).astype(np.float32)
    return Obstacle(_asked(y), _asked(filled), truth, ~hot)


def counts(y: Values, truth: Values) -> Obstacle:
    """Return photon counts as whole numbers; without it: the same counts as float."""
    return Obstacle(_asked(y), _asked(y.astype(np.float32)), truth, np.ones_like(y, bool))


def float_counts(y: Values, truth: Values) -> Obstacle:
    """Return photon counts as float, the law not said; without it: one grey level a photon, given."""
    given = _asked(y, lambda span: PoissonGaussian(1 / span), low=0.0)
    return Obstacle(_asked(y), given, truth, np.ones_like(y, bool))


def pedestal(y: Values, truth: Values) -> Obstacle:
    """Return an offset of 100; without it: taken off, the camera's law given."""
    electrons = y.astype(np.float32) - PEDESTAL

    def camera(span: float) -> NoiseModel:
        return PoissonGaussian(GAIN / span, GAIN * READ / span)

    without = _asked(electrons, camera, low=0.0)
    return Obstacle(_asked(y), Asked(without.image, without.noise, PEDESTAL), truth, np.ones_like(y, bool))


def rician(y: Values, truth: Values) -> Obstacle:
    """Return magnitudes as whole numbers, the law not said; without it: float, the law given."""
    given = _asked(y.astype(np.float32), lambda span: Rician(RICIAN_SIGMA / span), low=0.0)
    return Obstacle(_asked(y), given, truth, np.ones_like(y, bool))


def padded(y: Values, truth: Values) -> Obstacle:
    """Return CT with padding; without it: noisy air in its place, the level given."""
    padding = y == PADDING
    air = AIR + CT_SIGMA * np.random.default_rng(0).standard_normal(y.shape)
    filled = np.where(padding, air, y).astype(np.float32)
    return Obstacle(_asked(y), _asked(filled, lambda span: Gaussian(CT_SIGMA / span)), truth, ~padding)


@dataclass(frozen=True)
class Report:
    """Name of the file of a case, of its truth, and what makes an `Obstacle` of both."""

    file: str
    truth: str
    made: Callable[[Values, Values], Obstacle]


REPORTS = (
    Report("one_hot_pixel_uint16", "one_hot_pixel_truth", hot_pixel),
    Report("counts_peak10_uint16", "counts_peak10_truth", counts),
    Report("counts_peak2_uint16", "counts_peak2_truth", counts),
    Report("counts_peak10_float32", "counts_peak10_truth", float_counts),
    Report("counts_peak2_float32", "counts_peak2_truth", float_counts),
    Report("scmos20e_pedestal100_uint16", "scmos20e_truth", pedestal),
    Report("rician_s40_int16", "rician_truth", rician),
    Report("ct_sigma60HU_int16", "ct_truth", padded),
)


def obstacle(data: Path, name: str, side: int = 0) -> Obstacle:
    """Return a case by the name of its file; `side`: of the part around the middle that is taken, 0 for all."""
    report = next(report for report in REPORTS if report.file == name)
    y, truth = (centre(np.load(data / "cases" / f"{stem}.npy"), side) for stem in (report.file, report.truth))
    return report.made(y, truth)
