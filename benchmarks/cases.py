"""Files as scientists report them: the answer for the file, and for the same data without the obstacle in it.

    python benchmarks/cases.py --data DIR [--quick] [--methods nonlocal] [--names one_hot_pixel_uint16,...]

What the obstacles are and what stands in their place: `lib/scientists.py`. Each file is asked for twice, with the
type of its own and as float32. The channels of `c3_tzcyx.ome.tif` have no truth: there the stated PSNR of a plane
in its stack is held against that of the plane alone. A file should lose at most 0.3 dB to the obstacle. One JSON
line a case in --output; cases that are there already are not run again.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.harness import answer, law, machine
from lib.scientists import REPORTS, Asked, obstacle, ranged

STACK = "c3_tzcyx.ome.tif"
NAMES = (*(report.file for report in REPORTS), STACK)
QUICK = ("one_hot_pixel_uint16", "counts_peak10_uint16")
SIDE = 96  # pixels of a quick case


def cases(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what has to be run."""
    names = args.names.split(",") if args.names else QUICK if args.quick else NAMES
    for method in args.methods.split(","):
        for name in names:
            side = {"side": SIDE} if args.quick else {}
            yield {"file": name, "method": method, "seed": args.seed, **side, "data": str(args.data)}


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Run one case."""
    found = planes(case) if case["file"] == STACK else held(case)
    return {**found, "date": date.today().isoformat(), "machine": machine()}


def held(case: dict[str, Any]) -> dict[str, Any]:
    """Return the PSNR of the answers for a file and for it without its obstacle, on the range of the truth."""
    given = obstacle(Path(case["data"]), case["file"], case.get("side", 0))
    asked = {"": (given.file, "same"), "_float32": (given.file, "float32"), "_without": (given.without, "float32")}
    results = {name: _denoised(case, picture, kind) for name, (picture, kind) in asked.items()}
    answers = {name: results[name].image + asked[name][0].offset for name in asked}
    scores = {name: _psnr(values, given.truth, given.counted) for name, values in answers.items()}
    return {
        "psnr_input": _psnr(given.file.image.array, given.truth, given.counted),
        **{f"psnr{name}": score for name, score in scores.items()},
        "lost": round(scores["_without"] - scores["_float32"], 3),
        "lost_same": round(scores["_without"] - scores[""], 3),
        "law": law(results[""].noise),
        "law_without": law(results["_without"].noise),
        "seconds": round(results[""].seconds, 2),
        "threads": results[""].recipe.threads,
    }


def planes(case: dict[str, Any]) -> dict[str, Any]:
    """Return how the planes of a stack, each channel by itself, are stated in it and alone; all on one range."""
    import untaught

    stack = untaught.read(Path(case["data"]) / "cases" / STACK)
    whole = _denoised(case, Asked(stack), "float32")
    lost, apart = [], []
    flat = stack.array.reshape(-1, *stack.array.shape[-2:])
    restored = np.asarray(whole.image).reshape(flat.shape)
    for plane, told, values in zip(flat, whole.planes, restored, strict=True):
        picture = ranged(untaught.Image.of(plane, "YX"), stack.value_range)
        alone = _denoised(case, Asked(picture), "float32")
        if alone.psnr and told.psnr:
            lost.append(alone.psnr.value - told.psnr.value)
        taken = np.std(plane - alone.image.astype(float))
        apart.append(np.sqrt(np.mean((values - alone.image.astype(float)) ** 2)) / taken if taken else 0.0)
    return {
        "planes": len(flat),
        "lost": round(max(lost), 3) if lost else None,
        "told": len(lost),
        "apart": round(float(max(apart)), 3),
        "seconds": round(whole.seconds, 2),
        "threads": whole.recipe.threads,
    }


def _denoised(case: dict[str, Any], asked: Asked, output_type: str) -> Any:
    import untaught

    wishes = {"method": case["method"], "seed": case["seed"], "output_type": output_type}
    return untaught.denoise(asked.image, noise=asked.noise, **wishes)


def _psnr(values: NDArray[Any], truth: NDArray[Any], counted: NDArray[Any]) -> float:
    x = truth[counted].astype(float)
    error = np.mean((values[counted].astype(float) - x) ** 2)
    return round(float(20 * np.log10(np.ptp(x)) - 10 * np.log10(error)), 3)


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--quick", action="store_true", help=f"the middle of two files, {SIDE} x {SIDE} pixels")
    parser.add_argument("--methods", default="nonlocal")
    parser.add_argument("--names", default="", help=f"files, by commas, of {', '.join(NAMES)}")
    parser.add_argument("--seed", type=int, default=0)
    answer(parser, (__file__, cases, run), "cases")


if __name__ == "__main__":
    main()
