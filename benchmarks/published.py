"""What the published outputs of the nine pictures were made from: this noise, or another draw of it.

    python benchmarks/published.py --data DIR [--quick] [--methods bm3d,deep_prior,nlm,dip,...] [--side 256]

The share of the file's noise n that is still in an answer f is

    <f - x, n> / <n, n>,   E <f - x, n> = sigma^2 E div f   (Stein),

well above zero for every denoiser that was shown this noise, and zero for one that was shown another draw of it:
the errors of such an answer do not go with those of others, and a mean of both is a mean of two photographs.
Methods are ends of the names of files (`F16_bm3d.png`), or those of untaught, which are told the level and run.
One JSON line a case in --output; cases that are there already are not run again.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.harness import answer, centre, machine, on_nine, psnr, read8, set9

BESIDE = "bm3d"  # whose output every other is averaged with
QUICK = ("F16", "kodim03")


def cases(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what has to be run."""
    return on_nine(args, "level", args.levels, QUICK)


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Run one case."""
    clean, noisy = set9(Path(case["data"]), case["level"], case["picture"], case["side"])
    found, ran = _answer(case, noisy)
    other = _published(case, BESIDE)
    return {
        "psnr": round(psnr(found, clean), 3),
        "noise_left": round(noise_left(found, clean, noisy), 4),
        "psnr_beside": round(psnr(other, clean), 3),
        "psnr_of_mean": round(psnr((found.astype(float) + other) / 2, clean), 3),
        "ran": ran,
        "date": date.today().isoformat(),
        "machine": machine(),
    }


def noise_left(found: NDArray[Any], clean: NDArray[Any], noisy: NDArray[Any]) -> float:
    """Return the share of the noise of `noisy` that is in `found`."""
    x = clean.astype(float)
    n = noisy - x
    return float(np.sum((found - x) * n) / np.sum(n * n))


def _published(case: dict[str, Any], method: str) -> NDArray[np.uint8]:
    folder = Path(case["data"]) / "set9_awgn" / str(case["level"])
    return centre(read8(folder / f"{case['picture']}_{method}.png"), case["side"])


def _answer(case: dict[str, Any], noisy: NDArray[np.uint8]) -> tuple[NDArray[Any], bool]:
    """Return a published output, or that of a method of untaught; and whether it was run here."""
    try:
        return _published(case, case["method"]), False
    except FileNotFoundError:
        import untaught

        level, limit = f"gaussian:{case['level']}", case["time_limit"]
        asked = {"noise": level, "seed": case["seed"], "time_limit": limit}
        return untaught.denoise(noisy, method=case["method"], **asked).image, True


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--quick", action="store_true", help="two pictures only")
    parser.add_argument("--methods", default="bm3d,deep_prior,nlm")
    parser.add_argument("--pictures", default="")
    parser.add_argument("--levels", default="25")
    parser.add_argument("--side", type=int, default=0, help="central crop; 0: whole pictures")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--time-limit", type=float, default=None)
    answer(parser, (__file__, cases, run), "set9_awgn")


if __name__ == "__main__":
    main()
