"""The mean-variance curve and the spectrum of a picture's noise as a picture."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from untaught.noise.estimation.noise_report import NoiseReport
from untaught.noise.estimation.photon_transfer import Transfer
from untaught.noise.estimation.temporal import Temporal
from untaught.results.noise_spectrum import Spectrum

Range = tuple[float, float]


def noise_plot(
    planes: Mapping[str, NoiseReport],
    temporal: Temporal | None = None,
    spectrum: Spectrum | None = None,
    transfer: Transfer | None = None,
    value_range: Range = (0.0, 1.0),
) -> bytes:
    """Return as PNG the variance of the noise against brightness, with the laws fitted to it, and its spectrum.

    Points are the flattest patches of every shade, bars one standard error: from fine detail alone, of which noise
    that neighbours share has less. Of a stack the variance between planes stands beside it, and that of frames of
    the camera, where there are such. Both axes are in the data's units.

    Parameters
    ----------
    planes : mapping of str to NoiseReport
        What was measured on each plane, by its label; that of a single plane is empty.
    temporal : Temporal, optional
        What was measured between them.
    spectrum : Spectrum, optional
        Of the first plane.
    transfer : Transfer, optional
        What frames of the camera tell.
    value_range : tuple of float
        What stands for 0 and 1.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    count = 1 if spectrum is None else 2
    figure = Figure(figsize=(5.4 * count, 3.8), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(1, count, 1)
    _curve(axes, planes, value_range)
    low, scale = value_range[0], value_range[1] - value_range[0]
    if temporal is not None:
        axes.plot(low + scale * temporal.mean, scale**2 * temporal.variance, "kx", label="between planes")
    if transfer is not None:
        axes.plot(transfer.points.mean, transfer.points.variance, "k+", label="frames of the camera")
    axes.set(xlabel="brightness, in the data's units", ylabel="variance", xlim=value_range)
    axes.set_ylim(bottom=0)
    axes.grid(color="0.9", linewidth=0.6)
    axes.legend(fontsize=7)
    if spectrum is not None:
        _spectrum(figure.add_subplot(1, count, 2), spectrum)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _curve(axes: Any, planes: Mapping[str, NoiseReport], value_range: Range) -> None:
    low, scale = value_range[0], value_range[1] - value_range[0]
    light = np.linspace(0, 1, 101)
    for number, (label, report) in enumerate(planes.items()):
        curve, name = report.curve, label or "flat patches, fine detail"
        colour = f"C{number % 10}"
        if curve is not None:
            points = low + scale * curve.mean, scale**2 * curve.variance, scale**2 * curve.error
            axes.errorbar(*points, fmt=".", color=colour, label=name)
        model = report.model
        words = model.kind if len(planes) == 1 else None
        variance = scale**2 * np.square(model.std(light))
        axes.plot(low + scale * light, variance, color=colour, linewidth=1.1, label=words)


def _spectrum(axes: Any, spectrum: Spectrum) -> None:
    if spectrum.measured is not None:
        axes.plot(spectrum.frequency, spectrum.measured, "k.", label="flattest patches, all colours")
    for name, power in spectrum.laws.items():
        axes.plot(spectrum.frequency, power, linewidth=1.1, label=f"the law, {name}")
    axes.set(xlabel="cycles a pixel, all directions", ylabel="power, of 1 if white", xlim=(0, 0.5))
    axes.set_ylim(bottom=0)
    axes.grid(color="0.9", linewidth=0.6)
    axes.legend(fontsize=7)
