"""Stacks restored together, beside their planes one by one, non-local means in 3D and BM4D; all know the level.

    python benchmarks/stacks.py --data DIR [--quick] [--stacks carphone_gray,...] [--levels 20,40] [--planes N]
    python benchmarks/stacks.py --data DIR --law rician [--levels 3,5,9] [--stacks mri_t1_colin27_2mm]
    python benchmarks/stacks.py --data DIR --networks gr2r,n2v,n2n [--planes 8] [--crop 96] [--steps 1500]

DIR holds `video` and `volumes`, TIFF files of clean planes. Series are tried at levels 20 and 40 of 255, volumes
at 10 and 25 (Rician: in per cent of the peak), neither cut off nor rounded. PSNR is that of the whole stack; CPU
seconds count every thread, after a first call that is not counted. `inside` is the share of planes whose stated
90 % interval holds the truth, `stated` by how much too high the PSNR is stated on average. All methods of a line
ran in the same process. `flicker`: how much, of 255, the error of flat squares of a film that stand still
changes from a plane to the next. `quick` is what `--effort quick` does together. BM4D is the package `bm4d`,
which is not a dependency: its licence is non-commercial. With --networks each of them is run on the stack with
neighbours, on its planes one by one (n2n cannot be), and beside `together`; --steps is what one plane takes at
most, and a stack of n sqrt(n) times that. One JSON line a stack and level in --output; what is there is not run
again.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.flicker import flicker
from lib.harness import answer, machine, peak_gib, psnr

SERIES = ("carphone_gray", "bus_gray", "bus_colour", "people_colour", "motorway_colour", "davis_tennis_colour")
VOLUMES = ("mri_t1_colin27_2mm", "ct_head_64")
LEVELS = {("gaussian", "video"): "20,40", ("gaussian", "volumes"): "10,25", ("rician", "volumes"): "3,5,9"}
QUICK = ("carphone_gray", "ct_head_64")

Stack = NDArray[np.float32]  # (planes, height, width, channels), of 255
Law = tuple[str, float]


def cases(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what has to be run."""
    names = args.stacks.split(",") if args.stacks else QUICK if args.quick else (*SERIES, *VOLUMES)
    for name in names:
        folder = "video" if name in SERIES else "volumes"
        for level in (args.levels or LEVELS.get((args.law, folder), "")).split(","):
            if level:
                yield {
                    "stack": name,
                    "law": args.law,
                    "level": float(level),
                    "planes": args.planes or (8 if args.quick else 0),
                    "threads": args.threads,
                    "networks": args.networks,
                    "crop": args.crop,
                    "steps": args.steps,
                    "data": str(args.data / folder),
                }


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Run every method on one stack."""
    import torch

    torch.set_num_threads(case["threads"])
    clean, noisy, law = drawn(case)
    along = "time" if case["stack"] in SERIES else "depth"
    rows = {}
    known = networks(case, law) if case["networks"] else methods(along, law)
    if case["networks"]:
        known["together"] = _ours(along, law)
    for name, method in known.items():
        if name not in case["networks"]:
            method(noisy[:8, :48, :48])  # imports, and what is compiled
        spent, started = time.process_time(), time.monotonic()
        found, stated = method(noisy)
        rows[name] = {
            "psnr": round(psnr(found, clean), 3),
            "cpu": round(time.process_time() - spent, 1),
            "seconds": round(time.monotonic() - started, 1),
            **trust(found, clean, stated),
            **beat(along, found, clean),
        }
    gain = {name: round(rows["together"]["psnr"] - row["psnr"], 3) for name, row in rows.items()}
    return {
        **rows,
        "gain_over": gain,
        "noisy": round(psnr(noisy, clean), 3),
        **beat(along, noisy, clean),
        "size": clean.shape,
        "peak_gib": round(peak_gib(), 3),
        "date": date.today().isoformat(),
        "machine": machine(),
    }


def beat(along: str, found: Stack, clean: Stack) -> dict[str, float]:
    """Return how flat parts of a film flicker, where there are such."""
    told = flicker(found, clean) if along == "time" else None
    return {} if told is None else {"flicker": round(told, 3)}


def drawn(case: dict[str, Any]) -> tuple[Stack, Stack, Law]:
    """Return the clean and the noisy planes, and the law of the noise, on the scale of 255."""
    import tifffile

    values = tifffile.imread(Path(case["data"]) / f"{case['stack']}.tif")
    peak = 255 if values.dtype == np.uint8 else float(values.max())
    x = values.astype(np.float64) * 255 / peak
    random, level = np.random.default_rng(0), case["level"]
    if case["law"] == "rician":
        level *= 2.55
        real = random.standard_normal(x.shape)
        y = np.hypot(x + level * real, level * random.standard_normal(x.shape))
    else:
        y = x + level * random.standard_normal(x.shape)
    most = min(case["planes"] or len(x), len(x))
    middle = slice((len(x) - most) // 2, (len(x) + most) // 2)
    part = (middle, *(_middle(length, case["crop"]) for length in x.shape[1:3]))
    clean, noisy = (a[part].astype(np.float32).reshape(*a[part].shape[:3], -1) for a in (x, y))
    return clean, noisy, (case["law"], level)


def _middle(length: int, most: int) -> slice:
    side = min(most or length, length)
    return slice((length - side) // 2, (length + side) // 2)


Stated = Sequence[Any]  # the interval of every plane, if there are any
Method = Callable[[Stack], tuple[Stack, Stated]]


def methods(along: str, law: Law) -> dict[str, Method]:
    """Return what is compared, by name."""
    found = {
        "together": _ours(along, law),
        "quick": _ours(along, law, "Quick"),
        "alone": _ours("", law),
        "nlm3d": _nlm(law),
    }
    if find_spec("bm4d") is not None and law[0] == "gaussian":
        found["bm4d"] = _bm4d(law)
    return found


def networks(case: dict[str, Any], law: Law) -> dict[str, Method]:
    """Return the networks that are compared, each with neighbours and, where it can be, one by one."""
    axes = "TYX" if case["stack"] in SERIES else "ZYX"
    found = {}
    for name in case["networks"].split(","):
        found[name] = _network(name, law, (axes, "auto"), case["steps"])
        if name != "n2n":
            found[f"{name} alone"] = _network(name, law, (axes, "none"), case["steps"])
    return found


def _network(name: str, law: Law, planes: tuple[str, str], steps: int) -> Method:
    def method(noisy: Stack) -> tuple[Stack, Stated]:
        from untaught import Image, denoise
        from untaught.methods.registry import make

        axes, together = planes
        stack, axes = (noisy[..., 0], axes) if noisy.shape[3] == 1 else (noisy, f"{axes}S")
        count = len(noisy) ** 0.5 if together == "auto" else 1
        asked = replace(make(name), steps=round((steps or 1500) * count))  # type: ignore[type-var]
        picture = replace(Image.of(stack, axes), value_range=(0.0, 255.0))
        result = denoise(picture, method=asked, noise=f"{law[0]}:{law[1]}", together=together)
        return result.image.reshape(noisy.shape), [one.psnr for one in result.planes]

    return method


def trust(found: Stack, clean: Stack, stated: Stated) -> dict[str, float]:
    """Return how many of the planes' intervals hold the truth, and how far they are off."""
    if not stated:
        return {}
    true = [math.inf if np.array_equal(a, b) else psnr(a, b) for a, b in zip(found, clean, strict=True)]
    inside = [s.low <= t <= s.high for s, t in zip(stated, true, strict=True)]
    off = [
        s.value - t for s, t in zip(stated, true, strict=True) if t < math.inf
    ]  # not of empty planes left empty
    return {"inside": round(float(np.mean(inside)), 3), "stated": round(float(np.mean(off)), 3)}


