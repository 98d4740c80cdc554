"""Make docs/img/page-*.jpg: for the pages that are not about a task a picture of scikit-image, before and after.

    python docs/scripts/make_pages.py [PAGE ...]

Nothing is said of the noise; figures above the pictures are PSNR over what is shown.
"""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import tifffile
from make_fields import SIDE, TARGET, Array, crop, smaller
from PIL import Image
from skimage import data

import untaught
from untaught.cli.commands.demo import strip_of
from untaught.methods.registry import make

Strip = dict[str, Array]
RED = (220, 40, 40)


def noise(rng: np.random.Generator, clean: Array, level: float) -> Array:
    """Return a picture of 8 bits with white noise."""
    return np.clip(np.rint(clean + rng.normal(0, level, clean.shape)), 0, 255).astype(np.uint8)


def decibels(array: Array, clean: Array) -> float:
    """Return the PSNR of a picture of 8 bits."""
    return float(-10 * np.log10(np.mean(((array.astype(float) - clean) / 255) ** 2)))


def side_by_side(clean: Array, **shown: Array) -> Strip:
    """Return pictures by their names, with the PSNR behind each."""
    return {f"{name}, {decibels(array, clean):.1f} dB": array for name, array in shown.items()}


def small(array: Array, top: int, left: int) -> Array:
    """Return a square of a picture that is made smaller, for what is fitted for minutes."""
    return crop(smaller(array, 2), top, left)[: SIDE // 2, : SIDE // 2]


def rgb(array: Array) -> Array:
    """Return what is shown of grey or colours of 8 bits; small pictures twice as large."""
    grey = np.clip(np.rint(array), 0, 255).astype(np.uint8)
    grey = grey if grey.ndim == 3 else np.repeat(grey[..., None], 3, axis=2)
    return grey.repeat(2, 0).repeat(2, 1) if len(grey) < SIDE else grey


def trust(rng: np.random.Generator) -> list[Strip]:
    """Return what is stated of a picture beside what is true, and where the error lies."""
    clean = crop(data.chelsea(), 60, 130)
    noisy = noise(rng, clean, 25)
    result = untaught.denoise(noisy)
    psnr, true = result.psnr, decibels(result.image, clean)
    stated = f"{psnr.value:.1f} ({psnr.low:.1f} to {psnr.high:.1f}), is {true:.1f}"
    error = 128 + 4 * (result.image.astype(float) - clean)
    return [{"before": noisy, stated: result.image, "its error, 4 times": error}]


def folders(rng: np.random.Generator) -> list[Strip]:
    """Return three pictures of a folder, and what is written beside them."""
    found = {"camera.png": data.camera()[60:, 170:], "coins.png": data.coins()[70:, 60:], "moon.png": data.moon()}
    noisy = {name: noise(rng, crop(array, 0, 0), 20) for name, array in found.items()}
    with TemporaryDirectory() as folder:
        raw, out = Path(folder) / "raw", Path(folder) / "clean"
        raw.mkdir()
        for name, array in noisy.items():
            Image.fromarray(array).save(raw / name)
        table = untaught.denoise(raw, output=out)
        restored = {Path(row.output).name: row.psnr for row in table.rows}
        after = {f"clean/{k}, stated {v:.1f} dB": np.asarray(Image.open(out / k)) for k, v in restored.items()}
    return [{f"raw/{name}": array for name, array in noisy.items()}, after]


def files(rng: np.random.Generator) -> list[Strip]:
    """Return a picture of floats in its own units, some of which are NaN."""
    clean = 2e-3 * crop(data.moon(), 0, 0).astype(np.float32) / 255
    noisy = (clean + rng.normal(0, 1.5e-4, clean.shape)).astype(np.float32)
    gone = rng.random(clean.shape) < 0.02
    noisy[gone] = np.nan
    with TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.tif", Path(folder) / "out.tif"
        tifffile.imwrite(source, noisy)
        untaught.denoise(source).save(target)
        restored = tifffile.imread(target)
    before, after, truth = (rgb(255 * np.nan_to_num(one) / 2e-3) for one in (noisy, restored, clean))
    before[gone] = RED
    return [{"float TIFF, NaN in red": before, "restored, float TIFF": after, "clean": truth}]


def conventions(rng: np.random.Generator) -> list[Strip]:
    """Return a picture with opacity, over a chequered ground."""
    clean = crop(data.coffee(), 100, 220)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    opacity = np.clip(8 * (90 - np.hypot(rows - 96, columns - 96)), 0, 255).astype(np.uint8)
    ground = np.where((rows // 12 + columns // 12) % 2, 200, 255)[..., None]
    noisy = np.dstack([noise(rng, clean, 25), opacity])
    with TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.png", Path(folder) / "out.png"
        Image.fromarray(noisy).save(source)
        untaught.denoise(source).save(target)
        restored = np.asarray(Image.open(target))

    def over(layers: Array) -> Array:
        share = layers[..., 3:] / 255
        return share * layers[..., :3] + (1 - share) * ground

    shown = {"RGBA": noisy, "restored, RGBA": restored, "clean": np.dstack([clean, opacity])}
    return [{name: over(layers) for name, layers in shown.items()}]


def limits(rng: np.random.Generator) -> list[Strip]:
    """Return grass under noise that is stronger than its finest blades."""
    clean = crop(data.grass(), 100, 100)
    noisy = noise(rng, clean, 50)
    restored = untaught.denoise(noisy).image
    return [side_by_side(clean, before=noisy, after=restored) | {"clean": clean}]


def interruptions(rng: np.random.Generator) -> list[Strip]:
    """Return a fit that is stopped twice, and left to itself."""
    clean = small(data.astronaut(), 10, 70)
    noisy = noise(rng, clean, 25)
    shown = {"before": noisy}
    for steps in (60, 200):
        so_far = untaught.denoise(noisy, method="dip", on_progress=lambda now, most=steps: (now.step or 0) < most)
        shown[f"stopped at {steps}"] = so_far.image
    return [side_by_side(clean, **shown, **{"at its own end": untaught.denoise(noisy, method="dip").image})]


def clusters(rng: np.random.Generator) -> list[Strip]:
    """Return a picture restored in parts, and how that differs from the same as a whole."""
    clean = data.astronaut()
    noisy = noise(rng, clean, 25)
    whole = untaught.denoise(noisy, method="nonlocal").image
    parts = untaught.denoise(noisy, method="nonlocal", memory="720MiB").image
    seam = 128 + 8 * (parts.astype(float) - whole)
    shown = {"before": noisy, "restored in parts": parts, "parts less whole, 8 times": seam}
    return [{name: smaller(array, 2) for name, array in shown.items()}]


def fiji(rng: np.random.Generator) -> list[Strip]:
    """Return cells in an ImageJ TIFF, as the macro saves them and opens them again."""
    clean = crop(smaller(data.cell(), 2), 90, 60)
    noisy = noise(rng, clean, 20)
    with TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.tif", Path(folder) / "out.tif"
        tifffile.imwrite(source, noisy, imagej=True, metadata={"unit": "um"}, resolution=(5.0, 5.0))
        command = [sys.executable, "-m", "untaught", "denoise", str(source), "-o", str(target), "--quiet"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        restored = tifffile.imread(target)
    return [side_by_side(clean, before=noisy, after=restored) | {"clean": clean}]


def reliability(rng: np.random.Generator) -> list[Strip]:
    """Return a film whose file is cut off in its third plane, and what is had of it."""
    planes = np.stack([noise(rng, data.camera()[60 : 60 + SIDE, k : k + SIDE], 25) for k in (170, 174, 178)])
    with TemporaryDirectory() as folder:
        source = Path(folder) / "film.tif"
        tifffile.imwrite(source, planes, photometric="minisblack", metadata={"axes": "TYX"})
        raw = source.read_bytes()
        source.write_bytes(raw[: len(raw) - SIDE * SIDE // 2])
        restored = untaught.denoise(source).image
    half = planes[2].copy()
    half[SIDE // 2 :] = 0
    before = {"plane 1": planes[0], "plane 2": planes[1], "plane 3, cut off": half}
    return [before, {f"plane {k + 1}, restored": plane for k, plane in enumerate(restored)}]


def architecture(rng: np.random.Generator) -> list[Strip]:
    """Return what goes in, the pilot, and the answer."""
    clean = crop(data.camera(), 60, 170)
    noisy = noise(rng, clean, 25)
    pilot = untaught.denoise(noisy, method="nonlocal-quick").image
    return [side_by_side(clean, y=noisy, pilot=pilot, answer=untaught.denoise(noisy).image)]


def methods(rng: np.random.Generator) -> list[Strip]:
    """Return what four methods make of one picture."""
    clean = small(data.chelsea(), 30, 65)
    noisy = noise(rng, clean, 25)
    shown = {name: untaught.denoise(noisy, method=name).image for name in ("tv", "nlm", "dip", "nonlocal")}
    return [side_by_side(clean, before=noisy, **shown)]


def self_supervised(rng: np.random.Generator) -> list[Strip]:
    """Return what networks make in 300 steps that learn from the noisy picture alone."""
    clean = small(data.astronaut(), 10, 70)
    noisy = noise(rng, clean, 25)
    learners = {name: make(name, {"steps": 300}) for name in ("zs-n2n", "n2v", "gr2r")}
    shown = {name: untaught.denoise(noisy, method=learner).image for name, learner in learners.items()}
    return [side_by_side(clean, before=noisy, **shown)]


MADE = (trust, folders, files, conventions, limits, interruptions, clusters, fiji, reliability, architecture)
PAGES: dict[str, Callable[[np.random.Generator], list[Strip]]] = {
    page.__name__: page for page in (*MADE, methods, self_supervised)
}


def main(names: list[str]) -> None:
    """Write those that are named, or all of them."""
    for name in names or PAGES:
        strips = [
            strip_of({k: rgb(v) for k, v in strip.items()}) for strip in PAGES[name](np.random.default_rng(0))
        ]
        width = max(strip.shape[1] for strip in strips)
        rows = [np.pad(s, ((0, 0), (0, width - s.shape[1]), (0, 0)), constant_values=255) for s in strips]
        stream = io.BytesIO()
        Image.fromarray(np.concatenate(rows)).save(stream, "JPEG", quality=88, optimize=True)
        (TARGET / f"page-{name.replace('_', '-')}.jpg").write_bytes(stream.getvalue())
        print(name, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
