"""Trust: the PSNR that a result states about itself, held against the true one.

    python benchmarks/trust.py --data DIR [--quick] [--methods auto,nonlocal,...] [--pictures F16,...]
                               [--kinds gaussian,...] [--levels 1,2,3] [--time-limit SECONDS]

The noise is not given. One JSON line a case in --output; cases that are there already are not run again.
`benchmarks/table.py` makes the table of it and `benchmarks/plots.py` the reliability plot.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from datetime import date
from typing import Any

from lib.corruptions import add_arguments, corruptions, pictures_of
from lib.harness import machine, psnr, run_cases

METHODS = "auto,nonlocal,nlm,tv,wavelet"  # `dip` and `r2r` may be asked for, and take minutes a case


def cases(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what has to be run."""
    for case in corruptions(args):
        for method in args.methods.split(","):
            yield {**case, "method": method, "time_limit": args.time_limit}


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Run one case."""
    import untaught

    clean, noisy = pictures_of(case)
    result = untaught.denoise(noisy, method=case["method"], seed=case["seed"], time_limit=case["time_limit"])
    stated = result.psnr
    return {
        "psnr": round(psnr(result.image, clean), 3),
        "psnr_noisy": round(psnr(noisy, clean), 3),
        "estimate": stated and {key: round(getattr(stated, key), 3) for key in ("value", "low", "high")},
        "assumes": stated and stated.assumes,
        "used": result.method,
        "found": result.noise.kind,
        "sigma": round(result.noise.level * 255, 2),
        "seconds": round(result.seconds, 1),
        "threads": result.recipe.threads,
        "date": date.today().isoformat(),
        "machine": machine(),
    }


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser, "trust.jsonl")
    parser.add_argument("--methods", default=METHODS)
    parser.add_argument("--time-limit", type=float, help="seconds a picture; default: none")
    args = parser.parse_args()
    if args.case:
        print(json.dumps(run(json.loads(args.case))))
    elif args.data is None:
        parser.error("--data DIR: the folder that holds set9_awgn")
    else:
        run_cases(__file__, cases(args), args.output)


if __name__ == "__main__":
    main()
