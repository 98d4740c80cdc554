"""How much an answer changes with threads, with the instructions of a processor, and with versions.

    python benchmarks/same_result.py [--quick] [--methods nonlocal,dip] [--ways one thread,AVX2]
        [--pythons "oldest versions=/path/to/other/environment/bin/python,..."]

A crop of the astronaut of scikit-image, in colour and in 8 bits, with noise of level 20, drawn and given, restored
in a process of its own: as it is, and with other threads, and with a processor that lacks AVX-512 and bf16, or
AVX2 as well, as torch (ATEN_CPU_CAPABILITY), its libraries and numba (NUMBA_CPU_NAME) are told.
--pythons are interpreters of other environments in which the package is installed, by the names that they have in
the table. Fits take a few steps, so that what differs is rounding, and not the end of a fit; `dip, 300` takes
more, in which that grows. One JSON line a method and way in --output; what is there is not run again.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.harness import machine, psnr, run_cases

AVX2 = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "DNNL_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "NUMBA_CPU_NAME": "haswell",
    "NUMBA_CPU_FEATURES": "",
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX",
}
SSE = {
    **AVX2,
    "ATEN_CPU_CAPABILITY": "default",
    "DNNL_MAX_CPU_ISA": "SSE41",
    "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
    "NUMBA_CPU_NAME": "nehalem",
    "OPENBLAS_CORETYPE": "Nehalem",
}
WAYS: dict[str, dict[str, str]] = {
    "again": {},
    "one thread": {"OMP_NUM_THREADS": "1"},
    "AVX2": AVX2,
    "SSE4.2": SSE,
}
FITS = {"dip": 40, "deep-decoder": 40, "r2r": 40, "gr2r": 40, "n2v": 40, "zs-n2n": 40}
FORMULAS = ("nonlocal", "nonlocal-quick", "nlm", "tv", "wavelet")
LONG = "dip, 300"
METHODS = (*FORMULAS, *FITS, LONG)
PYTHONS = "UNTAUGHT_PYTHONS"  # the variable that says to the process of a case where other interpreters are
LEVEL = 20


def cases(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what has to be run."""
    methods = args.methods.split(",") if args.methods else ("nonlocal-quick",) if args.quick else METHODS
    ways = args.ways.split(",") if args.ways else ("one thread",) if args.quick else tuple(WAYS)
    for method, way in product(methods, (*ways, *pythons())):
        yield {"method": method, "way": way, "side": 32 if args.quick else args.side}


def pythons() -> dict[str, str]:
    """Return the other interpreters, by name."""
    named = (one.partition("=") for one in os.environ.get(PYTHONS, "").split(",") if one)
    return {name: path for name, _, path in named}


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Restore the picture as it is and the other way, and say by how much the answers differ."""
    other, settings = pythons().get(case["way"]), WAYS.get(case["way"], {})
    with tempfile.TemporaryDirectory() as folder:
        (mine, versions), (found, others) = (
            answer_of(case, Path(folder), *how)
            for how in ((sys.executable, {}), (other or sys.executable, settings))
        )
    clean, _ = picture(case["side"])
    gap = np.abs(mine - found)
    return {
        "most": float(gap.max()),
        "rms": float(np.sqrt(np.mean(np.square(gap)))),
        "of_8_bits": float(np.mean(np.rint(mine) != np.rint(found))),
        "psnr": round(psnr(mine, clean), 4),
        "psnr_change": round(psnr(found, clean) - psnr(mine, clean), 4),
        "versions": others if other else versions,
        "date": date.today().isoformat(),
        "machine": machine(),
    }


def answer_of(
    case: dict[str, Any], folder: Path, python: str, settings: dict[str, str]
) -> tuple[NDArray[np.float32], dict[str, str]]:
    """Return the answer of another process, of 255, and the versions that it has."""
    path = folder / "answer.npy"
    kept = {**os.environ, "PYTHONPATH": os.environ.get("PYTHONPATH", ""), **settings}
    command = [python, __file__, "--restore", json.dumps(case), "--to", str(path)]
    told = subprocess.run(command, env=kept, stdout=subprocess.PIPE, text=True, check=True)
    return np.load(path), json.loads(told.stdout.splitlines()[-1])


def picture(side: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the clean crop and the noisy one."""
    from skimage.data import astronaut

    clean = astronaut()[20 : 20 + side, 160 : 160 + side]
    noisy = clean + np.random.default_rng(0).normal(0, LEVEL, clean.shape)
    return clean, np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def asked(named: str) -> tuple[Any, dict[str, str]]:
    """Return the method of a row, and how it is called: a fit with so many steps, all of which it takes."""
    from untaught.methods.registry import make

    name, _, steps = named.partition(", ")
    if name not in FITS:
        return name, {}
    return make(name, {"steps": int(steps or FITS[name])}), {"stop": "steps"}


def restore(case: dict[str, Any], path: Path) -> dict[str, str]:
    """Restore the picture into a file, and return the versions."""
    from untaught import denoise

    _, noisy = picture(case["side"])
    method, how = asked(case["method"])
    result = denoise(noisy, method=method, noise=f"gaussian:{LEVEL}", output_type="float32", **how)
    np.save(path, result.image.astype(np.float32))
    versions: dict[str, str] = result.recipe.versions
    return versions


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one method of 32 pixels on one thread")
    parser.add_argument("--methods", default="")
    parser.add_argument("--ways", default="")
    parser.add_argument("--pythons", default="", help="NAME=INTERPRETER of other environments")
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/same_result.jsonl"))
    parser.add_argument("--case", help=argparse.SUPPRESS)
    parser.add_argument("--restore", help=argparse.SUPPRESS)
    parser.add_argument("--to", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.pythons:
        os.environ[PYTHONS] = args.pythons
    if args.restore:
        print(json.dumps(restore(json.loads(args.restore), args.to)))
    elif args.case:
        print(json.dumps(run(json.loads(args.case))))
    else:
        run_cases(__file__, cases(args), args.output)


if __name__ == "__main__":
    main()
