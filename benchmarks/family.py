"""Every method that learns from one noisy picture, with the same network and the same seconds.

    python benchmarks/family.py --data DIR [--quick] [--methods gr2r,n2v,...] [--noise files] [--seconds 120]
    python benchmarks/family.py --data DIR --noise gaussian --methods gr2r --levels 0.6,0.8,1,1.2,1.4,measured

Seconds are those of the processor, on one thread, so that other programs do not change them. The level is given.
--noise: `files`, the nine pictures with AWGN of 25 as they are; or noise drawn on the clean pictures and not cut
off: `gaussian`, `correlated` (blurred with a 3 x 3 box, level 25), `poisson` (peak 30), `poisson10`, `gamma` (10
looks). With these, `gr2r-gaussian` is R2R by a normal law, `anscombe` and `logarithm` the same on stabilised
values, `gr2r-gamma` generalised R2R. --levels tells the method that many times the true level, or the one that is
measured. Where a method has an uncertainty map, `sparsification` says how well it ranks the errors: the area under
the curve of the error left when the most uncertain pixels are taken out, over that of a random order; beside it
that of the gradient of the answer, and the least possible. One JSON line a picture and method in --output; what is
there is not run again. A table, and with --plot a picture, are made of all that --output holds of the same side,
seconds and width.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.harness import SET9, done, machine, psnr, run_cases, set9
from lib.sparsification import sparsification
from lib.variance_stabilisation import BACK, TRANSFORMS
from lib.variance_stabilisation import LOOKS as GAMMA
from tables.markdown import grouped, table

QUICK = ("F16", "kodim03")
SIGMA = 25
BOX = "correlated:25,1 1 1/1 1 1/1 1 1"
NOISES = {
    "gaussian": "gaussian:25",
    "correlated": BOX,
    "poisson": f"poisson:{255 / 30},0",
    "poisson10": f"poisson:{255 / 10},0",
    "gamma": f"speckle:{GAMMA**-0.5}",
    "files": "gaussian:25",
}
COLUMNS = 3  # of the plot
LOOKS = (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 450, 600, 900)  # seconds of the table and the plot


def cases(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what has to be run."""
    pictures = args.pictures.split(",") if args.pictures else QUICK if args.quick else SET9
    for picture in pictures:
        for method, level in product(args.methods.split(","), args.levels.split(",")):
            yield {
                "picture": picture,
                "method": method,
                "noise": args.noise,
                "side": args.side,
                "seconds": args.seconds,
                "width": args.width,
                "seed": args.seed,
                "data": str(args.data),
                **({} if level == "1" else {"level": level}),
            }


def observed(case: dict[str, Any]) -> tuple[NDArray[Any], NDArray[Any], Any]:
    """Return the clean picture and the noisy one on [0, 1], (H, W, C), and the model of the noise."""
    from untaught.noise import clipping, parse_noise

    clean, noisy = (p / 255 for p in set9(Path(case["data"]), SIGMA, case["picture"], case["side"]))
    model = parse_noise(NOISES[case["noise"]])
    assert model is not None
    if case["noise"] == "files":
        return clean, noisy, replace(model, clip=clipping(noisy).clip)
    rng = np.random.default_rng(case["seed"])
    if case["noise"] == "gamma":
        return clean, clean * rng.gamma(GAMMA, 1 / GAMMA, clean.shape), model
    return clean, model.sample(clean, rng), model


