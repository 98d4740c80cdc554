"""Draw the first left-singular vectors of the Jacobians of five generators, and how trigonometric they are.

    python benchmarks/vectors.py FILE.png [--side 64]

The same networks as the part `trigonometric` of `theory.py`; that has the numbers.
"""

from __future__ import annotations

import argparse
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lib.instruments import vectors
from untaught.theory import trigonometric_share

LOOKS: dict[str, tuple[str, dict[str, Any]]] = {
    "two layers": ("two layers, as in the theory", {"color": "#009E73", "linestyle": "-", "marker": "x"}),
    "upsampling": ("fixed kernel, up-sampling", {"color": "#000000", "linestyle": "-", "marker": "o"}),
    "fixed": ("fixed kernel, no up-sampling", {"color": "#0072B2", "linestyle": "--", "marker": "s"}),
    "deconvolution": ("learned kernels, up-sampling", {"color": "#D55E00", "linestyle": "-.", "marker": "^"}),
    "convolution": ("learned kernels, no up-sampling", {"color": "#999999", "linestyle": ":", "marker": "D"}),
}
COLUMNS = 10
COLOURS = 128  # in its palette
Pictures = dict[str, NDArray[np.float64]]


def figure(found: Pictures) -> Any:
    """Return the figure: vectors above, shares below."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    made = Figure(figsize=(9.6, 9.2), dpi=100, layout="constrained")
    FigureCanvasAgg(made)
    above, below = made.subfigures(2, 1, height_ratios=(5.4, 3.6))
    _patterns(above.subplots(len(found), COLUMNS), found)
    _shares(below.subplots(), found)
    return made


def _patterns(panels: Any, found: Pictures) -> None:
    for number, (name, drawn) in enumerate(found.items()):
        for k, panel in enumerate(panels[number]):
            most = float(np.abs(drawn[k]).max())
            panel.imshow(drawn[k, 0], cmap="gray", vmin=-most, vmax=most, interpolation="nearest")
            panel.set_xticks([])
            panel.set_yticks([])
            if number == 0:
                panel.set_title(f"vector {k + 1}", fontsize=9)
        panels[number][0].set_ylabel(LOOKS[name][0].replace(" ", "\n", 1).replace(", ", ",\n"), fontsize=8)


def _shares(axes: Any, found: Pictures) -> None:
    for name, drawn in found.items():
        label, look = LOOKS[name]
        shares = 100 * trigonometric_share(drawn)
        axes.plot(np.arange(1, len(shares) + 1), shares, label=f"{label}: mean {shares.mean():.0f} %", **look)
    side = next(iter(found.values())).shape[-1]
    white = trigonometric_share(np.random.default_rng(0).standard_normal((20, 1, side, side)))
    axes.axhline(100 * white.mean(), color="0.5", linewidth=0.8, label=f"white noise: {100 * white.mean():.1f} %")
    axes.set_ylim(0, 102)
    axes.set_xticks(range(1, 21))
    axes.set_xlabel("singular vector, by its singular value, largest first")
    axes.set_ylabel("energy in the ten\nlargest cosine waves, %")
    axes.grid(color="0.9", linewidth=0.6)
    axes.figure.legend(loc="outside lower center", frameon=False, fontsize=9, ncols=2)


def main() -> None:
    """Read the arguments and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--side", type=int, default=64)
    args = parser.parse_args()
    drawn = {name: vectors({"architecture": name, "side": args.side, "seed": 0}).vectors for name in LOOKS}
    buffer = io.BytesIO()
    figure(drawn).savefig(buffer, format="png")
    Image.open(buffer).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(args.file, optimize=True)


if __name__ == "__main__":
    main()
