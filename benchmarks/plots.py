"""The reliability plot of the error estimates, from the JSON lines of `trust.py`.

    python benchmarks/plots.py [--results FILE ...] [--method auto] [--output docs/img/reliability.png]

Left: what `--method` stated about its pictures against the truth, with 90 % intervals. Right: the share of true
values inside the stated interval, were it made for another share than 90 %.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from lib.corruptions import LEVELS
from lib.harness import done
from lib.reliability import coverage

HERE = Path(__file__).resolve().parent
MARKERS = dict(zip(LEVELS, ("o", "s", "^", "D"), strict=True))
GREYS = dict(zip(LEVELS, ("0.0", "0.35", "0.55", "0.7"), strict=True))
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)), (0, (7, 3)))
SHARES = np.linspace(0.05, 0.99, 48)

Row = dict[str, Any]


def stated(rows: Iterable[Row]) -> list[Row]:
    """Return the lines of `trust.py` that hold an estimate."""
    return [row for row in rows if "severity" in row.get("case", {}) and row.get("estimate")]


def reliability(rows: list[Row], method: str) -> Any:
    """Return the figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.6, 4.6), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    _against_truth(left, [row for row in rows if row["case"]["method"] == method], method)
    _coverage(right, rows)
    return figure


def _against_truth(axes: Any, rows: list[Row], method: str) -> None:
    for kind, marker in MARKERS.items():
        own = [row for row in rows if row["case"]["kind"] == kind]
        if not own:
            continue
        value, low, high = (np.array([row["estimate"][k] for row in own]) for k in ("value", "low", "high"))
        axes.errorbar(
            [row["psnr"] for row in own],
            value,
            yerr=(value - low, high - value),
            fmt=marker,
            color=GREYS[kind],
            markeredgecolor="black",
            markersize=4.5,
            elinewidth=0.6,
            label=kind,
        )
    axes.axline((25, 25), slope=1, color="black", linewidth=0.8)
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xlabel("true PSNR, dB")
    axes.set_ylabel(f"PSNR stated by {method}, dB, with its 90 % interval")
    axes.legend(frameon=False)


def _coverage(axes: Any, rows: list[Row]) -> None:
    axes.plot([0, 100], [0, 100], color="0.7", linewidth=4, label="as it should be")
    methods = dict.fromkeys(row["case"]["method"] for row in rows)
    for method, line in zip(methods, LINES, strict=False):
        own = [row for row in rows if row["case"]["method"] == method]
        axes.plot(
            100 * SHARES, 100 * coverage(own, SHARES), color="black", linestyle=line, linewidth=1.2, label=method
        )
    axes.axvline(90, color="0.7", linewidth=0.8)
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 100)
    axes.set_xlabel("share the interval is made for, %")
    axes.set_ylabel("share of the true values inside, %")
    axes.legend(frameon=False)


def main(argv: list[str] | None = None) -> None:
    """Read the arguments and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, nargs="+", default=[HERE / "results" / "trust.jsonl"])
    parser.add_argument("--method", default="auto")
    parser.add_argument("--output", type=Path, default=HERE.parent / "docs" / "img" / "reliability.png")
    args = parser.parse_args(argv)
    rows = stated(row for path in args.results for row in done(path))
    if not rows:
        parser.error("the results hold no estimate: run benchmarks/trust.py first")
    args.output.parent.mkdir(parents=True, exist_ok=True)
    reliability(rows, args.method).savefig(args.output)


if __name__ == "__main__":
    main()