def _ours(along: str, law: Law, kind: str = "MultiScale") -> Method:
    def method(noisy: Stack) -> tuple[Stack, Stated]:
        import torch

        from untaught.methods.non_local import multiscale
        from untaught.noise import parse_noise
        from untaught.pipeline.plane.judge import clean_risk, with_signal
        from untaught.problem import Problem, array, tensor
        from untaught.risk.background import signal_of
        from untaught.risk.calibration import calibrated
        from untaught.risk.estimate import to_interval
        from untaught.risk.sure import common_kernel, terms_of
        from untaught.risk.tweedie import Shrinkage

        noise = parse_noise(f"{law[0]}:{law[1]}")
        if noise is None:
            raise ValueError(law)
        planes = [tensor(plane / 255) for plane in noisy]
        problems = [Problem(y, torch.ones_like(y[:, :1]), noise) for y in planes]
        ours = getattr(multiscale, kind)()
        shrinkage = Shrinkage(*ours.runs.tweedie)
        if along:
            estimates = ours.solve_together(problems, along, 0)  # type: ignore[arg-type]
            shrinkage = Shrinkage(*(ours.runs.tweedie_time if along == "time" else ours.runs.tweedie_depth))
        else:
            estimates = [ours.solve(problem, 0) for problem in problems]
        terms = []
        for problem, estimate in zip(problems, estimates, strict=True):
            kernel = common_kernel(problem, estimate.image)
            terms.append(terms_of(estimate.image, estimate.responses, problem, kernel))
        found = [array(signal_of(noise, e.image, p.mask)) for p, e in zip(problems, estimates, strict=True)]
        stated = []
        if all(estimate.responses for estimate in estimates):
            pairs = zip(problems, estimates, terms, strict=True)
            shown = [with_signal(problem, estimate.image, own) for problem, estimate, own in pairs]
            shrinkage = calibrated(shrinkage, shown, 0.0) if along else shrinkage
            for problem, estimate, own in zip(problems, estimates, terms, strict=True):
                risk = clean_risk(shrinkage, problem, estimate.image, own)
                stated.append(to_interval(risk, float(own.variance.mean()), ""))
        return np.stack([255 * x for x in found]), stated

    return method


