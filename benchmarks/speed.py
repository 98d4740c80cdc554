"""Seconds for correlated noise over those for white noise; with --rivals, seconds beside those of others.

    python benchmarks/speed.py --data DIR [--quick] [--methods nonlocal] [--level 15] [--width 1] [--repeats 3]
    python benchmarks/speed.py --data DIR --rivals [nonlocal,bm3d] [--quick] [--level 25] [--repeats 3]

The picture is F16 (512 x 512, three colours); the noise is drawn on it, cut off and rounded to 8 bits. What is
compared is timed in turns in one process, after a first call that is not counted. Without --rivals the noise is
not given. With it, the level is given to all but `auto`, which measures it as it does for everybody; those of
`lib/rivals.py` that are not installed are left out, and ratios are to BM3D's seconds of the same turn. One JSON
line a method, or a comparison, in --output; what is there already is not run again.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.harness import answer, centre, machine, psnr, read8
from lib.rivals import BM3D, RIVALS, present

PICTURE = "F16"
AUTO = "auto"  # which is not told the level
COMPARED = ",".join(("nonlocal-quick", "nonlocal", "nonlocal-thorough", AUTO, *RIVALS))
LEVELS = {False: 15.0, True: 25.0}  # without and with --rivals


def cases(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what has to be run."""
    common = {
        "picture": PICTURE,
        "level": LEVELS[args.rivals is not None] if args.level is None else args.level,
        "side": 96 if args.quick else 0,
        "repeats": 1 if args.quick else args.repeats,
        "seed": args.seed,
        "data": str(args.data),
    }
    if args.rivals is not None:
        yield {"rivals": ",".join(present(args.rivals.split(","))), **common}
        return
    for method in args.methods.split(","):
        yield {"method": method, "width": args.width, **common}


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Time what is compared in turns."""
    clean = centre(read8(Path(case["data"]) / "set9_awgn" / "25" / f"{case['picture']}_GT.png"), case["side"])
    row = compared(clean, case) if "rivals" in case else both_noises(clean, case)
    return {**row, "size": clean.shape[:2], "date": date.today().isoformat(), "machine": machine()}


def both_noises(clean: NDArray[np.uint8], case: dict[str, Any]) -> dict[str, Any]:
    """Time one method with white and with correlated noise."""
    import untaught

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
        "threads": results["white"][0].recipe.threads,
    }


def compared(clean: NDArray[np.uint8], case: dict[str, Any]) -> dict[str, Any]:
    """Time every method with the same white noise, and hold its seconds against BM3D's of the same turn."""
    import torch

    import untaught

    y = noisy(clean, f"gaussian:{case['level']}", case["seed"])
    calls = {name: call_of(name, case) for name in case["rivals"].split(",")}
    for call in calls.values():
        call(y[:64, :64])
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    cpu: dict[str, list[float]] = {name: [] for name in calls}
    scores = {}
    for _ in range(case["repeats"]):
        for name, call in calls.items():
            started, spent = time.monotonic(), time.process_time()
            restored = call(y)
            seconds[name].append(time.monotonic() - started)
            cpu[name].append(time.process_time() - spent)
            scores[name] = psnr(np.clip(np.rint(restored), 0, 255), clean)
    return {
        "seconds": {name: _rounded(values) for name, values in seconds.items()},
        "cpu_seconds": {name: _rounded(values) for name, values in cpu.items()},
        "ratios": {name: _rounded(ratios(values, seconds[BM3D])) for name, values in seconds.items()}
        if BM3D in seconds
        else {},
        "psnr": {name: round(value, 3) for name, value in scores.items()},
        "psnr_noisy": round(psnr(y, clean), 3),
        "versions": {"untaught": untaught.__version__}
        | {rival.package: rival.version() for name, rival in RIVALS.items() if name in calls},
        "threads": torch.get_num_threads(),
    }


def call_of(name: str, case: dict[str, Any]) -> Callable[[NDArray[np.uint8]], NDArray[Any]]:
    """Return what restores an 8-bit picture by a method of untaught, or by a rival's."""
    if name in RIVALS:
        return lambda y: RIVALS[name].call(y, case["level"])

    def restored(y: NDArray[np.uint8]) -> NDArray[Any]:
        import untaught

        noise = "auto" if name == AUTO else f"gaussian:{case['level']}"
        return untaught.denoise(y, method=name, noise=noise, seed=case["seed"]).image

    return restored


def ratios(seconds: list[float], of: list[float]) -> list[float]:
    """Return the ratio of every turn."""
    return [own / other for own, other in zip(seconds, of, strict=True)]


def _rounded(values: list[float]) -> list[float]:
    return [round(value, 4) for value in values]


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
    parser.add_argument("--methods", default="nonlocal", help="for correlated and white noise")
    parser.add_argument(
        "--rivals", nargs="?", const=COMPARED, default=None, help=f"compare these with each other: {COMPARED}"
    )
    parser.add_argument("--level", type=float, help="standard deviation of a pixel, of 255; 15, with --rivals 25")
    parser.add_argument("--width", type=float, default=1.0, help="of the correlated noise's blur, in pixels")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    answer(parser, (__file__, cases, run), "set9_awgn")


if __name__ == "__main__":
    main()
