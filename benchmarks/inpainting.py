"""Half of the pixels missing, eleven grey pictures: PSNR over the whole picture.

    python benchmarks/inpainting.py --data DIR [--quick] [--methods auto,dip] [--pictures house,man]

A zero in the degraded file is a missing pixel; where the clean picture is black itself the file cannot tell, and
half of these pixels are drawn. One JSON line a case in --output; cases that are there already are not run again.
Nothing is set for a picture: the rules decide when to stop.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lib.harness import answer, how, psnr

PICTURES = (
    "Cameraman256",
    "Lena512",
    "barbara",
    "boat",
    "couple",
    "fingerprint",
    "hill",
    "house",
    "man",
    "montage",
    "peppers256",
)
QUICK = ("Cameraman256", "house")


def cases(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what has to be run."""
    for method in args.methods.split(","):
        for picture in args.pictures.split(",") if args.pictures else QUICK if args.quick else PICTURES:
            yield {
                "picture": picture,
                "method": method,
                "seed": args.seed,
                "time_limit": args.time_limit,
                "data": str(args.data),
            }


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Run one case."""
    import untaught

    folder = Path(case["data"]) / "inpaint50"
    clean, degraded, published = (
        np.asarray(Image.open(folder / f"{case['picture']}_{kind}.png").convert("L"))
        for kind in ("GT", "masked", "deep_prior")
    )
    kept = (degraded > 0) | ((clean == 0) & (np.random.default_rng(0).random(clean.shape) < 0.5))
    started = time.process_time()
    result = untaught.inpaint(
        degraded, kept, method=case["method"], seed=case["seed"], time_limit=case["time_limit"]
    )
    spent = time.process_time() - started
    estimate = result.psnr and {k: round(v, 3) for k, v in vars(result.psnr).items() if k != "assumes"}
    return {
        "psnr": round(psnr(result.image, clean), 3),
        "psnr_published": round(psnr(published, clean), 3),
        "estimate": estimate,
        "parts": [(part.method, part.note) for part in result.candidates],
        **how(result, spent),
    }


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--quick", action="store_true", help="two pictures only")
    parser.add_argument("--methods", default="auto")
    parser.add_argument("--pictures", default="")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--time-limit", type=float, default=None)
    answer(parser, (__file__, cases, run), "inpaint50")


if __name__ == "__main__":
    main()
