"""Whether drawings are taken for noise, and how well the noise that was added to them is measured.

    python benchmarks/drawings.py [--data DIR] [--quick] [--out drawings.jsonl]

The drawings are made by `lib/drawn.py`. DIR may hold `kodak/*.png` and `bsd68/*.png`, of which the photographs are
measured beside them; what is not there is left out. Prints and writes one JSON line a measurement, then a line for
the clean ones, for all noisy ones and for each level. `sigma` is the level that was added, on the 0..255 scale;
`relative_error` is held against it alone. Photographs have noise of their own: `given_noise` is no fault in them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lib.drawn import Picture, drawings, rounded, unit
from lib.harness import machine, write_lines
from untaught.noise import measure

LEVELS = (0, 3, 8, 25)  # that are added to drawings
OF_PHOTOGRAPHS = (0, 5, 10, 25)
NOISY = 0.75  # of 255: a clean drawing that is given as much was mistaken
NEAR = (0.15, 0.25)  # relative errors
Row = dict[str, Any]
Named = tuple[str, Picture]


def row(kind: str, picture: str, clean: Picture, sigma: int) -> Row:
    """Add noise of level `sigma`, round to 8 bits and measure; `kind` is what the picture is one of."""
    noise = np.random.default_rng(0).normal(0, sigma / 255, clean.shape)
    report = measure(rounded(clean + noise) if sigma else clean)
    found = report.sigma * 255
    return {
        "of": kind,
        "picture": picture,
        "sigma": sigma,
        "found": round(found, 3),
        "relative_error": round(found / sigma - 1, 4) if sigma else None,
        "kind": report.model.kind,
        "note": report.notes[0] if report.notes else None,
    }


def rows(kind: str, pictures: Iterable[Named], levels: Iterable[int]) -> Iterator[Row]:
    """Measure each picture at each level."""
    for name, clean in pictures:
        for sigma in levels:
            yield row(kind, name, clean, sigma)


def photographs(folder: Path, most: int | None, height: int | None = None) -> Iterator[Named]:
    """Yield the first `most` pictures of a folder, grey ones as (H, W); cut to `height` x 512 pixels."""
    for path in sorted(folder.glob("*.png"))[:most]:
        yield f"{folder.name}/{path.stem}", unit(Image.open(path))[:height, :512]


def summary(found: list[Row]) -> Iterator[Row]:
    """Yield a line for the clean pictures of a kind, one for all noisy ones and one a level."""
    made = {"machine": machine(), "date": date.today().isoformat()}
    for kind in dict.fromkeys(line["of"] for line in found):
        own = [line for line in found if line["of"] == kind]
        clean = [line["found"] for line in own if not line["sigma"]]
        mistaken = sum(level >= NOISY for level in clean)
        yield {
            "all": kind,
            "sigma": 0,
            "measured": len(clean),
            "given_noise": mistaken,
            "most": max(clean),
            **made,
        }
        levels = sorted({line["sigma"] for line in own} - {0})
        for chosen in (levels, *([level] for level in levels)):
            errors = [abs(line["relative_error"]) for line in own if line["sigma"] in chosen]
            near = {f"within_{100 * most:.0f}_percent": sum(error <= most for error in errors) for most in NEAR}
            sigma = chosen[0] if len(chosen) == 1 else chosen
            yield {"all": kind, "sigma": sigma, "measured": len(errors), **near, **made}


def measurements(data: Path | None, quick: bool) -> Iterator[Row]:
    """Measure drawings, and photographs where there are any."""
    few = 4 if quick else None
    yield from rows("drawings", islice(drawings(), few), LEVELS)
    if data:
        yield from rows("photographs", photographs(data / "kodak", few, 384), OF_PHOTOGRAPHS)
        yield from rows("photographs", photographs(data / "bsd68", few or 12), (0,))


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--quick", action="store_true", help="four pictures of each set")
    parser.add_argument("--out", type=Path, default=Path("drawings.jsonl"))
    options = parser.parse_args()
    write_lines(options.out, measurements(options.data, options.quick), summary)


if __name__ == "__main__":
    main()
