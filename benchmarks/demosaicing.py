"""Colours made of an RGGB mosaic on Kodak crops, beside Menon's method where colour-demosaicing is installed.

    python benchmarks/demosaicing.py --data DIR [--quick] [--methods auto] [--pictures kodim05,kodim08]

The mosaic is of 8 bits and without noise, and that is said. PSNR over all channels without a border of 8 pixels.
One JSON line a case in --output; cases that are there already are not run again.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.harness import answer, centre, machine, peak_gib, psnr, read8

SIDE = 256
BORDER = 8
MENON = "menon"
QUICK = 2


def cases(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what has to be run."""
    names = sorted(path.stem for path in (args.data / "kodak").glob("*.png"))
    names = args.pictures.split(",") if args.pictures else names[:QUICK] if args.quick else names
    other = (MENON,) if find_spec("colour_demosaicing") else ()
    for method in (*other, *args.methods.split(",")):
        for picture in names:
            yield {
                "picture": picture,
                "method": method,
                "side": args.side,
                "seed": args.seed,
                "time_limit": args.time_limit,
                "data": str(args.data),
            }


def mosaic(clean: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return what is behind an RGGB filter."""
    y = clean[..., 1].copy()
    y[::2, ::2], y[1::2, 1::2] = clean[::2, ::2, 0], clean[1::2, 1::2, 2]
    return y


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Run one case."""
    clean = centre(read8(Path(case["data"]) / "kodak" / f"{case['picture']}.png"), case["side"])
    y, row = mosaic(clean), {}
    if case["method"] == MENON:
        from colour_demosaicing import demosaicing_CFA_Bayer_Menon2007

        image = np.clip(demosaicing_CFA_Bayer_Menon2007(y / 255, "RGGB"), 0, 1) * 255
    else:
        import untaught

        started = time.process_time()
        result = untaught.demosaic(
            y,
            "RGGB",
            noise="gaussian:0",
            method=case["method"],
            seed=case["seed"],
            time_limit=case["time_limit"],
        )
        spent = time.process_time() - started
        image = result.image
        row = {
            "estimate": result.psnr and round(result.psnr.value, 3),
            "method": result.method,
            "seconds": round(result.seconds, 2),
            "cpu_seconds": round(spent, 2),
            "versions": result.recipe.versions,
            "threads": result.recipe.threads,
        }
    inner = slice(BORDER, -BORDER)
    return {
        "psnr": round(psnr(image[inner, inner], clean[inner, inner]), 3),
        **row,
        "peak_gib": round(peak_gib(), 3),
        "date": date.today().isoformat(),
        "machine": machine(),
    }


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--quick", action="store_true", help="two pictures only")
    parser.add_argument("--methods", default="auto")
    parser.add_argument("--pictures", default="")
    parser.add_argument("--side", type=int, default=SIDE, help="pixels of the central crop; 0 for all of it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--time-limit", type=float, default=None)
    answer(parser, (__file__, cases, run), "kodak")


if __name__ == "__main__":
    main()
