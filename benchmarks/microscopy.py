"""Real stacks that have a reference: together, one by one, means of neighbours, non-local means in 3D, BM4D.

    python benchmarks/microscopy.py --data DIR [--quick] [--stacks gcamp,calcium,oct]

DIR holds `stacks/microscopy` and `pairs/oct`. Nothing is said of the noise: `together` and `alone` are what
`untaught.denoise` does by itself, the others are given the deviation that scikit-image measures.

- `gcamp`: two-photon, the first ten frames; held against the mean of the ten after them, whose own noise, as it
  shows in how these differ, is taken off the squared errors.
- `calcium`: two-photon, 300 frames; held against the mean of the 700 that follow.
- `oct`: the retina, five neighbouring scans; the middle one is held against the mean of many of its place.

What moves or fires is in no reference: the figures are of what stays, the same for all. PSNR's peak is the largest
value of the reference. BM4D is the package `bm4d`, which is not a dependency: its licence is non-commercial.
One JSON line a stack in --output; what is there is not run again.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.harness import answer, machine

STACKS = ("gcamp", "calcium", "oct")
REACHES = (1, 2, 4)  # neighbours on each side
QUICK = 6  # planes

Stack = NDArray[np.float64]  # (planes, height, width)


def cases(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what has to be run."""
    for name in args.stacks.split(","):
        yield {"stack": name, "planes": QUICK if args.quick else 0, "data": str(args.data)}


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Run every method on one stack."""
    noisy, reference, own, scored = loaded(case["stack"], Path(case["data"]))
    noisy = noisy[: case["planes"] or None]
    scored = [place for place in scored if place < len(noisy)] or [len(noisy) // 2]
    rows, said = {}, {}
    for name, method in methods(noisy).items():
        spent = time.process_time()
        found, told = method(noisy)
        error = np.mean([np.mean(np.square(found[place] - reference)) for place in scored]) - own
        decibels = 10 * math.log10(reference.max() ** 2 / max(error, 1e-12))
        rows[name] = {"psnr": round(decibels, 2), "cpu": round(time.process_time() - spent, 1)}
        if told:
            said[name] = told
    return {
        **rows,
        "said": said,
        "size": noisy.shape,
        "date": date.today().isoformat(),
        "machine": machine(),
    }


def loaded(name: str, data: Path) -> tuple[Stack, Stack, float, list[int]]:
    """Return planes, what they are held against, the noise variance of that, and which of them are."""
    import tifffile
    from PIL import Image

    if name == "oct":
        planes = tifffile.imread(data / "pairs" / "oct" / "01_stack5.tif").astype(np.float64)
        with Image.open(data / "pairs" / "oct" / "01_average.png") as reference:
            return planes, np.asarray(reference, np.float64), 0.0, [len(planes) // 2]
    folder = data / "stacks" / "microscopy"
    if name == "gcamp":
        planes = tifffile.imread(folder / "gcamp_2photon.tif").astype(np.float64)
        half = len(planes) // 2
        rest = planes[half:]
        return planes[:half], rest.mean(0), float(rest.var(0, ddof=1).mean() / len(rest)), list(range(half))
    planes = tifffile.imread(folder / "calcium_2photon_small.tif").astype(np.float64)
    mean = tifffile.imread(folder / "calcium_2photon_small_mean1000.tif").astype(np.float64)
    return planes, (1000 * mean - planes.sum(0)) / (1000 - len(planes)), 0.0, list(range(len(planes)))


Method = Callable[[Stack], tuple[Stack, str]]


def methods(noisy: Stack) -> dict[str, Method]:
    """Return what is compared, by name."""
    from skimage.restoration import estimate_sigma

    level = float(np.mean([estimate_sigma(plane) for plane in noisy]))
    found: dict[str, Method] = {"input": lambda y: (y, ""), "together": _ours("auto"), "alone": _ours("none")}
    for reach in REACHES:
        found[f"mean of {2 * reach + 1}"] = partial(_mean, reach=reach)
    found["nlm3d"] = partial(_nlm, level=level)
    if find_spec("bm4d") is not None:
        found["bm4d"] = partial(_bm4d, level=level)
    return found


def _ours(together: str) -> Method:
    def method(noisy: Stack) -> tuple[Stack, str]:
        from untaught import Image, denoise

        whole = noisy.astype(np.uint8 if noisy.max() < 256 else np.uint16)
        result = denoise(Image.of(whole, "TYX"), together=together)
        return result.image.astype(np.float64), f"{result.method}, {result.noise}, {result.psnr}"

    return method


def _mean(noisy: Stack, reach: int) -> tuple[Stack, str]:
    count = len(noisy)
    windows = [slice(max(0, place - reach), min(count, place + reach + 1)) for place in range(count)]
    return np.stack([noisy[window].mean(0) for window in windows]), ""


def _nlm(noisy: Stack, level: float) -> tuple[Stack, str]:
    from skimage.restoration import denoise_nl_means

    settings = {"patch_size": 3, "patch_distance": 4, "h": 0.7 * level, "sigma": level, "fast_mode": True}
    return denoise_nl_means(noisy, **settings), ""


def _bm4d(noisy: Stack, level: float) -> tuple[Stack, str]:
    import bm4d

    return bm4d.bm4d(noisy, level), ""


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--quick", action="store_true", help=f"the first {QUICK} planes of each")
    parser.add_argument("--stacks", default=",".join(STACKS), help="names, with commas between them")
    answer(parser, (__file__, cases, run), "stacks/microscopy and pairs/oct")


if __name__ == "__main__":
    main()
