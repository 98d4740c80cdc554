"""The deep decoder on pictures: denoising, inpainting, compression.

    python benchmarks/deep_decoder.py --data DIR [--quick] [--tasks denoise,inpaint,compress] [--output FILE]

Denoising: `theory/astronaut.png` in DIR, the picture of the structural-bias notebooks (not scikit-image's), 512 x
512, sigma 30, clipped to [0, 1], through the front door, the noise level not given and the stop automatic.
Published for the same picture: k = 128 29.54, k = 512 29.84, BM3D 28.62. Inpainting and compression: that picture
and the coffee of scikit-image; compression at the factors of the deep decoder's paper, beside wavelet and JPEG
coefficients of equal count. One JSON line a case; cases that are in the output already are not run again.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.harness import answer, centre, machine, peak_gib, psnr, read8

PUBLISHED = {128: 29.54, 512: 29.84}
NUMBERS = {"31": 25_536, "8": 100_224}  # weights at k = 64 and 128, and the factors they are at 512 x 512 RGB
SIGMA = 30 / 255
ASTRONAUT = "theory/astronaut"


def cases(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what has to be run."""
    shared = {"side": 128 if args.quick else args.side, "seed": args.seed, "time_limit": args.time_limit}
    shared["data"] = args.data
    tasks = args.tasks.split(",")
    if "denoise" in tasks:
        for width in args.widths.split(","):
            yield {"task": "denoise", "picture": ASTRONAUT, "width": int(width), **shared}
    for picture in (ASTRONAUT,) if args.quick else (ASTRONAUT, "coffee"):
        if "inpaint" in tasks:
            for missing in (0.5,) if args.quick else (0.25, 0.5, 0.75, 0.9):
                yield {"task": "inpaint", "picture": picture, "width": 128, "missing": missing, **shared}
        if "compress" in tasks:
            for factor in NUMBERS:
                yield {"task": "compress", "picture": picture, "factor": factor, **shared}


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Run one case."""
    clean = centre(_picture(case), case["side"]).astype(np.float32) / 255
    row = {"denoise": _denoise, "inpaint": _inpaint, "compress": _compress}[case["task"]](clean, case)
    return {**row, "peak_gib": round(peak_gib(), 3), "date": date.today().isoformat(), "machine": machine()}


def _picture(case: dict[str, Any]) -> NDArray[np.uint8]:
    from skimage import data

    if case["picture"] == ASTRONAUT:
        return read8(Path(case["data"]) / f"{ASTRONAUT}.png")
    found: NDArray[np.uint8] = getattr(data, case["picture"])()
    return found


def _denoise(clean: NDArray[np.float32], case: dict[str, Any]) -> dict[str, Any]:
    import untaught

    noise = np.random.default_rng(0).normal(0, SIGMA, clean.shape)
    y = np.clip(clean + noise, 0, 1).astype(np.float32)
    path: list[tuple[int, float, float]] = []

    def look(progress: Any) -> None:
        if progress.steps > 1:  # not a closed formula
            image = progress.preview()[0].permute(1, 2, 0).numpy()
            path.append((progress.step, progress.seconds, psnr(np.clip(image, 0, 1), clean, 1.0)))

    started = time.process_time()
    result = untaught.denoise(y, method=_method(case), on_progress=look, **_limits(case))
    peak = max(path, key=lambda entry: entry[2], default=(0, 0.0, psnr(y, clean, 1.0)))
    return {
        "psnr": round(psnr(np.clip(result.image, 0, 1), clean, 1.0), 3),
        "psnr_noisy": round(psnr(y, clean, 1.0), 3),
        "published": PUBLISHED.get(case["width"]),
        "seconds": round(result.seconds, 1),
        "cpu_seconds": round(time.process_time() - started, 1),
        "stopped": {"rule": result.stopped.rule, "step": result.stopped.step, "reason": result.stopped.reason},
        "peak": {"step": peak[0], "seconds": round(peak[1], 1), "psnr": round(peak[2], 3)},
        "curve": [(step, round(s, 1), round(p, 2)) for step, s, p in path[:: max(1, len(path) // 40)]],
        "estimate": result.psnr and {k: v for k, v in vars(result.psnr).items() if k != "assumes"},
        "threads": result.recipe.threads,
    }


def _inpaint(clean: NDArray[np.float32], case: dict[str, Any]) -> dict[str, Any]:
    import untaught

    keep = np.random.default_rng(0).random(clean.shape[:2]) >= case["missing"]
    y = (clean * keep[..., None]).astype(np.float32)
    started = time.process_time()
    result = untaught.inpaint(y, keep, method=_method(case), noise="gaussian:0", **_limits(case))
    filled = np.clip(result.image, 0, 1)
    return {
        "psnr": round(psnr(filled, clean, 1.0), 3),
        "psnr_missing": round(psnr(filled[~keep], clean[~keep], 1.0), 3),
        "seconds": round(result.seconds, 1),
        "cpu_seconds": round(time.process_time() - started, 1),
        "stopped": {"rule": result.stopped.rule, "step": result.stopped.step},
        "threads": result.recipe.threads,
    }


def _method(case: dict[str, Any]) -> str:
    return f"deep-decoder:{case['width']}"


def _limits(case: dict[str, Any]) -> dict[str, Any]:
    return {"seed": case["seed"], "time_limit": case["time_limit"]}


def _compress(clean: NDArray[np.float32], case: dict[str, Any]) -> dict[str, Any]:
    from untaught.theory.coders import compress, jpeg, wavelet

    numbers = round(NUMBERS[case["factor"]] * clean.size / (512 * 512 * 3))
    started = time.process_time()
    ours = compress(clean, numbers, seed=case["seed"], seconds=case["time_limit"])
    seconds = round(time.process_time() - started, 1)
    found = [ours, wavelet(clean, ours.numbers), jpeg(clean, ours.numbers)]
    rows = [{k: v for k, v in asdict(one).items() if k != "image"} for one in found]
    return {"coders": [{**row, "psnr": round(row["psnr"], 3)} for row in rows], "cpu_seconds": seconds}


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data")
    parser.add_argument("--quick", action="store_true", help="centre crops of 128 pixels, one picture")
    parser.add_argument("--tasks", default="denoise,inpaint,compress")
    parser.add_argument("--widths", default="128,512")
    parser.add_argument("--side", type=int, default=0, help="central crop; 0: whole pictures")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--time-limit", type=float, default=None)
    answer(parser, (__file__, cases, run), "theory")


if __name__ == "__main__":
    main()
