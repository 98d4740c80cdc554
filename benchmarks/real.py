"""Pictures with the noise of real cameras and microscopes, about which nothing is said.

    python benchmarks/real.py --data DIR [--quick] [--sets cc,polyu,fmd,oct] [--methods auto,nonlocal]
                              [--time-limit SECONDS]
    python benchmarks/real.py --data DIR --simulated   the cameras of `lib/cameras.py` instead, on crops of `kodak`

The clean picture is the mean of many shots; the sets are those of `lib/real_pairs.py`. Written down is the true
PSNR of the noisy picture and of the answer, the PSNR that the answer states and its interval, the law of noise
that was found, and whether the picture came back unchanged. Beside every method stand non-local means and wavelets
of scikit-image, each with the noise level that `estimate_sigma` finds, as its examples call them. One JSON line a
case in --output; cases that are there already are not run again.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.cameras import SIMULATED, simulated
from lib.harness import answer, centre, law, machine, psnr, read8
from lib.real_pairs import SETS, pairs, read_pair

SIDE = 192  # pixels of the simulated pictures
QUICK = 96  # pixels of the others when it has to be quick


def cases(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what has to be run."""
    if args.simulated:
        for picture, camera, level in SIMULATED[-2:] if args.quick else SIMULATED:
            for method in args.methods.split(","):
                case = {"camera": camera, "picture": picture, "level": level, "side": SIDE, "method": method}
                yield {**case, "seed": args.seed, "time_limit": args.time_limit, "data": str(args.data)}
        return
    for method in args.methods.split(","):
        for name in args.sets.split(","):
            for picture in list(pairs(args.data, name))[: 1 if args.quick else None]:
                yield {
                    "set": name,
                    "picture": picture,
                    **({"side": QUICK} if args.quick else {}),
                    "method": method,
                    "seed": args.seed,
                    "time_limit": args.time_limit,
                    "data": str(args.data),
                }


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Run one case."""
    import untaught

    clean, noisy = pictures(case)
    result = untaught.denoise(noisy, method=case["method"], seed=case["seed"], time_limit=case["time_limit"])
    stated = result.psnr
    return {
        "psnr": round(psnr(result.image, clean), 3),
        "psnr_input": round(psnr(noisy, clean), 3),
        **{f"psnr_{name}": round(psnr(picture, clean), 3) for name, picture in usual(noisy).items()},
        "estimate": stated and {key: round(getattr(stated, key), 3) for key in ("value", "low", "high")},
        "inside": stated and bool(stated.low <= psnr(result.image, clean) <= stated.high),
        "unchanged": bool(np.array_equal(result.image, noisy)),
        "found": result.noise.kind,
        "law": law(result.noise),
        "sigma": round(result.noise.level * 255, 2),
        "sigma_true": round(float(np.std(noisy - clean.astype(float))), 2),
        "used": result.method,
        "seconds": round(result.seconds, 2),
        "threads": result.recipe.threads,
        "date": date.today().isoformat(),
        "machine": machine(),
    }


def pictures(case: dict[str, Any]) -> tuple[NDArray[Any], NDArray[np.uint8]]:
    """Return the clean picture and the noisy one, on the 0..255 scale."""
    data = Path(case["data"])
    if "level" in case:
        x = read8(data / "kodak" / f"{case['picture']}.png")
        clean, noisy = simulated(x, case["camera"], case["level"], case["side"], case["seed"])
        return 255 * clean, np.rint(255 * noisy).astype(np.uint8)
    clean, noisy = read_pair(data, case["set"], case["picture"])
    return centre(clean, case.get("side", 0)), centre(noisy, case.get("side", 0))


def usual(noisy: NDArray[np.uint8]) -> dict[str, NDArray[np.float64]]:
    """Return what scikit-image makes of the picture, on the 0..255 scale."""
    from skimage.restoration import denoise_nl_means, denoise_wavelet, estimate_sigma

    y, colours = noisy / 255, -1 if noisy.ndim == 3 else None
    sigma = float(np.mean(estimate_sigma(y, channel_axis=colours)))
    nlm = denoise_nl_means(
        y, h=0.8 * sigma, sigma=sigma, fast_mode=True, patch_size=5, patch_distance=6, channel_axis=colours
    )
    wavelet = denoise_wavelet(y, channel_axis=colours, convert2ycbcr=noisy.ndim == 3, rescale_sigma=True)
    return {"scikit-image_nlm": nlm * 255, "scikit-image_wavelet": np.clip(wavelet, 0, 1) * 255}


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--quick", action="store_true", help="the middle of one picture of each set")
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--simulated", action="store_true", help="simulated cameras, on crops of 192 x 192")
    parser.add_argument("--methods", default="auto,nonlocal")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--time-limit", type=float, default=None)
    answer(parser, (__file__, cases, run), "pairs and real")


if __name__ == "__main__":
    main()
