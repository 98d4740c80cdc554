"""The non-local method beside CBM3D: the same noisy pictures, the noise level given to both, one after the other.

    python benchmarks/nonlocal.py --data DIR [--quick] [--levels 25,50] [--side 0] [--threads 1]

One JSON line a picture in --output; pictures that are there already are not run again. Seconds are by the
clock, CPU seconds count every thread; both methods of a line ran in the same process. `denoise` is the whole of
`untaught.denoise` with its error estimate, the others are one picture for one picture. CBM3D is the package
`bm3d`, which is not a dependency: its licence is non-commercial.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.harness import SET9, answer, machine, peak_gib, psnr, set9

QUICK = ("F16", "kodim03")


def cases(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what has to be run."""
    for level in args.levels.split(","):
        for picture in QUICK if args.quick else SET9:
            yield {
                "picture": picture,
                "level": int(level),
                "side": args.side,
                "threads": args.threads,
                "data": str(args.data),
            }


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Run every method on one picture."""
    import torch

    torch.set_num_threads(case["threads"])
    clean, noisy = set9(Path(case["data"]), case["level"], case["picture"], case["side"])
    rows = {name: _timed(method, noisy, clean, case["level"]) for name, method in METHODS.items()}
    theirs = rows["cbm3d"]
    ratios = {name: round(row["cpu"] / theirs["cpu"], 3) for name, row in rows.items() if name != "cbm3d"}
    return {
        **rows,
        "cpu_ratio": ratios,
        "size": noisy.shape[:2],
        "peak_gib": round(peak_gib(), 3),
        "date": date.today().isoformat(),
        "machine": machine(),
    }


def _timed(
    method: Callable[[NDArray[np.uint8], int], NDArray[Any]],
    noisy: NDArray[np.uint8],
    clean: NDArray[np.uint8],
    level: int,
) -> dict[str, float]:
    method(noisy[:64, :64], level)  # imports and first calls
    started, spent = time.monotonic(), time.process_time()
    found = method(noisy, level)
    seconds, cpu = time.monotonic() - started, time.process_time() - spent
    restored = np.clip(np.rint(found), 0, 255)
    return {"psnr": round(psnr(restored, clean), 3), "seconds": round(seconds, 2), "cpu": round(cpu, 2)}


def _cbm3d(noisy: NDArray[np.uint8], level: int) -> NDArray[Any]:
    import bm3d

    found: NDArray[Any] = bm3d.bm3d_rgb(noisy / 255, level / 255)
    return 255 * found


def _with(stages: str) -> Callable[[NDArray[np.uint8], int], NDArray[Any]]:
    def method(noisy: NDArray[np.uint8], level: int) -> NDArray[Any]:
        import torch

        from untaught.methods.non_local import single_scale as non_local

        y = torch.from_numpy(noisy.astype(np.float32) / 255).permute(2, 0, 1)[None].contiguous()
        found = non_local.denoise_nonlocal(y, (level / 255) ** 2, getattr(non_local, stages))
        return 255 * found[0].permute(1, 2, 0).numpy()

    return method


def _denoise(noisy: NDArray[np.uint8], level: int) -> NDArray[Any]:
    import untaught

    return untaught.denoise(noisy, method="nonlocal", noise=f"gaussian:{level}").image


METHODS = {"cbm3d": _cbm3d, "standard": _with("STANDARD"), "thorough": _with("THOROUGH"), "denoise": _denoise}


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--quick", action="store_true", help="two pictures only")
    parser.add_argument("--levels", default="25,50")
    parser.add_argument("--side", type=int, default=0, help="central crop; 0: whole pictures")
    parser.add_argument("--threads", type=int, default=1)
    answer(parser, (__file__, cases, run), "set9_awgn")


if __name__ == "__main__":
    main()
