"""The plots of an explanation, told apart by line and marker so that they can be read in grey; without pyplot."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from untaught.theory.explain.findings import Findings
from untaught.theory.explain.text import NAMES, detail
from untaught.theory.impedance import NOISE, NOISY, PICTURE, SHUFFLED

if TYPE_CHECKING:
    from matplotlib.figure import Figure


# Colours of falling lightness (Okabe and Ito), a line style and a marker each.
LOOKS: dict[str, dict[str, Any]] = {
    PICTURE: {"color": "#000000", "linestyle": "-", "marker": "o"},
    NOISY: {"color": "#0072B2", "linestyle": "--", "marker": "s"},
    SHUFFLED: {"color": "#D55E00", "linestyle": "-.", "marker": "^"},
    NOISE: {"color": "#999999", "linestyle": ":", "marker": "D"},
}
STOPS: dict[str, tuple[str, dict[str, Any]]] = {  # label and marker, drawn one over the other
    "best": (
        "best, with the truth known",
        {"marker": "o", "markersize": 17, "markerfacecolor": "none", "color": "black"},
    ),
    "predicted": ("predicted by the theory", {"marker": "v", "markersize": 9, "color": "#D55E00"}),
    "rule": ("found by the stopping rule", {"marker": "x", "markersize": 10, "color": "#0072B2"}),
}
PATTERNS = 12  # shown, in two rows
HIGHEST = 150  # percent; the network's first guess has details of its own
MARKS = 12  # markers along a curve


def plots(found: Findings) -> dict[str, Figure]:
    """Return all plots by the name of their file."""
    drawn = {
        "targets": _targets,
        "impedance": _impedance,
        "patterns": _patterns,
        "spectrum": _spectrum,
        "frequencies": _frequencies,
        "stop": _stop,
    }
    return {name: draw(found) for name, draw in drawn.items()}


def png(figure: Figure) -> bytes:
    """Return a figure as a PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _figure(rows: int, columns: int, size: tuple[float, float]) -> tuple[Figure, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=130, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False)


def _spaced(count: int, offset: int = 0) -> list[int]:
    """Return where to put markers on a curve of so many points, evenly on a logarithmic axis."""
    places = np.unique(np.geomspace(1, max(count, 1), MARKS).astype(int)) - 1
    return [int(place) for place in places[offset % 2 :]]


def _steps_axis(axes: Any) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter

    axes.set_xscale("log")
    # Of few decades matplotlib would name every tick, one over the other.
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("step of the fit")
    axes.grid(color="0.9", linewidth=0.6)


