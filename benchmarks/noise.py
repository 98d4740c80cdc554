"""How well the level and the kind of noise are found from one picture.

    python benchmarks/noise.py --data DIR [--quick] [--out noise.jsonl]

DIR holds `set9_awgn/25/*_GT.png`, `set9_awgn/{25,50}/*_noisy.png` and `real/*_noisy.*` with
`*_clean.*` beside them; what is not there is left out. Prints and writes one JSON line a measurement.
`sigma` is the level that was added, on the 0..255 scale, and `relative_error` is held against it alone:
what noise the clean picture had of its own counts as error.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.harness import write_lines
from untaught.noise import PoissonGaussian, Speckle, format_noise, measure
from untaught.noise.models.base import NoiseModel

SIGMAS = (5, 10, 15, 25, 35, 50)
OTHERS: tuple[NoiseModel, ...] = (
    PoissonGaussian(2 / 255, 3 / 255, clip=(True, True)),
    PoissonGaussian(10 / 255, 0.0, clip=(True, True)),
    Speckle(0.2, clip=(True, True)),
)
Picture = NDArray[np.float32]


def load(path: Path) -> Picture:
    """Return a picture, float32, (H, W, C), [0, 1]."""
    from skimage import io

    picture = np.asarray(io.imread(path), dtype=np.float32) / 255
    return picture[..., None] if picture.ndim == 2 else picture[..., :3]


def eight_bit(y: Picture) -> Picture:
    """Clip to [0, 1] and round to 8 bits."""
    return np.asarray(np.round(np.clip(y, 0, 1) * 255) / 255, dtype=np.float32)


def crop(y: Picture) -> Picture:
    """Return the 256 x 256 pixels in the middle."""
    h, w = y.shape[0] // 2, y.shape[1] // 2
    return y[h - 128 : h + 128, w - 128 : w + 128]


def row(picture: str, noise: str, y: Picture, sigma: float | None) -> dict[str, Any]:
    """Measure one picture; `sigma` is the true level on the 0..255 scale where it is known."""
    from skimage.restoration import estimate_sigma

    started = time.process_time()
    report = measure(y)
    seconds = time.process_time() - started
    found = report.sigma * 255
    beside = float(estimate_sigma(y, average_sigmas=True, channel_axis=-1)) * 255
    return {
        "picture": picture,
        "noise": noise,
        "sigma": sigma,
        "found": round(found, 3),
        "relative_error": round(found / sigma - 1, 4) if sigma else None,
        "skimage": round(beside, 3),
        "skimage_relative_error": round(beside / sigma - 1, 4) if sigma else None,
        "model": format_noise(report.model)[:60],
        "kind": report.model.kind,
        "stated_error": round(report.relative_error / 2, 4),
        "tail": round(report.correlation.tail, 3) if report.correlation else None,
        "seconds": round(seconds, 3),
    }


def added(folder: Path, quick: bool) -> Iterator[dict[str, Any]]:
    """Noise of known law added to the nine pictures."""
    for path in sorted(folder.glob("*_GT.png"))[: 2 if quick else None]:
        clean, name = load(path), path.stem[:-3]
        yield row(name, "none", clean, None)
        for sigma in SIGMAS[:: 3 if quick else 1]:
            normal = np.random.default_rng(0).standard_normal(clean.shape)
            y = (clean + sigma / 255 * normal).astype(np.float32)
            yield row(name, f"gaussian:{sigma}", y, sigma)
            yield row(name, f"gaussian:{sigma},clipped,8-bit", eight_bit(y), sigma)
        for model in OTHERS:
            y = eight_bit(model.sample(clean, np.random.default_rng(0)))
            yield row(name, format_noise(model), y, model.level * 255)


def published(data: Path, quick: bool) -> Iterator[dict[str, Any]]:
    """Measure the noisy files of the set, whole and their centres."""
    for sigma in (25, 50):
        paths = sorted((data / "set9_awgn" / str(sigma)).glob("*_noisy.png"))
        for path in paths[: 2 if quick else None]:
            y, name = load(path), path.stem[:-6]
            yield row(name, f"published:{sigma}", y, sigma)
            yield row(name, f"published:{sigma},crop256", crop(y), sigma)


def real(folder: Path, quick: bool) -> Iterator[dict[str, Any]]:
    """Camera noise; the truth is the spread against the mean of many frames."""
    for path in sorted(folder.glob("*_noisy.*"))[: 2 if quick else None]:
        y = load(path)
        clean = load(path.with_name(path.name.replace("_noisy", "_clean")))
        yield row(path.stem[:-6], "camera", y, float(np.sqrt(np.mean((y - clean) ** 2))) * 255)


def summary(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """One line a law of noise: errors over its pictures, and how often each kind was chosen."""
    for noise in dict.fromkeys(r["noise"] for r in rows if r["sigma"]):
        group = [r for r in rows if r["noise"] == noise]
        ours, theirs = (np.abs([r[key] for r in group]) for key in ("relative_error", "skimage_relative_error"))
        kinds = [r["kind"] for r in group]
        yield {
            "summary": noise,
            "pictures": len(group),
            "mean_abs_error": round(float(ours.mean()), 4),
            "worst": round(float(ours.max()), 4),
            "skimage_mean_abs_error": round(float(theirs.mean()), 4),
            "skimage_worst": round(float(theirs.max()), 4),
            "kinds": {kind: kinds.count(kind) for kind in sorted(set(kinds))},
            "seconds": round(float(np.mean([r["seconds"] for r in group])), 3),
        }


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--quick", action="store_true", help="two pictures, two levels")
    parser.add_argument("--out", type=Path, default=Path("noise.jsonl"))
    options = parser.parse_args()
    rows = chain(
        added(options.data / "set9_awgn" / "25", options.quick),
        published(options.data, options.quick),
        real(options.data / "real", options.quick),
    )
    write_lines(options.out, rows, summary)


if __name__ == "__main__":
    main()
