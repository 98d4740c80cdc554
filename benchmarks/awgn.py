"""White Gaussian noise by the protocols of papers, for any method, beside what others have published for them.

    python benchmarks/awgn.py --data DIR [--quick] [--protocol bsd68,kodak24] [--methods nonlocal,auto,bm3d]
        [--levels 25] [--effort normal] [--pictures test001]

`bsd68`, `set12` (grey), `cbsd68` and `kodak24` (colour): noise that is neither cut off nor rounded, float32, the
level given. `kodak256`: the central 256 x 256 pixels, the noise cut off and rounded to 8 bits, the level not given
(except to those of `lib/rivals.py`, which need it). `numpy.random.default_rng(seed)` draws the noise of every
picture. `psnr` is that of the answer cut off and rounded to 8 bits, as the authors of DnCNN count it, `psnr_float`
that of the answer itself. DIR holds the folders `bsd68`, `set12`, `cbsd68`, `kodak24` or `kodak`; sets that are
not there are left out, and of a set that is there in part a row says how many pictures there were. One JSON line a
case in --output; cases that are there already are not run again. Seconds count what is loaded at the first call;
`speed.py` is for time. What others have published is in `tables/awgn_published.py`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import product
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lib.harness import answer, centre, done, how, machine, peak_gib, psnr
from lib.rivals import RIVALS, present
from tables.awgn_published import PROTOCOLS, Protocol

QUICK_SIDE = 96
QUICK_PICTURES = 2
QUICK_LEVEL = 25


def cases(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what has to be run; say which sets are not there, and which are there in part."""
    methods = present(args.methods.split(","))
    for name in args.protocol.split(","):
        if name not in PROTOCOLS:
            raise SystemExit(f"there is no protocol {name!r}; choose {', '.join(PROTOCOLS)}")
        protocol = PROTOCOLS[name]
        found = pictures(args.data, protocol)
        if not found:
            print(
                f"{name} is left out: DIR has no folder {' or '.join(protocol.folders)} with pictures", flush=True
            )
        elif len(found) < protocol.pictures:
            print(f"{name}: {len(found)} of {protocol.pictures} pictures are there", flush=True)
        asked = (
            args.pictures.split(",") if args.pictures else list(found)[: QUICK_PICTURES if args.quick else None]
        )
        for level, method, picture in product(levels(args, protocol), methods, asked):
            if picture in found:
                yield {
                    "protocol": name,
                    "picture": picture,
                    "level": level,
                    "method": method,
                    "effort": args.effort,
                    "side": QUICK_SIDE if args.quick else protocol.side,
                    "seed": args.seed,
                    "data": str(args.data),
                }


def levels(args: argparse.Namespace, protocol: Protocol) -> list[int]:
    """Return the levels that are asked for and published."""
    asked = [int(level) for level in args.levels.split(",")] if args.levels else list(protocol.levels)
    return [QUICK_LEVEL] if args.quick else [level for level in asked if level in protocol.levels]


def pictures(data: Path, protocol: Protocol) -> dict[str, Path]:
    """Return the pictures of a set by name, as many as there are."""
    for name in protocol.folders:
        for folder in sorted(data.iterdir()):
            if folder.name.lower() == name and folder.is_dir():
                return {path.stem: path for path in sorted(folder.iterdir()) if path.suffix in (".png", ".tif")}
    return {}


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Run one case."""
    protocol = PROTOCOLS[case["protocol"]]
    there = pictures(Path(case["data"]), protocol)
    opened = Image.open(there[case["picture"]]).convert("L" if protocol.grey else "RGB")
    clean = centre(np.asarray(opened), case["side"])
    y = noisy(clean, case["level"], case["seed"], protocol)
    restored, row = (_rival if case["method"] in RIVALS else _untaught)(y, case, protocol)
    return {
        "psnr": round(psnr(np.clip(np.rint(restored), 0, 255), clean), 3),
        "psnr_float": round(psnr(restored, clean), 3),
        "psnr_noisy": round(psnr(y, clean), 3),
        "size": clean.shape[:2],
        "pictures_there": len(there),
        "pictures_of_the_set": protocol.pictures,
        **row,
    }


def noisy(clean: NDArray[np.uint8], level: float, seed: int, protocol: Protocol) -> NDArray[Any]:
    """Return the picture with noise: float32 on the scale of 255 and not cut off, or 8 bits."""
    y = clean + level * np.random.default_rng(seed).standard_normal(clean.shape)
    return np.clip(np.rint(y), 0, 255).astype(np.uint8) if protocol.blind else y.astype(np.float32)


def _untaught(y: NDArray[Any], case: dict[str, Any], protocol: Protocol) -> tuple[NDArray[Any], dict[str, Any]]:
    import untaught

    picture = replace(untaught.Image.of(y, "YXS"[: y.ndim]), value_range=(0.0, 255.0))
    cpu = time.process_time()
    result = untaught.denoise(
        picture,
        method=case["method"],
        effort=case["effort"],
        noise="auto" if protocol.blind else f"gaussian:{case['level']}",
        seed=case["seed"],
    )
    row = how(result, time.process_time() - cpu)
    stated = None if result.psnr is None else round(result.psnr.value, 3)
    return result.image, {**row, "psnr_stated": stated, "sigma": result.noise.as_dict().get("sigma")}


def _rival(y: NDArray[Any], case: dict[str, Any], protocol: Protocol) -> tuple[NDArray[Any], dict[str, Any]]:
    rival = RIVALS[case["method"]]
    started, cpu = time.monotonic(), time.process_time()
    restored = rival.call(y, case["level"])
    return restored, {
        "method": f"{rival.name}, level given",
        "seconds": round(time.monotonic() - started, 2),
        "cpu_seconds": round(time.process_time() - cpu, 2),
        "peak_gib": round(peak_gib(), 3),
        "versions": {rival.package: rival.version()},
        "date": date.today().isoformat(),
        "machine": machine(),
    }


def means(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a line a protocol, method and level: the mean, and of how many pictures it is."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        key = tuple(row["case"][name] for name in ("protocol", "method", "effort", "side", "level", "seed"))
        groups.setdefault(key, []).append(row)
    for (protocol, method, effort, side, level, _), own in groups.items():
        part = f", central {side} x {side}" if side else ""
        found = f"{mean(row['psnr'] for row in own):.2f} dB, {len(own)} of {PROTOCOLS[protocol].pictures} pictures"
        yield f"{protocol}, {method}, effort {effort}, level {level}{part}: {found}"


def main() -> None:
    """Read the arguments and run; then say the means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--quick", action="store_true", help="96 x 96 pixels of two pictures of a set, level 25")
    parser.add_argument("--protocol", default=",".join(PROTOCOLS), help="by commas; default: all")
    parser.add_argument("--methods", default="nonlocal")
    parser.add_argument("--levels", default="", help="of those of the protocol; default: all")
    parser.add_argument("--effort", default="normal", help="as in untaught denoise")
    parser.add_argument("--pictures", default="", help="names without their ends; default: all")
    parser.add_argument("--seed", type=int, default=0)
    answer(parser, (__file__, cases, run), " and ".join(name for name in PROTOCOLS if name != "kodak256"))
    args = parser.parse_args()
    if not args.case:
        for line in means(done(args.output)):
            print(line, flush=True)


if __name__ == "__main__":
    main()