def _targets(found: Findings) -> Figure:
    """Draw the four targets, and under each what the network had made of it at one step."""
    curves = found.impedance.curves
    step = found.impedance.best_stop
    figure, axes = _figure(2, len(curves), (9.6, 5.4))
    for column, (name, curve) in enumerate(curves.items()):
        at = min(curve.shown, key=lambda s: abs(np.log(s / step)))
        for row, (image, title) in enumerate(
            ((curve.target, NAMES[name]), (curve.shown[at], f"the network at step {at}"))
        ):
            axes[row, column].imshow(image[0], cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            axes[row, column].set_title(title, fontsize=10)
            axes[row, column].set_axis_off()
    height, width = next(iter(curves.values())).target.shape[1:]
    figure.supxlabel(
        f"each {width} x {height} pixels; black is 0, white is 1, and what lies beyond is cut off", fontsize=9
    )
    return figure


def _impedance(found: Findings) -> Figure:
    figure, ((axes,),) = _figure(1, 1, (7.2, 4.2))
    for k, (name, curve) in enumerate(found.impedance.curves.items()):
        marks = _spaced(len(curve.steps), k)
        axes.plot(curve.steps, 100 * curve.error, label=NAMES[name], markevery=marks, markersize=5, **LOOKS[name])
    axes.set_yscale("log")
    axes.set_ylabel("not fitted yet, % of the target's variance")
    _steps_axis(axes)
    axes.legend(frameon=False)
    return figure


def _patterns(found: Findings) -> Figure:
    start = found.start
    count = min(PATTERNS, len(start.spectrum.values))
    rows = 2 if count > PATTERNS // 2 else 1
    figure, axes = _figure(rows, -(-count // rows), (9.6, 2.0 * rows))
    for panel in axes.flat:
        panel.set_axis_off()
    for k in range(count):
        vector = start.spectrum.vectors[k, 0]
        most = float(np.abs(vector).max())
        panel = axes.flat[k]
        panel.imshow(vector, cmap="gray", vmin=-most, vmax=most, interpolation="nearest")
        panel.set_title(f"{k + 1}: {100 * start.trigonometric[k]:.0f} %", fontsize=9)
    height, width = start.spectrum.vectors.shape[2:]
    figure.supxlabel(
        f"number, and share of the energy in ten cosine waves; each {width} x {height} pixels, mid grey is 0",
        fontsize=9,
    )
    return figure


def _spectrum(found: Findings) -> Figure:
    start = found.start
    figure, ((left, right),) = _figure(1, 2, (9.6, 4.0))
    rank = np.arange(1, len(start.spectrum.values) + 1)
    for name, target in (("picture", PICTURE), ("noise", NOISE)):
        look = LOOKS[target] | {"linestyle": "none"}
        left.plot(rank, 100 * np.maximum(start.energies[name], 1e-7), label=NAMES[target], markersize=5, **look)
    left.set_yscale("log")
    left.set_xlabel("pattern, by how fast it is learned")
    left.set_ylabel("share of the energy along it, %")
    left.legend(frameon=False)
    left.grid(color="0.9", linewidth=0.6)
    top = max(start.picture.values[0], start.density.values[0])
    for measure, target in ((start.picture, PICTURE), (start.density, NOISE)):
        speed = (measure.values / top) ** 2
        share = 100 * np.cumsum(measure.masses) / measure.total
        shown = speed > 1e-6
        look = LOOKS[target] | {"marker": None}
        right.step(speed[shown], share[shown], where="post", label=NAMES[target], **look)
    right.set_xscale("log")
    right.invert_xaxis()
    right.set_ylim(0, 101)
    right.set_xlabel("speed of learning, fastest direction = 1 (σ²/σ₁²)")
    right.set_ylabel("share learned at least so fast, %")
    right.legend(frameon=False)
    right.grid(color="0.9", linewidth=0.6)
    return figure


def _frequencies(found: Findings) -> Figure:
    figure, (panels,) = _figure(1, 2, (9.6, 4.2))
    for axes, name in zip(panels, (PICTURE, NOISE), strict=True):
        curve = found.impedance.curves[name]
        bands = curve.bands.shape[1]
        looks = list(LOOKS.values())
        for band in range(min(1, bands - 1), bands):  # the first is hardly more than the mean
            look = looks[band % len(looks)] | {"color": str(round(0.75 * (1 - band / max(bands - 1, 1)), 2))}
            axes.plot(
                curve.steps,
                100 * curve.bands[:, band],
                label=detail(band, bands),
                markevery=_spaced(len(curve.steps), band),
                markersize=4,
                **look,
            )
        axes.set_title(f"fitted to: {NAMES[name]}", fontsize=10)
        axes.set_ylim(0, HIGHEST)
        axes.set_ylabel("not fitted yet, % of the detail's energy")
        _steps_axis(axes)
    panels[0].legend(frameon=False, title="detail, pixels a wave", fontsize=8, title_fontsize=8)
    return figure


def _stop(found: Findings) -> Figure:
    figure, ((left, right),) = _figure(1, 2, (9.6, 4.7))
    curve = found.impedance.curves[NOISY]
    variance = found.subject.sigma**2
    distance = curve.error * float(np.var(curve.target, dtype=np.float64)) / variance
    left.axhline(
        found.start.predicted.misfit / variance, color="0.5", linestyle="--", label="where the theory says to stop"
    )
    left.set_yscale("log")
    left.set_ylabel("squared distance to the noisy picture,\nin noise variances")
    right.set_ylabel("likeness to the picture without noise:\nPSNR, dB")
    for axes, values in ((left, distance), (right, -10 * np.log10(np.maximum(curve.clean_error, 1e-12)))):
        axes.plot(curve.steps, values, color="black", linewidth=1.3)
        for name, (label, look) in STOPS.items():
            step = found.stops[name].step
            if step is not None:
                text = f"{label}: step {step}" if axes is right else None
                axes.plot(step, values[curve.at(step)], linestyle="none", markeredgewidth=1.8, label=text, **look)
        _steps_axis(axes)
    left.legend(frameon=False, fontsize=9)
    # Outside, where no marker of the legend can be taken for one on the curve.
    figure.legend(
        *right.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False, fontsize=9
    )
    return figure