def told(case: dict[str, Any], noisy: NDArray[Any], model: Any) -> Any:
    """Return the model of the noise that the method is given: the true one, or one of another level."""
    from untaught.noise import estimate_sigma

    if "level" not in case:
        return model
    if case["level"] == "measured":
        return estimate_sigma(noisy.astype(np.float32))
    return model.scaled(float(case["level"]) ** 2, 0.0)


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Run one case."""
    import torch
    from torch import Tensor

    from untaught.fitting.loop import fit
    from untaught.fitting.progress import Options
    from untaught.fitting.stopping import StepBudget
    from untaught.problem import Problem

    torch.set_num_threads(1)
    clean, noisy, model = observed(case)
    psnr_noisy = psnr(noisy, clean, 1.0)
    back = BACK.get(case["method"])
    if back:
        noisy, model = TRANSFORMS[case["method"]](noisy, model)
    model = told(case, noisy, model)
    y = torch.from_numpy(np.ascontiguousarray(noisy.transpose(2, 0, 1))).float()[None]
    problem = Problem(y, torch.ones(1, 1, *y.shape[2:]), model)
    curve: list[tuple[float, float]] = []
    spent = [time.process_time()]  # when looking at the picture is left out

    def score(image: Tensor) -> float:
        values = (image if back else model.unclip(image)).double().numpy()[0].transpose(1, 2, 0)
        return psnr(np.clip(back(values, model) if back else values, 0, 1), clean, 1.0)

    def look(progress: Any) -> None:
        seconds = time.process_time() - spent[0]
        curve.append((round(seconds, 2), round(score(progress.preview()), 3)))
        spent[0] = time.process_time() - seconds
        if seconds >= case["seconds"]:
            raise KeyboardInterrupt

    fitted = fit(_method(case), problem, case["seed"], Options(rule=StepBudget(every=25), on_progress=look))
    return {
        "psnr": round(score(fitted.estimate.image), 3),
        "psnr_noisy": round(psnr_noisy, 3),
        "sigma_told": round(model.level * 255, 3),
        "sparsification": None if back else sparsification(fitted.estimate, clean),
        "best": max((p for _, p in curve), default=None),
        "steps": fitted.stopped.step,
        "curve": curve[:: max(1, len(curve) // 60)],
        "threads": 1,
        "date": date.today().isoformat(),
        "machine": machine(),
    }


def _method(case: dict[str, Any]) -> Any:
    """Return the method with the shared network; that of `self2self` has its width, and knows what is missing."""
    from untaught.methods.networks.partial_unet import PartialShape
    from untaught.methods.networks.unet import UNetShape
    from untaught.methods.registry import make

    law = {"gr2r-gaussian": "gaussian", "gr2r-gamma": "gamma"}.get(case["method"])
    name = "gr2r" if law or case["method"] in BACK else case["method"]
    settings: dict[str, Any] = {"steps": 10**6, "shape": UNetShape(width=case["width"], scales=3)}
    if name == "self2self":
        settings["partial"] = PartialShape(width=case["width"] // 2, scales=4)
    if law:
        settings["law"] = law
    return make(name, settings)


def reached(curve: list[Any], seconds: float) -> float:
    """Return the PSNR at the last look within so many seconds; NaN where there was none."""
    before = [p for s, p in curve if s <= seconds]
    return before[-1] if before else float("nan")


def lines(rows: list[dict[str, Any]]) -> str:
    """Return the mean PSNR of every method over the pictures, on the way and of the answer, as a table."""
    looks = [s for s in LOOKS if s < max(row["case"]["seconds"] for row in rows)]
    cells = []
    for (noise, method, level), found in ranked(rows):
        means = [float(np.mean([reached(row["curve"], s) for row in found])) for s in looks]
        steps = float(np.mean([row["steps"] for row in found]))
        answer = float(np.mean([row["psnr"] for row in found]))
        way = [f"{mean:.2f}" if mean == mean else "" for mean in means]
        name = f"{noise}, {method}" + (f", level {level}" if level else "")
        cells.append([name, str(len(found)), *way, f"{answer:.2f}", f"{steps:.0f}"])
    heads = "|".join(["noise, method", "pictures", *(f"{s} s" for s in looks), "answer", "steps"])
    return table(heads, cells)


def ranked(rows: list[dict[str, Any]]) -> list[tuple[tuple[Any, ...], list[dict[str, Any]]]]:
    """Return the rows by noise and method, the best answer of a noise first."""
    groups = grouped(rows, "noise", "method", "level").items()
    return sorted(groups, key=lambda item: (item[0][0], -float(np.mean([row["psnr"] for row in item[1]]))))


def plot(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw the mean PSNR over the pictures against seconds, a line a method, its answer a dot at the end."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    noises = sorted({row["case"]["noise"] for row in rows}, key=lambda noise: (noise != "files", noise))
    columns = min(len(noises), COLUMNS)
    high = -(-len(noises) // columns)
    figure = Figure(figsize=(5 * columns, 4 * high), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(high, columns, squeeze=False).ravel()
    for axis in axes[len(noises) :]:
        axis.remove()
    for axis, noise in zip(axes, noises, strict=False):
        shown = [(" ".join(filter(None, name)), found) for (of, *name), found in ranked(rows) if of == noise]
        for number, (method, found) in enumerate(shown):
            end = max(row["case"]["seconds"] for row in found)
            seconds = np.linspace(0, end, 200)
            mean = [np.mean([reached(row["curve"], s) for row in found]) for s in seconds]
            (drawn,) = axis.plot(seconds, mean, label=method, linestyle=("-", "--", ":")[number % 3])
            answer = np.mean([row["psnr"] for row in found])
            axis.plot([1.02 * end], [answer], "o", color=drawn.get_color(), markersize=4)
        axis.set(title=noise, xlabel="seconds on one thread; dot: the answer", ylabel="PSNR (dB)")
        axis.legend(fontsize=7)
        axis.grid(alpha=0.3)
    figure.savefig(path)


def main() -> None:
    """Read the arguments and run."""
    from untaught.methods.self_supervised.learners import LEARNERS

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--quick", action="store_true", help="two pictures, crops of 64, 10 seconds, width 16")
    parser.add_argument(
        "--methods", default=",".join(name for name in LEARNERS if name not in ("n2n", "struct-n2v"))
    )
    parser.add_argument("--pictures", default="")
    parser.add_argument("--levels", default="1", help="times the true level, or measured; separated by commas")
    parser.add_argument("--noise", choices=NOISES, default="files")
    parser.add_argument("--side", type=int, default=128, help="central crop; 0: whole pictures")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--width", type=int, default=32, help="channels of the network")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/family.jsonl"))
    parser.add_argument("--plot", type=Path, help="picture of PSNR against seconds")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.case:
        print(json.dumps(run(json.loads(args.case))))
        return
    if args.data is None:
        parser.error("--data DIR: the folder that holds set9_awgn")
    if args.quick:
        args.side, args.seconds, args.width = 64, 10.0, 16
    run_cases(__file__, cases(args), args.output)
    settings = grouped(done(args.output), "side", "seconds", "width")
    rows = settings.get((args.side, args.seconds, args.width), [])
    if rows:
        print(lines(rows))
    if rows and args.plot:
        plot(rows, args.plot)


if __name__ == "__main__":
    main()
