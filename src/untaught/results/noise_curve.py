"""The variance of a picture's noise against brightness, in the data's units: in words and as a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from untaught.noise import NoiseModel, NoiseReport
from untaught.noise.estimation.photon_transfer import Transfer
from untaught.results.text import number

POINTS = 33  # of a law that is written as a table
FEW = 4  # points that are said in words


def curve_words(report: NoiseReport, value_range: tuple[float, float]) -> str:
    """Return in words what was measured at some brightnesses, or what the law says of black, grey and white."""
    low, high = value_range
    scale = high - low
    curve = report.curve
    if curve is None:
        mean = np.array([0.0, 0.5, 1.0])
        variance, origin = np.square(report.model.std(mean)), "by the law"
    else:
        chosen = np.argsort(curve.mean)[np.unique(np.linspace(0, len(curve.mean) - 1, FEW).round().astype(int))]
        mean, variance, origin = curve.mean[chosen], curve.variance[chosen], "of flat patches, from fine detail"
    rows = zip(low + scale * mean, scale**2 * variance, strict=True)
    return f"variance at brightness ({origin}): " + ", ".join(f"{number(v)} at {number(x)}" for x, v in rows)


def curve_table(law: NoiseModel, value_range: tuple[float, float], ends: tuple[float, float]) -> str:
    """Return a law as CSV with the columns brightness and variance, in the data's units.

    Parameters
    ----------
    law : NoiseModel
        Of values of which `value_range` is scaled to [0, 1].
    value_range : tuple of float
        In the data's units.
    ends : tuple of float
        The least and the greatest brightness of the table.
    """
    low, high = value_range
    brightness = np.linspace(*ends, POINTS)
    variance = np.square(np.asarray(law.std((brightness - low) / (high - low)))) * (high - low) ** 2
    return csv_of(list(zip(brightness.tolist(), variance.tolist(), strict=True)))


def transfer_table(transfer: Transfer) -> str:
    """Return what frames tell as CSV, from the dark to the brightest of them, in the data's units."""
    brightness = np.linspace(transfer.offset, float(transfer.points.mean.max()), POINTS)
    return csv_of(list(zip(brightness.tolist(), transfer.variance(brightness).tolist(), strict=True)))


def csv_of(rows: Sequence[tuple[float, float]]) -> str:
    """Return a table of brightness and variance that `--noise-from` reads."""
    head = "# variance of the noise against brightness, both in the data's own units (variance in their squares)\n"
    return head + "brightness,variance\n" + "".join(f"{x:.8g},{v:.8g}\n" for x, v in rows)