def _nlm(law: Law) -> Method:
    def method(noisy: Stack) -> tuple[Stack, Stated]:
        from skimage.restoration import denoise_nl_means

        level = law[1] / 255
        settings = {"patch_size": 3, "patch_distance": 4, "h": 0.7 * level, "sigma": level, "fast_mode": True}
        channels = [denoise_nl_means(noisy[..., c] / 255, **settings) for c in range(noisy.shape[3])]
        return 255 * np.stack(channels, -1), ()

    return method


def _bm4d(law: Law) -> Method:
    def method(noisy: Stack) -> tuple[Stack, Stated]:
        import bm4d

        channels = [bm4d.bm4d(noisy[..., c].astype(float) / 255, law[1] / 255) for c in range(noisy.shape[3])]
        return 255 * np.stack(channels, -1), ()

    return method


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--quick", action="store_true", help="eight planes of a series and of a volume")
    parser.add_argument("--stacks", help="names, with commas between them; all by default")
    parser.add_argument("--law", choices=("gaussian", "rician"), default="gaussian")
    parser.add_argument("--levels")
    parser.add_argument("--planes", type=int, default=0, help="so many from the middle; 0: all")
    parser.add_argument("--networks", default="", help="names, with commas between them, in place of the formulas")
    parser.add_argument("--crop", type=int, default=0, help="so many pixels on a side, from the middle; 0: all")
    parser.add_argument("--steps", type=int, default=0, help="of a network for one plane; 0: as it is set up")
    parser.add_argument("--threads", type=int, default=1)
    answer(parser, (__file__, cases, run), "video and volumes")


if __name__ == "__main__":
    main()
