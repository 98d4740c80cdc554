"""Trust: the PSNR that a result states about itself, held against the true one.

    python benchmarks/trust.py --data DIR [--quick] [--methods auto,nonlocal,...] [--pictures F16,...]
                               [--kinds gaussian,...] [--levels 1,2,3] [--time-limit SECONDS]
    python benchmarks/trust.py --data DIR --real cc,polyu,fmd,oct [--quick] [--methods ...]

The noise is not given. With --real it is that of cameras and microscopes (`lib/real_pairs.py`), the truth a mean
of many shots. One JSON line a case in --output; cases that are there already are not run again.
`benchmarks/table.py` makes the table of it and `benchmarks/plots.py` the reliability plot.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from lib.corruptions import add_arguments, corruptions, pictures_of
from lib.harness import centre, machine, psnr, run_cases
from lib.real_pairs import pairs, read_pair

METHODS = "auto,nonlocal,nlm,tv,wavelet"  # `dip` and `r2r` may be asked for, and take minutes a case
REAL = "real"  # the kind of noise that nobody added


def cases(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what has to be run."""
    for case in real(args) if args.real else corruptions(args):
        for method in args.methods.split(","):
            yield {**case, "method": method, "time_limit": args.time_limit}


def real(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield every picture of the sets with real noise that were asked for."""
    side = (128 if args.quick else 0) if args.side is None else args.side
    for name in args.real.split(","):
        known = list(pairs(args.data, name))
        wanted = args.pictures.split(",") if args.pictures else known[:1] if args.quick else known
        for picture in (picture for picture in known if picture in wanted):
            case = {"set": name, "picture": picture, "kind": REAL, "side": side, "seed": args.seed}
            yield {**case, "data": str(args.data)}


def pair_of(case: dict[str, Any]) -> tuple[Any, Any]:
    """Return (clean, noisy) of a case."""
    if case["kind"] != REAL:
        return pictures_of(case)
    clean, noisy = read_pair(Path(case["data"]), case["set"], case["picture"])
    return centre(clean, case["side"]), centre(noisy, case["side"])


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Run one case."""
    import untaught

    clean, noisy = pair_of(case)
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
    parser.add_argument("--real", default="", help="sets with real noise, by commas: cc, polyu, fmd, oct")
    parser.add_argument("--time-limit", type=float, help="seconds a picture; default: none")
    args = parser.parse_args()
    if args.case:
        print(json.dumps(run(json.loads(args.case))))
    elif args.data is None:
        parser.error("--data DIR: the folder that holds set9_awgn, and pairs for --real")
    else:
        run_cases(__file__, cases(args), args.output)


if __name__ == "__main__":
    main()
