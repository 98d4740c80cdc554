"""Pictures compressed by JPEG: what `dejpeg` gains over what a decoder shows.

    python benchmarks/dejpeg.py --data DIR [--quick] [--qualities 10,20,40] [--methods auto] [--side 256]

The clean ones of the nine pictures, compressed by Pillow with its own tables and colours at half the resolution.
Nothing is told but the file. PSNR over all channels, and of brightness alone. One JSON line a case in --output;
cases that are there already are not run again. The method was set up on crops of kodim04, 05, 07 and 08, none of
which is among these.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lib.harness import answer, centre, how, on_nine, psnr, read8

QUICK = ("F16", "kodim01", "peppers")
LUMA = np.array([0.299, 0.587, 0.114])  # ITU-T T.871, full range


def cases(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Return what has to be run."""
    return on_nine(args, "quality", args.qualities, QUICK)


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Run one case."""
    import untaught

    clean = centre(read8(Path(case["data"]) / "set9_awgn" / "25" / f"{case['picture']}_GT.png"), case["side"])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "in.jpg"
        Image.fromarray(clean).save(path, quality=case["quality"])
        size, before = path.stat().st_size, read8(path)
        started = time.process_time()
        result = untaught.dejpeg(path, method=case["method"], seed=case["seed"], time_limit=case["time_limit"])
        spent = time.process_time() - started
    return {
        "psnr": round(psnr(result.image, clean), 3),
        "psnr_jpeg": round(psnr(before, clean), 3),
        "luma": round(psnr(_luma(result.image), _luma(clean)), 3),
        "luma_jpeg": round(psnr(_luma(before), _luma(clean)), 3),
        "bytes": size,
        "level": round(255 * result.noise.level, 2),
        "level_true": round(float(np.std(_luma(before) - _luma(clean))), 2),
        **how(result, spent),
    }


def _luma(picture: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(picture, np.float64) @ LUMA


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--quick", action="store_true", help="three pictures")
    parser.add_argument("--qualities", default="10,20,40")
    parser.add_argument("--methods", default="auto")
    parser.add_argument("--pictures", default="")
    parser.add_argument("--side", type=int, default=256, help="central square; 0 takes the whole picture")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--time-limit", type=float, default=None)
    answer(parser, (__file__, cases, run), "set9_awgn")


if __name__ == "__main__":
    main()
