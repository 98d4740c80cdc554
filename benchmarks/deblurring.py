"""Blur and noise undone on four pictures of scikit-image, beside what scikit-image does.

    python benchmarks/deblurring.py [--quick] [--methods auto,dip] [--pictures camera,coins]

A Gaussian point-spread function of standard deviation 1.6 pixels and one of motion over 9 pixels at 30 degrees;
white noise of standard deviation 2 of 255 is added, and the noise level is given. The scene goes on beyond the
frame, as in a photograph. Richardson-Lucy is given the number of its iterations that is best for the true picture,
and both see the picture mirrored beyond its border. One JSON line a case in --output; cases that are there already
are not run again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.harness import centre, machine, peak_gib, psnr, run_cases

PICTURES = ("camera", "coins", "astronaut", "coffee")
BLURS = ("gaussian:1.6", "motion:9,30")
NOISE = 2.0
SIDE = 256
ITERATIONS = (2, 5, 10, 15, 20, 30, 50)
MIRRORED = 24  # pixels
SKIMAGE = ("richardson-lucy", "unsupervised-wiener")

Plane = NDArray[np.float64]


def cases(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what has to be run."""
    pictures = args.pictures.split(",") if args.pictures else PICTURES[:2] if args.quick else PICTURES
    for method in (*SKIMAGE, *args.methods.split(",")):
        for blur in BLURS:
            for picture in pictures:
                yield {
                    "picture": picture,
                    "blur": blur,
                    "method": method,
                    "side": args.side,
                    "seed": args.seed,
                    "time_limit": args.time_limit,
                }


def degraded(picture: str, blur: str, side: int) -> tuple[NDArray[np.uint8], NDArray[np.float32], Plane]:
    """Return (clean, blurred and noisy, PSF): 8 bits, float32 over 255, and what sums to one."""
    import torch
    from skimage import data

    from untaught.operators import Blur
    from untaught.pipeline.tasks.inputs import psf_of

    psf = psf_of(blur)
    rows, columns = psf.shape[-2:]
    scene = centre(getattr(data, picture)(), side + 32)
    scene = scene[: side + rows - 1, : side + columns - 1]
    coloured = scene if scene.ndim == 3 else scene[..., None]
    operator = Blur(psf)
    x = torch.from_numpy(np.ascontiguousarray(coloured.transpose(2, 0, 1), np.float32))[None]
    y = operator.A(x)[0].permute(1, 2, 0).numpy()
    y = y + np.random.default_rng(0).normal(0, NOISE, y.shape)
    clean = operator.visible(x)[0].permute(1, 2, 0).numpy()
    shape = clean.shape if scene.ndim == 3 else clean.shape[:2]
    kernel = operator.psf[0, 0].double().numpy()
    return clean.reshape(shape).astype(np.uint8), (y / 255).reshape(shape).astype(np.float32), kernel


def of_skimage(name: str, y: NDArray[np.float32], psf: Plane, clean: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return what scikit-image makes of a picture, channel by channel."""
    from skimage.restoration import richardson_lucy, unsupervised_wiener

    planes = np.atleast_3d(y).astype(np.float64)
    wide = np.pad(planes, ((MIRRORED, MIRRORED), (MIRRORED, MIRRORED), (0, 0)), mode="symmetric")
    inner = slice(MIRRORED, -MIRRORED)

    def each(function: Any) -> NDArray[np.float64]:
        found = np.stack([function(wide[..., c])[inner, inner] for c in range(wide.shape[2])], -1)
        return np.clip(found.reshape(clean.shape), 0, 1)

    if name == "unsupervised-wiener":
        return each(lambda plane: unsupervised_wiener(plane, psf, rng=0)[0])
    tried = [
        each(lambda plane, n=n: richardson_lucy(np.maximum(plane, 1e-6), psf, num_iter=n)) for n in ITERATIONS
    ]
    return max(tried, key=lambda found: psnr(255 * found, clean))


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Run one case."""
    import untaught

    clean, y, psf = degraded(case["picture"], case["blur"], case["side"])
    row: dict[str, Any] = {"psnr_blurred": round(psnr(255 * np.clip(y, 0, 1), clean), 3)}
    if case["method"] in SKIMAGE:
        row["psnr"] = round(psnr(255 * of_skimage(case["method"], y, psf, clean), clean), 3)
    else:
        started = time.process_time()
        result = untaught.deblur(
            y,
            case["blur"],
            noise=f"gaussian:{NOISE:g}",
            method=case["method"],
            seed=case["seed"],
            time_limit=case["time_limit"],
        )
        spent = time.process_time() - started
        row |= {
            "psnr": round(psnr(255 * np.clip(result.image, 0, 1), clean), 3),
            "method": result.method,
            "seconds": round(result.seconds, 2),
            "cpu_seconds": round(spent, 2),
            "stopped": {"rule": result.stopped.rule, "step": result.stopped.step},
            "versions": result.recipe.versions,
            "threads": result.recipe.threads,
        }
    return row | {"peak_gib": round(peak_gib(), 3), "date": date.today().isoformat(), "machine": machine()}


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two pictures only")
    parser.add_argument("--methods", default="auto")
    parser.add_argument("--pictures", default="")
    parser.add_argument("--side", type=int, default=SIDE, help="pixels of the central crop; default %(default)s")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--time-limit", type=float, default=None)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/deblurring.jsonl"))
    parser.add_argument("--case", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.case:
        print(json.dumps(run(json.loads(args.case))))
    else:
        run_cases(__file__, cases(args), args.output)


if __name__ == "__main__":
    main()
