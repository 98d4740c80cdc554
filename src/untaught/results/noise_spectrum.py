"""The power of a picture's noise against frequency, averaged around the circle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.noise import NoiseReport
from untaught.noise.models.base import Kernel

BINS = 8  # of frequency, up to the fastest wave along a row
FASTEST = 0.5  # cycles a pixel
GRID = 64  # pixels: the square on which a kernel's spectrum is drawn
OPPONENT = ("grey", "red - blue", "green - magenta")

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Spectrum:
    """Power of the noise at every frequency over the mean of all: 1 everywhere for white noise.

    Attributes
    ----------
    frequency : ndarray
        (K,), cycles a pixel, in any direction.
    measured : ndarray or None
        (K,): of the flattest patches, all colours together; None where there are too few.
    laws : dict of str to ndarray
        (K,) of the law that was found, by colour.
    """

    frequency: Values
    measured: Values | None
    laws: dict[str, Values]

    def describe(self) -> str:
        """Return in words how power goes from slow waves to fast ones."""
        power = next(iter(self.laws.values())) if self.measured is None else self.measured
        numbers = " ".join(f"{v:.2g}" for v in power)
        origin = "by the law" if self.measured is None else "of flat patches; what texture they have is coarse"
        return f"power from slow waves to fast ones, 1 if white ({origin}): {numbers}"

    def as_dict(self) -> dict[str, Any]:
        """Return a JSON-able summary."""
        rounded = {name: [round(float(v), 4) for v in power] for name, power in self.laws.items()}
        return {
            "frequency": [round(float(v), 4) for v in self.frequency],
            "measured": None if self.measured is None else [round(float(v), 4) for v in self.measured],
            "law": rounded,
        }


def spectrum_of(report: NoiseReport, channels: int) -> Spectrum:
    """Return the spectrum of what was measured, and that of the law, of a picture of so many channels."""
    frequency = (np.arange(BINS) + 0.5) * FASTEST / BINS
    measured = None
    if report.correlation is not None:
        grid = report.correlation.spectrum
        waves = np.arange(len(grid)) / (2 * len(grid))
        measured = _averaged(grid, np.hypot(*np.meshgrid(waves, waves)), skip=True)
    kernels = report.model.kernels(channels)
    names = _names(channels, same=len({kernel for _, kernel in kernels}) == 1)
    return Spectrum(
        frequency, measured, {name: _of_kernel(k) for name, (_, k) in zip(names, kernels, strict=False)}
    )


def _names(channels: int, same: bool) -> tuple[str, ...]:
    """Return what the kernels of a law are of; those of three colours are of grey and two differences."""
    if same:
        return ("all colours",) if channels > 1 else ("brightness",)
    return OPPONENT if channels == len(OPPONENT) else tuple(f"channel {k + 1}" for k in range(channels))


def _of_kernel(kernel: Kernel) -> Values:
    power = np.square(np.abs(np.fft.fft2(np.asarray(kernel, np.float64), (GRID, GRID))))
    waves = np.abs(np.fft.fftfreq(GRID))
    return _averaged(power, np.hypot(*np.meshgrid(waves, waves)))


def _averaged(power: Values, frequency: Values, skip: bool = False) -> Values:
    """Return the mean of a spectrum in `BINS` rings, over its mean; `skip` leaves out the mean of patches."""
    there = frequency > 0 if skip else np.ones(frequency.shape, np.bool_)
    ring = np.minimum((frequency / FASTEST * BINS).astype(int), BINS - 1)
    means = [power[there & (ring == k)] for k in range(BINS)]
    filled = [float(part.mean()) if part.size else np.nan for part in means]
    known = np.isfinite(filled)
    whole = np.interp(np.arange(BINS), np.flatnonzero(known), np.asarray(filled)[known])
    return np.asarray(whole / max(float(power[there].mean()), 1e-300))
