"""Most memory of workers and call for an OME-Zarr volume that is restored block by block on a Dask cluster.

    python benchmarks/volume.py --data DIR [--quick] [--planes 512] [--side 1024] [--workers 2] [--memory 1400MiB]
        [--method auto] [--effort quick] [--together none] [--folder DIR]

The picture F16 of the nine, mirrored on and on and moved by a pixel from plane to plane, as float64, with white
noise of level 20 (of 255) that is drawn on it and not given; 512 planes of 1024 x 1024 are 4 GiB. It is written
plane by plane, restored by the command that a user would type (`untaught denoise volume.zarr -o clean.zarr
--dask local`), and read plane by plane for its PSNR. Resident memory of every process of the call is read ten
times a second, files that are mapped included. One JSON line a case in --output. --folder says where the volumes
lie meanwhile (twice their size, and as much again for temporary files).
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.harness import answer, machine, read8

PICTURE, LEVEL = "F16", 20
EVERY = 0.1  # seconds between two looks at memory
SCORED = 16  # planes that are held against the clean ones, evenly spread


def cases(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield the one case."""
    yield {
        "planes": 4 if args.quick else args.planes,
        "side": 48 if args.quick else args.side,
        "workers": args.workers,
        "memory": args.memory,
        "method": args.method,
        "effort": args.effort,
        "together": args.together,
        "pictures": str(args.folder or ""),
        "data": str(args.data),
    }


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Write the volume, restore it, and say what that took."""
    with tempfile.TemporaryDirectory(dir=case["pictures"] or None) as folder:
        source, target = Path(folder) / "volume.zarr", Path(folder) / "clean.zarr"
        size = write(source, case)
        how = [f"--{name}={case[name]}" for name in ("workers", "memory", "method", "effort", "together")]
        command = [sys.executable, "-m", "untaught", "denoise", source, "-o", target, "--dask=local", *how]
        started = time.monotonic()
        call = subprocess.Popen([*command, "--quiet"], stdout=subprocess.DEVNULL, cwd=folder)
        peaks = watched(call)
        seconds = time.monotonic() - started
        if call.returncode:
            raise SystemExit(f"the call ended with status {call.returncode}")
        return {
            "gib": round(size / 2**30, 3),
            "seconds": round(seconds, 1),
            "call_gib": round(peaks.pop(call.pid) / 2**30, 3),
            "others_gib": [round(peak / 2**30, 3) for peak in sorted(peaks.values(), reverse=True)],
            "psnr": round(decibels(target, case), 3),
            "date": date.today().isoformat(),
            "machine": machine(),
        }


def clean(case: dict[str, Any]) -> Iterator[NDArray[np.float64]]:
    """Yield the planes without noise, in 0 .. 255."""
    tile = read8(Path(case["data"]) / "set9_awgn" / "25" / f"{PICTURE}_GT.png").mean(2)
    side, (height, width) = case["side"], tile.shape
    for number in range(case["planes"]):
        rows, columns = (
            np.abs((np.arange(number, number + side) + length) % (2 * length) - length + 0.5).astype(int)
            for length in (height, width)
        )
        yield tile[np.minimum(rows, height - 1)][:, np.minimum(columns, width - 1)]


def write(path: Path, case: dict[str, Any]) -> int:
    """Write the noisy volume, a chunk a plane, and return its bytes."""
    import zarr

    shape = case["planes"], case["side"], case["side"]
    group = zarr.open_group(path, mode="w", zarr_format=2)
    array = group.create_array("0", shape=shape, dtype=np.float64, chunks=(1, *shape[1:]))
    for number, plane in enumerate(clean(case)):
        array[number] = plane + np.random.default_rng([0, number]).normal(0, LEVEL, plane.shape)
    axes = [{"name": name, "type": "space"} for name in "zyx"]
    scale = {"coordinateTransformations": [{"type": "scale", "scale": [1.0, 1.0, 1.0]}], "path": "0"}
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": [scale]}]
    return int(np.prod(shape)) * 8


def watched(call: subprocess.Popen[bytes]) -> dict[int, int]:
    """Wait for a call and return the most resident bytes of each of its processes, by process."""
    import psutil

    peaks: dict[int, int] = {}
    top = psutil.Process(call.pid)
    while call.poll() is None:
        try:
            for process in (top, *top.children(recursive=True)):
                peaks[process.pid] = max(peaks.get(process.pid, 0), process.memory_info().rss)
        except psutil.NoSuchProcess:
            pass
        time.sleep(EVERY)
    return peaks


def decibels(path: Path, case: dict[str, Any]) -> float:
    """Return the PSNR of planes that are evenly spread over the restored volume."""
    import zarr

    array: Any = zarr.open_group(path, mode="r")["0"]
    step = max(1, case["planes"] // SCORED)
    errors = [
        np.mean(np.square(np.asarray(array[number], np.float64) - plane))
        for number, plane in enumerate(clean(case))
        if number % step == 0
    ]
    return -10 * math.log10(float(np.mean(errors)) / 255**2)


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--quick", action="store_true", help="four planes of 48 pixels a side")
    parser.add_argument("--planes", type=int, default=512)
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--memory", default="1400MiB")
    parser.add_argument("--method", default="auto")
    parser.add_argument("--effort", default="quick")
    parser.add_argument("--together", default="none")
    parser.add_argument("--folder", type=Path, help="where the volumes lie meanwhile")
    answer(parser, (__file__, cases, run), "set9_awgn")


if __name__ == "__main__":
    main()
