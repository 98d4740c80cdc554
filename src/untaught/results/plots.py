"""The curves of a fit, and colours for an uncertainty map; drawn without pyplot, so without a display."""

from __future__ import annotations

import io
import textwrap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.method import History, Stopped
from untaught.results.display import Bytes, png_uri

COLOURS = "cividis"  # as even in grey and for colour-blind eyes as in colour


def curves(history: History, stopped: Stopped) -> str | None:
    """Return loss and score against step as a PNG data URI; None when there is nothing to draw."""
    panels = [("loss (objective of the fit)", history.loss)]
    if np.isfinite(np.asarray(history.score, dtype=float)).any():
        panels.append((history.score_name or "score of the stopping rule", history.score))
    panels = [(label, values) for label, values in panels if np.isfinite(values).sum() > 1]
    if not panels:
        return None
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6 * len(panels), 3.1), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    for number, (label, values) in enumerate(panels):
        axes = figure.add_subplot(1, len(panels), number + 1)
        _panel(axes, np.asarray(history.step), np.asarray(values, dtype=float), stopped)
        axes.set_ylabel(textwrap.fill(label, 34))
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return png_uri(buffer.getvalue())


def _panel(axes: Any, step: NDArray[np.int64], values: NDArray[np.float64], stopped: Stopped) -> None:
    finite = np.isfinite(values)
    step, values = step[finite], values[finite]
    axes.plot(step, values, color="black", linewidth=1.1)
    if (values > 0).all() and values.max() > 10 * values.min():
        axes.set_yscale("log")
    if step[0] <= stopped.step <= step[-1]:
        axes.axvline(stopped.step, color="0.45", linestyle="--", linewidth=1.1)
    axes.set_xlabel("step")
    axes.grid(color="0.9", linewidth=0.6)


def coloured(values: NDArray[Any], low: float, high: float) -> Bytes:
    """Return 8-bit RGB (H, W, 3) of `values` (H, W), the colour scale running from `low` to `high`."""
    from matplotlib import colormaps

    span = high - low if high > low else 1.0
    scaled = np.clip((np.nan_to_num(values, nan=low) - low) / span, 0, 1)
    levels: Bytes = np.round(255 * colormaps[COLOURS](scaled)[..., :3]).astype(np.uint8)
    return levels


def colour_bar() -> Bytes:
    """Return the colour scale from low to high, left to right, as 8-bit RGB (1, 256, 3)."""
    return coloured(np.linspace(0, 1, 256)[None, :], 0, 1)
