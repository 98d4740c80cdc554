"""Stacks: what a fit to a plane gains by beginning where the one to the plane before has ended.

    python benchmarks/warm_starts.py --data DIR [--quick] [--methods dip] [--pictures kodim05,...]

Four squares of a Kodak picture a stack, each three pixels down and right of the one before, with noise of its own
(level 25, not given). `unrelated` takes four pictures instead, in the order of their names. Every plane is
restored in its stack, and alone. One JSON line a stack in --output; cases that are there are not run again.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.harness import answer, machine, psnr, read8

PICTURES = "kodim05,kodim07,kodim08,kodim10,unrelated"
PLANES, MOVED, LEVEL = 4, 3, 25


def cases(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Return what has to be run."""
    for name in args.pictures.split(",")[: 1 if args.quick else None]:
        for method in args.methods.split(","):
            yield {"picture": name, "method": method, "side": args.side, "seed": args.seed, "data": str(args.data)}


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Run one case."""
    import untaught

    clean = planes_of(case)
    noise = np.random.default_rng(case["seed"]).normal(0, LEVEL, clean.shape)
    noisy = np.clip(np.rint(clean + noise), 0, 255).astype(np.uint8)
    wishes = {"method": case["method"], "seed": case["seed"]}
    started = time.monotonic()
    stack = untaught.denoise(untaught.Image.of(noisy, "ZYXS"), **wishes)
    between = time.monotonic()
    alone = [untaught.denoise(plane, **wishes) for plane in noisy]
    ended = time.monotonic()
    return {
        "psnr": [round(psnr(a, b), 3) for a, b in zip(stack.image, clean, strict=True)],
        "psnr_alone": [round(psnr(a.image, b), 3) for a, b in zip(alone, clean, strict=True)],
        "steps": [(plane.history.step or [0])[-1] for plane in stack.planes],
        "steps_alone": [(result.history.step or [0])[-1] for result in alone],
        "estimate": [plane.psnr and round(plane.psnr.value, 3) for plane in stack.planes],
        "estimate_alone": [result.psnr and round(result.psnr.value, 3) for result in alone],
        "seconds": round(between - started, 1),
        "seconds_alone": round(ended - between, 1),
        "threads": stack.recipe.threads,
        "date": date.today().isoformat(),
        "machine": machine(),
    }


def planes_of(case: dict[str, Any]) -> NDArray[np.uint8]:
    """Return the clean planes, (PLANES, side, side, 3)."""
    folder, side = Path(case["data"]) / "kodak", case["side"]
    if case["picture"] == "unrelated":
        pictures = [read8(path) for path in sorted(folder.glob("*.png"))[:PLANES]]
        corners = [(100, 150)] * PLANES
    else:
        pictures = [read8(folder / f"{case['picture']}.png")] * PLANES
        corners = [(100 + MOVED * k, 150 + MOVED * k) for k in range(PLANES)]
    return np.stack([p[y : y + side, x : x + side] for p, (y, x) in zip(pictures, corners, strict=True)])


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--quick", action="store_true", help="one stack")
    parser.add_argument("--methods", default="dip")
    parser.add_argument("--pictures", default=PICTURES)
    parser.add_argument("--side", type=int, default=192)
    parser.add_argument("--seed", type=int, default=0)
    answer(parser, (__file__, cases, run), "kodak")


if __name__ == "__main__":
    main()
