"""The corruptions on which stopping and trust are measured: four kinds of noise, three severities each.

They are those of Hendrycks and Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions",
ICLR 2019 (ImageNet-C), levels 2 to 4: clipped to [0, 1], rounded to 8 bits.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.harness import SET9, centre, read8

LEVELS = {
    "gaussian": (0.12, 0.18, 0.26),  # standard deviation
    "shot": (25, 12, 5),  # photons in white
    "impulse": (0.06, 0.09, 0.17),  # share of the values that turn black or white
    "speckle": (0.2, 0.35, 0.45),  # standard deviation over the value
}
SEVERITIES = (1, 2, 3)
SETS = {"set9_awgn": SET9, "kodak": tuple(f"kodim{number:02d}" for number in range(4, 12))}  # tune on the latter
Picture = NDArray[np.uint8]


def corrupted(clean: Picture, kind: str, severity: int) -> Picture:
    """Return the 8-bit picture with noise of `kind` drawn from seed 0, the severity 1, 2 or 3."""
    c = LEVELS[kind][severity - 1]
    rng = np.random.default_rng(0)
    x = clean / 255
    if kind == "gaussian":
        y = x + rng.normal(0, c, x.shape)
    elif kind == "shot":
        y = rng.poisson(x * c) / c
    elif kind == "impulse":
        u = rng.random(x.shape)
        y = np.where(u < c / 2, 0.0, np.where(u >= 1 - c / 2, 1.0, x))
    else:
        y = x + x * rng.normal(0, c, x.shape)
    return np.rint(np.clip(y, 0, 1) * 255).astype(np.uint8)


def pictures_of(case: dict[str, Any]) -> tuple[Picture, Picture]:
    """Return (clean, noisy) of a case."""
    folder = Path(case["data"]) / case["set"]
    paths = (folder / "25" / f"{case['picture']}_GT.png", folder / f"{case['picture']}.png")
    clean = centre(read8(next(path for path in paths if path.exists())), case["side"])
    return clean, corrupted(clean, case["kind"], case["severity"])


def add_arguments(parser: argparse.ArgumentParser, output: str) -> None:
    """Add what both benchmarks are asked with."""
    parser.add_argument("--data", type=Path)
    parser.add_argument("--quick", action="store_true", help="two pictures, the middle severity, 128 x 128 pixels")
    parser.add_argument("--set", default="set9_awgn", choices=SETS)
    parser.add_argument("--pictures", default="", help="default: all of the set")
    parser.add_argument("--kinds", default=",".join(LEVELS))
    parser.add_argument("--levels", default="", help="severities, of 1, 2 and 3; default: all")
    parser.add_argument("--side", type=int, help="central crop, default 256; 0: whole pictures")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results") / output)
    parser.add_argument("--case", help=argparse.SUPPRESS)


def corruptions(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield every picture with every kind of noise and severity that was asked for."""
    whole = SETS[args.set]
    names = args.pictures.split(",") if args.pictures else whole[:2] if args.quick else whole
    levels = [int(level) for level in args.levels.split(",")] if args.levels else [2] if args.quick else SEVERITIES
    side = (128 if args.quick else 256) if args.side is None else args.side
    for severity in levels:
        for kind in args.kinds.split(","):
            for picture in names:
                yield {
                    "set": args.set,
                    "picture": picture,
                    "kind": kind,
                    "severity": severity,
                    "side": side,
                    "seed": args.seed,
                    "data": str(args.data),
                }
