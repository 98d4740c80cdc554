"""The stop that theory predicts before the first step, beside the stopping rule's and the best, on many pictures.

    python benchmarks/explained.py [--pictures camera,astronaut] [--levels 15,25,50] [--seeds 1] [--output FILE]

Pictures of scikit-image, as `untaught explain` reduces them: 64 x 64, grey. One JSON line a case, with the PSNR of
the fit to the noisy picture at each stop; cases that are in the output already are not run again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lib.harness import machine, run_cases

PICTURES = "camera,astronaut,coffee,cat,rocket,brick,grass,coins,page,moon"


def cases(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what has to be run."""
    for picture in args.pictures.split(","):
        for level in args.levels.split(","):
            for seed in range(args.seeds):
                yield {"picture": picture, "level": float(level), "seed": seed}


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Run one case."""
    from skimage import data

    import untaught
    from untaught.theory.explain import Experiment

    started = time.process_time()
    found = untaught.explain(
        getattr(data, case["picture"])(),
        noise=f"gaussian:{case['level']}",
        seed=case["seed"],
        experiment=Experiment(vectors=1),
    )
    best = found.stops["best"].psnr or 0.0
    behind = {
        name: None if stop.psnr is None else round(best - stop.psnr, 3) for name, stop in found.stops.items()
    }
    return {
        "stops": {name: stop.step for name, stop in found.stops.items()},
        "psnr_best": round(best, 3),
        "behind_best": behind,
        "steps_to": found.as_dict(curves=False)["steps_to"],
        "notes": list(found.start.notes),
        "cpu_seconds": round(time.process_time() - started, 1),
        "machine": machine(),
    }


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", default=PICTURES)
    parser.add_argument("--levels", default="15,25,50")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/explained.jsonl"))
    parser.add_argument("--case", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.case:
        print(json.dumps(run(json.loads(args.case))))
    else:
        run_cases(__file__, cases(args), args.output)


if __name__ == "__main__":
    main()
