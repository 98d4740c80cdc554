"""The mean-variance curve of a picture's noise as a picture."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np

from untaught.noise.estimation.measure import NoiseReport
from untaught.noise.estimation.temporal import Temporal


def noise_plot(planes: Mapping[str, NoiseReport], temporal: Temporal | None = None) -> bytes:
    """Return as PNG the variance of the noise against brightness, with the laws that were fitted to it.

    Points are the flattest patches of every shade, bars one standard error: from fine detail alone, of which noise
    that neighbours share has less. Of a stack the variance between planes stands beside it. Both axes are in units
    of the value range.

    Parameters
    ----------
    planes : mapping of str to NoiseReport
        What was measured on each plane, by its label; that of a single plane is empty.
    temporal : Temporal, optional
        What was measured between them.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.4, 3.8), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    light = np.linspace(0, 1, 101)
    for number, (label, report) in enumerate(planes.items()):
        curve, name = report.curve, label or "flat patches, fine detail"
        if curve is not None:
            axes.errorbar(curve.mean, curve.variance, curve.error, fmt=".", color=f"C{number % 10}", label=name)
        model = report.model
        words = model.kind if len(planes) == 1 else None
        axes.plot(light, np.square(model.std(light)), color=f"C{number % 10}", linewidth=1.1, label=words)
    if temporal is not None:
        axes.plot(temporal.mean, temporal.variance, "kx", label="between planes")
    axes.set(xlabel="brightness", ylabel="variance", xlim=(0, 1))
    axes.set_ylim(bottom=0)
    axes.grid(color="0.9", linewidth=0.6)
    axes.legend(fontsize=7)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
