"""Enlargement of Set5 and Set14: PSNR on Y, borders of the factor and four pixels cut off.

    python benchmarks/super_resolution.py --data DIR [--quick] [--factors 4,8] [--methods auto,dip]

The small picture is Pillow's LANCZOS resize of the clean one, as in the deep image prior's code, so "lanczos3" is
how it was made small. One JSON line a case in --output; cases that are there already are not run again. Nothing is
set for a picture: the rules decide when to stop.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lib.harness import answer, how, psnr

LUMA = (65.481, 128.553, 24.966)  # ITU-R BT.601, studio range, of RGB in [0, 1]
MARGIN = 4  # pixels cut off beside as many as the factor


def cases(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what has to be run."""
    for factor in args.factors.split(","):
        for method in args.methods.split(","):
            for collection in ("Set5",) if args.quick else ("Set5", "Set14"):
                for name in _names(args.data / "sr" / collection / f"x{factor}", args.pictures):
                    yield {
                        "set": collection,
                        "factor": int(factor),
                        "picture": name,
                        "method": method,
                        "seed": args.seed,
                        "time_limit": args.time_limit,
                        "data": str(args.data),
                    }


def _names(folder: Path, wanted: str) -> list[str]:
    names = sorted(path.name.removesuffix("_GT.png") for path in folder.glob("*_GT.png"))
    return [name for name in names if not wanted or name in wanted.split(",")]


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Run one case."""
    import untaught

    factor = case["factor"]
    folder = Path(case["data"]) / "sr" / case["set"] / f"x{factor}"
    clean, bicubic = (
        Image.open(folder / f"{case['picture']}_{kind}.png").convert("RGB") for kind in ("GT", "bicubic")
    )
    small = clean.resize((clean.width // factor, clean.height // factor), Image.Resampling.LANCZOS)
    started = time.process_time()
    result = untaught.upscale(
        np.asarray(small),
        factor,
        kernel="lanczos3",
        method=case["method"],
        seed=case["seed"],
        time_limit=case["time_limit"],
    )
    spent = time.process_time() - started
    truth = np.asarray(clean)
    return {
        "psnr_y": round(psnr_y(result.image, truth, factor), 3),
        "psnr_y_bicubic": round(psnr_y(np.asarray(bicubic), truth, factor), 3),
        "parts": [(part.method, part.note) for part in result.candidates],
        **how(result, spent),
    }


def psnr_y(a: NDArray[np.uint8], b: NDArray[np.uint8], factor: int) -> float:
    """Return the PSNR of luma in dB, without the border."""
    edge = factor + MARGIN
    inner = slice(edge, -edge)
    luma = [16 + (picture[inner, inner] / 255) @ np.array(LUMA) for picture in (a, b)]
    return psnr(luma[0], luma[1])


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--quick", action="store_true", help="Set5 only")
    parser.add_argument("--factors", default="4")
    parser.add_argument("--methods", default="auto")
    parser.add_argument("--pictures", default="")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--time-limit", type=float, default=None)
    answer(parser, (__file__, cases, run), "sr")


if __name__ == "__main__":
    main()
