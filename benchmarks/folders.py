"""Seconds a picture: a shell loop of calls, against one call on the folder with warm processes.

    python benchmarks/folders.py --data DIR [--quick] [--files 40] [--calls 6] [--workers 1,2] [--side 256]
        [--channels 1] [--effort normal] [--count 200] [--dask]

The files are squares of the nine noisy pictures of level 25 (`set9_awgn/25`), evenly spread, as PNG. A loop takes
as long for every file, so a few calls tell what one takes; a folder is restored whole, and what the start of the
processes takes is in its seconds. One JSON line a way in --output, what is there already is not run again. At the
end, for each number of workers, how many times faster than the loop it is on so many files (--count): by the
clock; and by the seconds of processors, shared out among the workers, which other programs do not change.
With OMP_NUM_THREADS it is for all alike. With --dask, each number of workers also as a Dask cluster of this
machine (`--dask local`), and at the end what that takes more than so many plain processes, on so many files.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

from PIL import Image

from lib.harness import SET9, answer, done, machine, read8

LOOP = 0  # workers of a loop of calls, each of which is a process of its own
COMMAND = [sys.executable, "-m", "untaught", "denoise"]


def cases(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what has to be run: the loop, and each number of workers."""
    numbers = [int(number) for number in args.workers.split(",")]
    plain = [(workers, False) for workers in ((LOOP, *numbers) if args.calls else numbers)]
    for workers, dask in (*plain, *((workers, True) for workers in numbers if args.dask)):
        files = args.calls if workers == LOOP else args.files
        yield {
            "workers": workers,
            **({"dask": True} if dask else {}),
            "files": min(files, 2) if args.quick else files,
            "side": 32 if args.quick else args.side,
            "channels": args.channels,
            "effort": args.effort,
            "threads": os.environ.get("OMP_NUM_THREADS", ""),
            "data": str(args.data),
        }


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Restore the files one way, and say how long that took."""
    with tempfile.TemporaryDirectory() as folder:
        raw, clean = Path(folder) / "raw", Path(folder) / "clean"
        raw.mkdir()
        clean.mkdir()
        files = [raw / f"{number:04d}.png" for number in range(case["files"])]
        for number, path in enumerate(files):
            Image.fromarray(square(case, number)).save(path)
        how = ["--effort", case["effort"], "--quiet"]
        _timed([*COMMAND, files[0], "-o", clean / "first.png", *how])  # which may wait for the compiler
        if case["workers"] == LOOP:
            each = [_timed([*COMMAND, path, "-o", clean / path.name, *how]) for path in files]
            seconds, spent = (sum(times) for times in zip(*each, strict=True))
            one_more = median(wall for wall, _ in each)
        else:
            by = ["--workers", str(case["workers"]), *(["--dask", "local"] if case.get("dask") else [])]
            seconds, spent = _timed([*COMMAND, raw, "-o", clean, *by, *how])
            with (clean / "results.csv").open() as stream:
                taken = [float(row["seconds"]) for row in csv.DictReader(stream) if row["status"] == "done"]
            assert len(taken) == len(files)
            one_more = median(taken) / case["workers"]
        return {
            "seconds": round(seconds, 2),
            "cpu_seconds": round(spent, 2),
            "seconds_a_file_more": round(one_more, 3),
            "date": date.today().isoformat(),
            "machine": machine(),
        }


def square(case: dict[str, Any], number: int) -> Any:
    """Return a square of one of the noisy pictures, another for every number up to a few hundred."""
    name = SET9[number % len(SET9)]
    picture = read8(Path(case["data"]) / "set9_awgn" / "25" / f"{name}_noisy.png")
    side, step = case["side"], 37 * (number // len(SET9))
    top, left = (step % max(1, length - side) for length in (picture.shape[0], picture.shape[1] + 11))
    left = min(left, picture.shape[1] - side)
    cut = picture[top : top + side, left : left + side]
    return cut if case["channels"] == 3 else cut[..., 1]


def _timed(command: list[Any]) -> tuple[float, float]:
    """Return the seconds of the clock and of processors that a command takes, with all that it starts."""
    started, before = time.monotonic(), _spent()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - started, _spent() - before


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def faster(rows: list[dict[str, Any]], count: int) -> Iterator[dict[str, Any]]:
    """Yield for each number of workers how many times faster than the loop it is on `count` files."""

    def seconds(row: dict[str, Any]) -> float:
        return float(row["seconds"] + (count - row["case"]["files"]) * row["seconds_a_file_more"])

    def of_case(row: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(row["case"][name] for name in ("side", "channels", "effort", "threads"))

    loops = {of_case(row): row for row in rows if row["case"]["workers"] == LOOP}
    for row in rows:
        if row["case"]["workers"] == LOOP or of_case(row) not in loops:
            continue
        loop, cpu = seconds(loops[of_case(row)]), _cpu_a_file(loops[of_case(row)])
        told = {name: row["case"][name] for name in ("workers", "side", "channels", "effort", "threads")}
        told |= {"dask": True} if row["case"].get("dask") else {}
        yield {**told, "files": count, "loop": round(loop, 1), "folder": round(seconds(row), 1)} | {
            "times_faster": round(loop / seconds(row), 2),
            "times_faster_by_cpu": round(row["case"]["workers"] * cpu / _cpu_a_file(row), 2),
        }


def overhead(rows: list[dict[str, Any]], count: int) -> Iterator[dict[str, Any]]:
    """Yield for each Dask cluster what it takes more than plain processes, by the clock and by processors."""

    def alike(row: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in row["case"].items() if name != "dask"}

    for row in rows:
        plain = [one for one in rows if alike(one) == alike(row) and not one["case"].get("dask")]
        if not row["case"].get("dask") or not plain:
            continue
        more, each = count - row["case"]["files"], plain[-1]["seconds_a_file_more"]
        clock = (row["seconds"] + more * each) / (plain[-1]["seconds"] + more * each)
        cpu_each = _cpu_a_file(plain[-1])
        cpu = (row["cpu_seconds"] + more * cpu_each) / (plain[-1]["cpu_seconds"] + more * cpu_each)
        told = {name: row["case"][name] for name in ("workers", "side", "channels", "effort", "threads")}
        yield {**told, "files": count, "more_by_clock": f"{clock - 1:.1%}", "more_by_cpu": f"{cpu - 1:.1%}"}


def _cpu_a_file(row: dict[str, Any]) -> float:
    """Return the seconds of processors for a file, with its share of the start of the processes."""
    return float(row["cpu_seconds"] / row["case"]["files"])


def main() -> None:
    """Read the arguments and run; then say how many times faster it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--quick", action="store_true", help="two files of 32 pixels a side")
    parser.add_argument("--files", type=int, default=40)
    parser.add_argument("--calls", type=int, default=6, help="files of the loop; 0 leaves it out")
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--channels", type=int, choices=(1, 3), default=1)
    parser.add_argument("--effort", default="normal")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--dask", action="store_true", help="also Dask clusters of this machine")
    answer(parser, (__file__, cases, run), "set9_awgn")
    args = parser.parse_args()
    if not args.case:
        rows = done(args.output)
        for line in (*faster(rows, args.count), *overhead(rows, args.count)):
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
