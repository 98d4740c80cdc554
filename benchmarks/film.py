"""Most memory and seconds for a long film that is restored from file to file, killed on the way and called again.

    python benchmarks/film.py --data DIR [--quick] [--planes 2000] [--side 512] [--memory 2GiB] [--effort quick]
        [--kill-after 1200] [--folder DIR]

The picture F16 of the nine, mirrored on and on and moved by a pixel from plane to plane, of 8 bits, with white
noise of level 20 that is drawn on it and not given, in one TIFF; the command is the one that a user would type
(`untaught denoise film.tif -o clean.tif --axes TYX --checkpoint FILE`). It is ended by SIGKILL once after
--kill-after seconds (0: never), and called again. Resident memory of its process is read ten times a second, files
that are mapped included. One JSON line a case in --output. --folder says where the film, the checkpoint and the
answer lie, and is kept: a benchmark that was itself ended goes on from there, with the seconds since.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.harness import answer, machine
from volume import LEVEL, SCORED, clean, watched


def cases(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield the one case."""
    yield {
        "planes": 12 if args.quick else args.planes,
        "side": 64 if args.quick else args.side,
        "memory": args.memory,
        "effort": args.effort,
        "kill_after": args.kill_after,
        "pictures": str(args.folder or ""),
        "data": str(args.data),
    }


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Make the film, restore it, and say what that took."""
    if case["pictures"]:
        return restored(case, Path(case["pictures"]))
    with tempfile.TemporaryDirectory() as folder:
        return restored(case, Path(folder))


def restored(case: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Restore the film in a folder, making it first where it is not there."""
    source, target = folder / "film.tif", folder / "clean.tif"
    if not source.exists():
        write(source, case)
    how = [f"--{name}={case[name]}" for name in ("memory", "effort")]
    command = [sys.executable, "-m", "untaught", "denoise", str(source), "-o", str(target), "--axes=TYX", *how]
    command += ["--quiet", f"--checkpoint={folder / 'film.checkpoint'}"]
    peaks, killed, started, spent = [], 0, time.monotonic(), os.times().children_user
    for after in (case["kill_after"], 0) if case["kill_after"] else (0,):
        call = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        alarm = threading.Timer(after, call.kill)
        if after:
            alarm.start()
        peaks.append(max(watched(call).values()))
        alarm.cancel()
        killed += call.returncode == -9
        if call.returncode != -9:
            break
    if call.returncode:
        raise SystemExit(f"the call ended with status {call.returncode}")
    return {
        "seconds": round(time.monotonic() - started, 1),
        "cpu_seconds": round(os.times().children_user - spent, 1),
        "killed": killed,
        "peak_gib": round(max(peaks) / 2**30, 3),
        "psnr": round(decibels(target, case), 3),
        "date": date.today().isoformat(),
        "machine": machine(),
    }


def write(path: Path, case: dict[str, Any]) -> None:
    """Write the noisy film, under its name when it is whole."""
    import tifffile

    def planes() -> Iterator[NDArray[np.uint8]]:
        for number, plane in enumerate(clean(case)):
            noisy = plane + np.random.default_rng([0, number]).normal(0, LEVEL, plane.shape)
            yield np.rint(noisy.clip(0, 255)).astype(np.uint8)

    shape = case["planes"], case["side"], case["side"]
    partial = path.with_suffix(".partial")
    tifffile.imwrite(
        partial, planes(), shape=shape, dtype=np.uint8, photometric="minisblack", metadata={"axes": "TYX"}
    )
    partial.rename(path)


def decibels(path: Path, case: dict[str, Any]) -> float:
    """Return the PSNR of planes that are evenly spread over the restored film."""
    import tifffile

    step = max(1, case["planes"] // SCORED)
    errors = [
        np.mean(np.square(tifffile.imread(path, key=number) - plane))
        for number, plane in enumerate(clean(case))
        if number % step == 0
    ]
    return -10 * math.log10(float(np.mean(errors)) / 255**2)


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--quick", action="store_true", help="twelve planes of 64 pixels a side")
    parser.add_argument("--planes", type=int, default=2000)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--memory", default="2GiB")
    parser.add_argument("--effort", default="quick")
    parser.add_argument("--kill-after", type=float, default=1200, help="seconds; 0: never")
    parser.add_argument("--folder", type=Path, help="where the film and its answer lie, and stay")
    answer(parser, (__file__, cases, run), "set9_awgn")


if __name__ == "__main__":
    main()
