"""The figures of the structural-bias paper, made again.

    python benchmarks/theory.py --data DIR [--quick] [--only kernels,jacobian,...] [--output FILE]

DIR holds `theory/phantom256.png`. One JSON line a case; cases that are in the output already are not run again.
`published` is the notebooks' figure. Parts: `kernels` (dual kernels, deterministic), `jacobian` (norms of J^T x
over random networks), `trigonometric` (the first 20 singular vectors of a 64 x 64 generator), `svd` (the
randomised method against numpy), `linear` (predicted and measured fit), `stop` (predicted and best stop),
`followed` (the same for a deep decoder, by Stein's risk along the fit), `impedance` (four architectures,
picture against noise, with spread over seeds). `deep_decoder.py` has the fits to pictures, `vectors.py` draws the
singular vectors.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import date
from typing import Any

from lib.harness import answer, machine
from lib.instruments import KERNELS, LINEAR, PARTS, measured
from untaught.methods.networks.decoder import ARCHITECTURES

TOGETHER = {"deep-decoder": 25, "dip": 10}  # random networks in one case


def cases(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what has to be run."""
    data = {"data": args.data}
    side, seeds, steps = (32, 2, 300) if args.quick else (64, 3, 300)
    made: dict[str, list[dict[str, Any]]] = {
        "kernels": [{"kernel": name} for name in KERNELS],
        "jacobian": [{**case, **data} for case in jacobians(args.networks or (6 if args.quick else 200))],
        "trigonometric": [
            {"architecture": name, "side": side, "seed": 0} for name in ("two layers", *ARCHITECTURES)
        ],
        "svd": [{"architecture": name} for name in ARCHITECTURES],
        "linear": [{"generator": name, "steps": 100 if args.quick else 400, **data} for name in LINEAR],
        "stop": [
            {"generator": name, "sigma": sigma, "steps": 1000 if args.quick else 3000, **data}
            for name in ("two layers, k = 1024", "deep decoder, k = 128")
            for sigma in (0.05, 0.1, 0.2)
        ],
        "followed": [
            {"sigma": sigma, "steps": 1000 if args.quick else 3000, **data} for sigma in (0.05, 0.1, 0.2)
        ],
        "impedance": [
            {"architecture": name, "side": side, "seeds": seeds, "steps": steps, **data} for name in ARCHITECTURES
        ],
    }
    for part in args.only.split(","):
        yield from ({"part": part, **case} for case in made[part])


def jacobians(networks: int) -> Iterator[dict[str, Any]]:
    """Yield the cases of random networks, so many of them in each as `TOGETHER` says, and a few as started now."""
    for network, together in TOGETHER.items():
        for first in range(0, networks, together):
            few = min(together, networks - first)
            yield {"network": network, "start": "2019", "first": first, "networks": few}
    for network in TOGETHER:
        yield {"network": network, "start": "now", "first": 0, "networks": min(networks, 10)}


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Run one case."""
    return {**measured(case), "date": date.today().isoformat(), "machine": machine()}


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data")
    parser.add_argument("--quick", action="store_true", help="fewer seeds and steps, smaller pictures")
    parser.add_argument("--networks", type=int, default=0, help="for the Jacobian norms; 0: 200, quick 6")
    parser.add_argument("--only", default=",".join(PARTS))
    answer(parser, (__file__, cases, run), "theory")


if __name__ == "__main__":
    main()
