"""Make docs/img/task-*.jpg: a picture of scikit-image for each task, spoilt, restored and as it was.

    python docs/scripts/make_tasks.py [TASK ...]

Each is restored by its verb as a person would call it, nothing said of the noise; the figures above the pictures
are PSNR over the crop.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from make_fields import TARGET, Array, Field, crop, smaller
from PIL import Image
from scipy.ndimage import gaussian_filter, shift
from skimage import data
from skimage.draw import line
from skimage.filters import threshold_local

import untaught


def denoised(rng: np.random.Generator) -> Field:
    """Return the astronaut in few photons, counted by a camera."""
    clean = crop(data.astronaut(), 20, 140)
    noisy = np.clip(np.rint(rng.poisson(clean / 6) * 6 + rng.normal(0, 5, clean.shape)), 0, 255).astype(np.uint8)
    return Field(noisy, clean, untaught.denoise(noisy).image)


def despeckled(rng: np.random.Generator) -> Field:
    """Return lines of a page in black and white, with specks and pinholes, enlarged without interpolation."""
    large = np.asarray(Image.fromarray(data.page()).resize((768, 382), Image.Resampling.LANCZOS))
    page = large[40:232, 140:332] > threshold_local(large, 51, offset=12)[40:232, 140:332]
    spoilt = page ^ (rng.random(page.shape) < 0.01)
    restored = untaught.despeckle(spoilt).image
    return Field(*(255 * one.astype(np.uint8) for one in (spoilt, page, restored)))


def taught(rng: np.random.Generator) -> Field:
    """Return one end of a brick wall, restored by a network that has learnt from noisy pictures of the other."""
    wall = data.brick()
    noisy = np.clip(np.rint(wall + rng.normal(0, 25, wall.shape)), 0, 255).astype(np.uint8)
    with TemporaryDirectory() as folder:
        for top in range(0, 512, 128):
            Image.fromarray(noisy[top : top + 128, 256:]).save(Path(folder) / f"{top}.png")
        untaught.train(folder, f"{folder}/model.safetensors", time_limit=150)
        new, clean = crop(noisy, 100, 20), crop(wall, 100, 20)
        return Field(new, clean, untaught.apply(f"{folder}/model.safetensors", new).image)


def inpainted(rng: np.random.Generator) -> Field:
    """Return the astronaut with scratches, and two thirds of the pixels of one half missing."""
    clean = crop(data.astronaut(), 20, 140)
    mask = np.ones(clean.shape[:2], np.uint8)
    mask[:, 96:] = rng.random((192, 96)) < 1 / 3
    for _ in range(8):
        rows, columns = line(*rng.integers(0, 192, 4))
        for step in (-1, 0, 1):
            mask[rows, np.clip(columns + step, 0, 191)] = 0
    spoilt = np.where(mask[..., None] == 1, clean, 0).astype(np.uint8)
    return Field(spoilt, clean, untaught.inpaint(spoilt, mask).image)


def upscaled(rng: np.random.Generator) -> Field:
    """Return the cat at half the size, shown enlarged without interpolation."""
    clean = crop(data.chelsea(), 60, 130)
    small = np.asarray(Image.fromarray(clean).resize((96, 96), Image.Resampling.LANCZOS))
    return Field(small.repeat(2, 0).repeat(2, 1), clean, untaught.upscale(small, factor=2).image)


def deblurred(rng: np.random.Generator) -> Field:
    """Return the camera man out of focus, with a little noise."""
    clean = crop(data.camera(), 60, 170)
    blurred = gaussian_filter(clean.astype(float), 2, mode="wrap") + rng.normal(0, 2, clean.shape)
    spoilt = np.clip(np.rint(blurred), 0, 255).astype(np.uint8)
    return Field(spoilt, clean, untaught.deblur(spoilt, psf="gaussian:2").image)


def dejpegged(rng: np.random.Generator) -> Field:
    """Return the coffee as a JPEG file of quality 15."""
    clean, folder = crop(data.coffee(), 100, 220), Path("build")
    folder.mkdir(exist_ok=True)
    path = folder / "make-tasks.jpg"
    Image.fromarray(clean).save(path, "JPEG", quality=15)
    restored = untaught.dejpeg(path).image
    spoilt = np.asarray(Image.open(path))
    path.unlink()
    return Field(spoilt, clean, restored)


def demosaiced(rng: np.random.Generator) -> Field:
    """Return the coffee as a sensor with the filter RGGB sees it, with noise."""
    clean = crop(data.coffee(), 100, 220)
    mosaic = clean[..., 1].astype(float)
    mosaic[::2, ::2], mosaic[1::2, 1::2] = clean[::2, ::2, 0], clean[1::2, 1::2, 2]
    noisy = np.clip(np.rint(mosaic + rng.normal(0, 5, mosaic.shape)), 0, 255).astype(np.uint8)
    return Field(np.repeat(noisy[..., None], 3, 2), clean, untaught.demosaic(noisy, pattern="RGGB").image)


def descreened(rng: np.random.Generator) -> Field:
    """Return the camera man in printed dots of 5 pixels at 45 degrees."""
    clean = crop(data.camera(), 60, 170)
    rows, columns = np.mgrid[:192, :192]
    along, across = (rows + columns) / np.sqrt(2), (rows - columns) / np.sqrt(2)
    waves = 0.5 + 0.25 * (np.cos(2 * np.pi * along / 5) + np.cos(2 * np.pi * across / 5))
    dots = np.clip((clean / 255 - waves) * 4 + 0.5, 0, 1)
    spoilt = np.rint(255 * dots).astype(np.uint8)
    return Field(spoilt, clean, untaught.descreen(spoilt).image)


def stacked(rng: np.random.Generator) -> Field:
    """Return one plane of a film in which the motorcycle passes, restored with the help of eight others."""
    whole = smaller(data.stereo_motorcycle()[0].mean(axis=2), 2)
    planes = np.stack([shift(whole, (0.0, -1.7 * k), order=3, mode="reflect")[20:212, 60:252] for k in range(9)])
    noisy = np.clip(np.rint(planes + rng.normal(0, 30, planes.shape)), 0, 255).astype(np.uint8)
    return Field(noisy[4], planes[4], untaught.denoise(noisy, axes="TYX").image[4])


TASKS: dict[str, Callable[[np.random.Generator], Field]] = {
    "denoise": denoised,
    "despeckle": despeckled,
    "inpaint": inpainted,
    "upscale": upscaled,
    "deblur": deblurred,
    "dejpeg": dejpegged,
    "demosaic": demosaiced,
    "descreen": descreened,
    "stack": stacked,
    "train": taught,
}


def main(names: list[str]) -> None:
    """Write those that are named, or all of them."""
    for name in names or TASKS:
        strip: Array = TASKS[name](np.random.default_rng(0)).strip()
        stream = io.BytesIO()
        Image.fromarray(strip).save(stream, "JPEG", quality=88, optimize=True)
        (TARGET / f"task-{name}.jpg").write_bytes(stream.getvalue())
        print(name, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
