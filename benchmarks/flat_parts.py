"""Waves that are left in flat parts, beside BM3D's.

    python benchmarks/flat_parts.py --data DIR [--quick] [--methods nonlocal,auto,bm3d] [--pictures drawn,ct,...]

The pictures are those of `lib/flat_pictures.py`, the measure is that of `lib/flat_waves.py`. The noise is not
given, except to BM3D, which needs its level (of noise that is no white Gaussian: the root mean square; of
correlated noise: the power spectrum). BM3D is the package `bm3d`, which is not a dependency: its licence is
non-commercial. Where it is not installed, it is left out. One JSON line a case in --output; cases that are there
already are not run again.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.flat_pictures import CT, DRAWN, LAWS, SKIES, SKY_LAWS, FlatPicture, flat_picture
from lib.flat_waves import waves
from lib.harness import answer, machine, psnr

BM3D = "bm3d"
PICTURES = (CT, DRAWN, *SKIES)


def cases(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what has to be run."""
    names = args.pictures.split(",") if args.pictures else (DRAWN,) if args.quick else PICTURES
    for name in names:
        laws = ("of the file",) if name == CT else LAWS if name == DRAWN else SKY_LAWS
        for law in laws[1:2] if args.quick and len(laws) > 1 else laws:
            for method in args.methods.split(","):
                if method == BM3D and find_spec(BM3D) is None:
                    continue
                quick = {"quick": True} if args.quick else {}
                case = {"picture": name, "noise": law, "method": method, "seed": args.seed}
                yield {**case, **quick, "data": str(args.data)}


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Run one case."""
    given = flat_picture(Path(case["data"]), case["picture"], case["noise"], case.get("quick", False))
    started = time.monotonic()
    restored, more = (_bm3d(given, case), {}) if case["method"] == BM3D else _untaught(given, case)
    seconds = time.monotonic() - started
    left, before = (waves(values - given.clean, given.corners) for values in (restored, given.noisy))
    return {
        "psnr": round(psnr(restored[given.counted], given.clean[given.counted]), 3),
        "psnr_noisy": round(psnr(given.noisy[given.counted], given.clean[given.counted]), 3),
        "waves": round(left.rms, 4),
        "waves_common": round(left.common, 4),
        "waves_noisy": round(before.rms, 4),
        "windows": left.windows,
        **more,
        "seconds": round(seconds, 2),
        "date": date.today().isoformat(),
        "machine": machine(),
    }


def _untaught(given: FlatPicture, case: dict[str, Any]) -> tuple[NDArray[Any], dict[str, Any]]:
    import untaught

    picture = untaught.Image.of(given.noisy.astype(np.float32), "YXS"[: given.noisy.ndim])
    result = untaught.denoise(picture, method=case["method"], seed=case["seed"])
    return result.image, {"used": result.method, "found": result.noise.kind, "threads": result.recipe.threads}


def _bm3d(given: FlatPicture, case: dict[str, Any]) -> NDArray[Any]:
    import bm3d

    call = bm3d.bm3d_rgb if given.noisy.ndim == 3 else bm3d.bm3d
    found: NDArray[Any] = 255 * call(given.noisy / 255, _level(given, case["noise"]))
    return found


def _level(given: FlatPicture, law: str) -> Any:
    """Return what BM3D is told, on a range of 1: a standard deviation, or the power spectrum, (H, W)."""
    from untaught.noise import Correlated, parse_noise

    model = None if law not in LAWS else parse_noise(law)
    if isinstance(model, Correlated):
        kernel = model.sigma * np.asarray(model.kernel, float)
        size = given.clean.shape[:2]
        return np.abs(np.fft.fft2(kernel, size)) ** 2 * size[0] * size[1]
    return float(np.std((given.noisy - given.clean)[given.counted])) / 255


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--quick", action="store_true", help="a part of one picture, one kind of noise")
    parser.add_argument("--methods", default=f"nonlocal,auto,{BM3D}")
    parser.add_argument("--pictures", default="", help=f"of {', '.join(PICTURES)}")
    parser.add_argument("--seed", type=int, default=0)
    answer(parser, (__file__, cases, run), "kodak and cases")


if __name__ == "__main__":
    main()
