"""What the benchmarks share: pictures, scores, one child process a case, one JSON line a case."""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import resource
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Case = dict[str, Any]
Cases = Callable[[argparse.Namespace], Iterator[Case]]
Run = Callable[[Case], Case]

LONG = 60  # letters of a law of noise
GIVEN = "-given"  # at the end of a method's name: the level was
SET9 = ("F16", "baboon", "hill", "kodim01", "kodim02", "kodim03", "kodim12", "lena", "peppers")
SCANS = ("baboon", "lena", "peppers")  # of these; with grain of their own in all colours


def read8(path: Path) -> NDArray[np.uint8]:
    """Return an 8-bit RGB picture."""
    return np.asarray(Image.open(path).convert("RGB"))


def centre(picture: NDArray[Any], side: int) -> NDArray[Any]:
    """Return the central square of `side` pixels; 0 means all of it."""
    if not side:
        return picture
    top, left = (length // 2 - side // 2 for length in picture.shape[:2])
    return picture[top : top + side, left : left + side]


def set9(data: Path, level: int, name: str, side: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return (clean, noisy) of the nine pictures."""
    folder = data / "set9_awgn" / str(level)
    return tuple(centre(read8(folder / f"{name}_{kind}.png"), side) for kind in ("GT", "noisy"))  # type: ignore[return-value]


def psnr(a: NDArray[Any], b: NDArray[Any], peak: float = 255.0) -> float:
    """Return the peak signal-to-noise ratio in dB over all channels."""
    error = np.mean((np.asarray(a, np.float64) - np.asarray(b, np.float64)) ** 2)
    return 10 * math.log10(peak**2 / error)


def machine() -> dict[str, Any]:
    """Return what the figures depend on besides the code."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].split(":", 1)[1].strip() if lines else model
    return {"cpu": model, "cores": os.cpu_count(), "python": platform.python_version()}


def law(noise: Any) -> str:
    """Return how a law of noise is written, without the numbers of a kernel or of a map."""
    from untaught.noise import format_noise

    text = format_noise(noise, 3)
    return text if len(text) <= LONG else f"{text.partition(',')[0]}, ..."


def peak_gib() -> float:
    """Return the most memory this process has had, in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def on_nine(args: argparse.Namespace, key: str, values: str, quick: tuple[str, ...]) -> Iterator[Case]:
    """Yield a case for each value of a setting (whole numbers, by commas), method and picture of the nine."""
    names = args.pictures.split(",") if args.pictures else quick if args.quick else SET9
    for value, method, name in product(values.split(","), args.methods.split(","), names):
        yield {
            "picture": name,
            key: int(value),
            "method": method,
            "side": args.side,
            "seed": args.seed,
            "time_limit": args.time_limit,
            "data": str(args.data),
        }


def how(result: Any, cpu_seconds: float) -> dict[str, Any]:
    """Return the entries of a row that say how a `untaught.Result` came about, and where and when."""
    return {
        "method": result.method,
        "seconds": round(result.seconds, 2),
        "cpu_seconds": round(cpu_seconds, 2),
        "stopped": {"rule": result.stopped.rule, "step": result.stopped.step},
        "peak_gib": round(peak_gib(), 3),
        "versions": result.recipe.versions,
        "threads": result.recipe.threads,
        "date": date.today().isoformat(),
        "machine": machine(),
    }


def write_lines(path: Path, rows: Iterable[Case], summary: Callable[[list[Case]], Iterable[Case]]) -> None:
    """Print rows as they come, and what sums them up at the end, as lines of JSON, and write them to a file."""
    kept = []
    with path.open("w", encoding="utf-8") as file:

        def write(line: Case) -> None:
            print(json.dumps(line), flush=True)
            file.write(json.dumps(line) + "\n")

        for row in rows:
            kept.append(row)
            write(row)
        for line in summary(kept):
            write(line)


def done(path: Path) -> list[dict[str, Any]]:
    """Return the cases a results file already holds."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def run_cases(script: str, cases: Iterator[dict[str, Any]], path: Path) -> None:
    """Run every case that `path` does not hold yet in a process of its own, one at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = [_key(row["case"]) for row in done(path)]
    for case in cases:
        if _key(case) in kept:
            continue
        print(json.dumps(case), flush=True)
        child = subprocess.run(
            [sys.executable, script, "--case", json.dumps(case)], stdout=subprocess.PIPE, text=True, check=False
        )
        if child.returncode:
            print(f"  failed with status {child.returncode}; it will be tried again next time", flush=True)
            continue
        row = json.loads(child.stdout.splitlines()[-1])
        with path.open("a") as file:
            file.write(json.dumps({"case": _key(case), **row}) + "\n")
        print("  " + ", ".join(f"{k} {v}" for k, v in row.items() if k not in ("machine", "versions")), flush=True)


def answer(parser: argparse.ArgumentParser, pages: tuple[str, Cases, Run], folder: str) -> None:
    """Read the arguments of a benchmark and run it, or the one case that its parent process asks for.

    `pages` are the script, what makes cases of the arguments, and what runs one; `folder` is what --data holds.
    """
    script, cases, run = pages
    results = Path("benchmarks/results") / f"{Path(script).stem}.jsonl"
    parser.add_argument("--output", type=Path, default=results)
    parser.add_argument("--case", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.case:
        print(json.dumps(run(json.loads(args.case))))
    elif args.data is None:
        parser.error(f"--data DIR: the folder that holds {folder}")
    else:
        run_cases(script, cases(args), args.output)


def _key(case: dict[str, Any]) -> dict[str, Any]:
    """Return what names a case wherever its data lie, and wherever its pictures are kept."""
    return {name: value for name, value in case.items() if name not in ("data", "pictures")}
