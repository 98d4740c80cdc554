"""Seconds for correlated noise over those for white noise of the same level, on the same colour picture.

    python benchmarks/speed.py --data DIR [--quick] [--methods nonlocal] [--level 15] [--width 1] [--repeats 3]

The picture is F16 (512 x 512, three colours); the noise is drawn on it, not given, and the two are timed in turns
in one process, after a first call that is not counted. One JSON line a method in --output.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.harness import answer, centre, machine, psnr, read8

PICTURE = "F16"


def cases(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what has to be run."""
    for method in args.methods.split(","):
        yield {
            "picture": PICTURE,
            "method": method,
            "level": args.level,
            "width": args.width,
            "side": 96 if args.quick else 0,
            "repeats": 1 if args.quick else args.repeats,
            "seed": args.seed,
            "data": str(args.data),
        }


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Time both noises in turns."""
    import untaught

    clean = centre(read8(Path(case["data"]) / "set9_awgn" / "25" / f"{case['picture']}_GT.png"), case["side"])
    laws = {"white": f"gaussian:{case['level']}", "correlated": f"correlated:{case['level']},{case['width']}"}
    pictures = {name: noisy(clean, law, case["seed"]) for name, law in laws.items()}
    untaught.denoise(pictures["white"][:64, :64], method=case["method"], seed=case["seed"])
    results: dict[str, list[Any]] = {name: [] for name in laws}
    for _ in range(case["repeats"]):
        for name, y in pictures.items():
            results[name].append(untaught.denoise(y, method=case["method"], seed=case["seed"]))
    spent = {name: [result.seconds for result in found] for name, found in results.items()}
    return {
        **{f"seconds_{name}": [round(value, 2) for value in values] for name, values in spent.items()},
        "ratio": round(median(spent["correlated"]) / median(spent["white"]), 3),
        **{f"found_{name}": found[0].noise.kind for name, found in results.items()},
        **{f"psnr_{name}": round(psnr(found[0].image, clean), 3) for name, found in results.items()},
        "size": clean.shape[:2],
        "threads": results["white"][0].recipe.threads,
        "date": date.today().isoformat(),
        "machine": machine(),
    }


def noisy(clean: NDArray[np.uint8], law: str, seed: int) -> NDArray[np.uint8]:
    """Return the picture with noise of a law, as `parse_noise` reads it, 8 bits."""
    from untaught.noise import parse_noise

    model = parse_noise(law)
    assert model is not None
    y = model.sample(clean.astype(np.float32) / 255, np.random.default_rng(seed))
    return np.rint(255 * np.clip(y, 0, 1)).astype(np.uint8)


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--quick", action="store_true", help="the central 96 x 96 pixels, once")
    parser.add_argument("--methods", default="nonlocal")
    parser.add_argument("--level", type=float, default=15.0, help="standard deviation of a pixel, of 255")
    parser.add_argument("--width", type=float, default=1.0, help="of the noise's blur, in pixels")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    answer(parser, (__file__, cases, run), "set9_awgn")


if __name__ == "__main__":
    main()
