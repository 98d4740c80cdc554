"""Seconds and most memory for pictures from 256 x 256 to 8192 x 8192 pixels, grey and colour, of 16 bits.

    python benchmarks/size.py --data DIR [--quick] [--sides 256,512,1024] [--channels 1,3] [--method nonlocal]
        [--memory 1.5GiB]

F16 (512 x 512), mirrored on and on, with white noise of level 20 (of 255) that is drawn on it and not given. It is
read from an uncompressed TIFF and written to one, and never held by this script either. One JSON line a case in
--output; at the end, for each way, the exponents with which seconds and most memory grow with the pixels.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from collections.abc import Iterator
from itertools import groupby, product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.harness import answer, centre, done, how, peak_gib, read8

SIDES = "256,512,1024,2048,4096,8192"
QUICK = "64,96"
PICTURE = "F16"
LEVEL = 20  # of 255
BAND = 64  # rows that are made at once
TOP = 65535


def cases(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what has to be run, small pictures first."""
    sides = QUICK if args.quick else args.sides
    for channels, side in product(args.channels.split(","), sides.split(",")):
        yield {
            "side": int(side),
            "channels": int(channels),
            "method": args.method,
            "memory": args.memory,
            "seed": args.seed,
            "data": str(args.data),
        }


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Make one picture, restore it from file to file, and say what that took."""
    import tifffile

    import untaught

    tile = centre(read8(Path(case["data"]) / "set9_awgn" / "25" / f"{PICTURE}_GT.png"), 0)
    shape = (case["side"], case["side"], 3)[: 2 if case["channels"] == 1 else 3]
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.tif", Path(folder) / "out.tif"
        written = tifffile.memmap(
            source, shape=shape, dtype=np.uint16, photometric="minisblack" if len(shape) == 2 else "rgb"
        )
        for rows, clean in bands(tile, shape):
            noise = np.random.default_rng([case["seed"], rows.start]).normal(0, LEVEL / 255, clean.shape)
            written[rows] = np.rint(TOP * np.clip(clean + noise, 0, 1))
        written.flush()
        del written
        before, started, cpu = peak_gib(), time.monotonic(), time.process_time()
        result = untaught.denoise(source, method=case["method"], seed=case["seed"], memory=case["memory"])
        result.save(target)
        seconds, spent = time.monotonic() - started, time.process_time() - cpu
        row = {**how(result, spent), "seconds": round(seconds, 2), "before_gib": round(before, 3)}
        stated = None if result.psnr is None else round(result.psnr.value, 2)
        parts = next((note for note in result.notes if " parts of " in note), "")
        del result
        restored = untaught.read(target).array
        return {**row, "psnr": round(decibels(restored, tile), 3), "psnr_stated": stated, "parts": parts}


def bands(tile: NDArray[np.uint8], shape: tuple[int, ...]) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Yield rows, and what is there of the clean picture in [0, 1]: the tile, mirrored on and on."""
    picture = tile.mean(2, keepdims=True) if len(shape) == 2 else tile
    rows, columns = (mirrored(shape[axis], picture.shape[axis]) for axis in (0, 1))
    for top in range(0, shape[0], BAND):
        part = slice(top, min(top + BAND, shape[0]))
        yield part, picture[rows[part]][:, columns].reshape(-1, *shape[1:]) / 255


def mirrored(length: int, period: int) -> NDArray[np.intp]:
    """Return where to look in a line of so many places that is mirrored on and on."""
    at = np.arange(length) % (2 * period)
    return np.minimum(at, 2 * period - 1 - at)


def decibels(restored: NDArray[np.uint16], tile: NDArray[np.uint8]) -> float:
    """Return the PSNR of a picture against the clean one, some rows at a time."""
    errors = [np.square(restored[rows] / TOP - clean).sum() for rows, clean in bands(tile, restored.shape)]
    return -10 * math.log10(float(np.sum(errors)) / restored.size)


def exponents(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield for each way how seconds and memory grow: as pixels to this power, by least squares of logarithms."""

    def way(row: dict[str, Any]) -> tuple[Any, ...]:
        return row["case"]["channels"], row["case"]["method"], row["case"]["memory"] or ""

    for key, group in groupby(sorted(rows, key=lambda row: (*way(row), row["case"]["side"])), way):
        some = list(group)
        if len(some) < 2:
            continue
        pixels = np.log([row["case"]["side"] ** 2 for row in some])
        found = {name: np.log([max(row[name], 1e-3) for row in some]) for name in ("seconds", "peak_gib")}
        powers = {name: round(float(np.polyfit(pixels, values, 1)[0]), 3) for name, values in found.items()}
        last = {
            name: round(float(np.diff(values[-2:])[0] / np.diff(pixels[-2:])[0]), 3)
            for name, values in found.items()
        }
        yield {
            "channels": key[0],
            "method": key[1],
            "memory": key[2],
            "exponents": powers,
            "of_the_last_two": last,
        }


def main() -> None:
    """Read the arguments and run; then say how it grows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--quick", action="store_true", help=f"sides of {QUICK} pixels alone")
    parser.add_argument("--sides", default=SIDES)
    parser.add_argument("--channels", default="1,3")
    parser.add_argument("--method", default="nonlocal")
    parser.add_argument("--memory", default=None, help="as in untaught denoise")
    parser.add_argument("--seed", type=int, default=0)
    answer(parser, (__file__, cases, run), "set9_awgn")
    args = parser.parse_args()
    if not args.case:
        for line in exponents(done(args.output)):
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
