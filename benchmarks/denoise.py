"""Denoising of the nine pictures: every method, the noise level not given (except to CBM3D, which needs it).

    python benchmarks/denoise.py --data DIR [--quick] [--methods auto,nonlocal,...] [--side 256] [--levels 25,50]

One JSON line a case in --output; cases that are there already are not run again. `benchmarks/table.py` makes
the tables. `dip-paper` is the original configuration, 1800 steps; `dip-paper-bf16` the same in bfloat16, which
is about twice as fast. `nonlocal-given` is `nonlocal` told the level, and so with any method. CBM3D (`cbm3d`) runs
where the person has installed `bm3d`, whose licence is non-commercial.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.harness import GIVEN, answer, machine, on_nine, peak_gib, psnr, set9

QUICK = ("F16", "kodim03")
METHODS = "nlm,tv,wavelet,nonlocal,r2r,dip,auto,cbm3d"


def cases(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Return what has to be run."""
    return on_nine(args, "level", args.levels, QUICK)


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Run one case."""
    clean, noisy = set9(Path(case["data"]), case["level"], case["picture"], case["side"])
    row = _cbm3d(noisy, case["level"]) if case["method"] == "cbm3d" else _untaught(noisy, clean, case)
    restored = row.pop("image")
    return {
        "psnr": round(psnr(restored, clean), 3),
        "ssim": round(_ssim(restored, clean), 4),
        "psnr_noisy": round(psnr(noisy, clean), 3),
        **row,
        "peak_gib": round(peak_gib(), 3),
        "date": date.today().isoformat(),
        "machine": machine(),
    }


def _ssim(a: NDArray[Any], b: NDArray[Any]) -> float:
    from skimage.metrics import structural_similarity

    return float(structural_similarity(a, b, channel_axis=2))


def _cbm3d(noisy: NDArray[np.uint8], level: int) -> dict[str, Any]:
    import bm3d

    started = time.monotonic()
    found = bm3d.bm3d_rgb(noisy / 255, level / 255)
    seconds = time.monotonic() - started
    return {
        "image": np.clip(np.rint(found * 255), 0, 255).astype(np.uint8),
        "seconds": round(seconds, 2),
        "method": "cbm3d, level given",
    }


def _method(name: str) -> Any:
    from untaught.methods.untrained.dip import DIP

    if name == "dip-paper":
        return DIP.paper()
    if name == "dip-paper-bf16":
        return replace(DIP.paper(), bfloat16=True)
    return name


def _untaught(noisy: NDArray[np.uint8], clean: NDArray[np.uint8], case: dict[str, Any]) -> dict[str, Any]:
    import untaught

    path: list[tuple[str, int, float, Any]] = []

    def look(progress: Any) -> None:
        if progress.steps > 1:  # not a closed formula
            path.append((progress.phase, progress.step, progress.seconds, progress.preview().half()))

    name = case["method"].removesuffix(GIVEN)
    paper = name.startswith("dip-paper")
    result = untaught.denoise(
        noisy,
        method=_method(name),
        noise="auto" if name == case["method"] else f"gaussian:{case['level']}",
        stop="steps" if paper else None,
        seed=case["seed"],
        time_limit=case["time_limit"],
        on_progress=look,
    )
    return {
        "image": result.image,
        "method": result.method,
        "estimate": _rounded(result.psnr and vars(result.psnr)),
        "sigma": result.noise.as_dict()["sigma"],
        "seconds": round(result.seconds, 2),
        "stopped": {"rule": result.stopped.rule, "step": result.stopped.step},
        **_peak(path, result, clean),
        "versions": result.recipe.versions,
        "threads": result.recipe.threads,
    }


def _rounded(estimate: dict[str, Any] | None) -> dict[str, float] | None:
    return estimate and {k: round(v, 3) for k, v in estimate.items() if k != "assumes"}


def _peak(path: list[Any], result: Any, clean: NDArray[np.uint8]) -> dict[str, Any]:
    """Return the fit's own best iterate by true PSNR, and the one its rule chose, judged alike."""
    if not path:
        return {}
    phase = path[-1][0]
    own = [entry for entry in path if entry[0] == phase]
    score: Callable[[Any], float] = lambda x: psnr(  # noqa: E731
        np.clip(result.noise.unclip(x.float())[0].permute(1, 2, 0).numpy(), 0, 1), clean / 255, 1.0
    )
    curve = [(step, round(seconds, 1), score(preview)) for _, step, seconds, preview in own]
    best = max(curve, key=lambda entry: entry[2])
    chosen = next((entry for entry in curve if entry[0] == result.stopped.step), curve[-1])
    return {
        "peak": {"psnr": round(best[2], 3), "step": best[0], "seconds": best[1]},
        "chosen": {"psnr": round(chosen[2], 3), "step": chosen[0], "seconds": chosen[1]},
        "curve": [(step, s, round(p, 2)) for step, s, p in curve[:: max(1, len(curve) // 40)]],
    }


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--quick", action="store_true", help="two pictures only")
    parser.add_argument("--methods", default=METHODS)
    parser.add_argument("--pictures", default="")
    parser.add_argument("--levels", default="25")
    parser.add_argument("--side", type=int, default=256, help="central crop; 0: whole pictures")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--time-limit", type=float, default=None)
    answer(parser, (__file__, cases, run), "set9_awgn")


if __name__ == "__main__":
    main()
