"""Make docs/img/field-*.jpg: for every field of docs/choose.md a picture of scikit-image, spoilt as it is there.

    python docs/scripts/make_fields.py

Each is restored by the verb that the page shows, nothing said of the noise; the figures above the pictures
are PSNR over the crop.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage import data
from skimage.draw import line
from skimage.transform import downscale_local_mean

import untaught
from untaught.cli.commands.demo import strip_of

SIDE = 192
TARGET = Path(__file__).resolve().parents[1] / "img"
Array = NDArray[Any]


@dataclass(frozen=True)
class Field:
    """A picture as it is had in a field, the truth in its units, what became of it; values of black and white."""

    noisy: Array
    clean: Array
    restored: Array
    shown: tuple[float, float] = (0, 255)

    def strip(self) -> Array:
        """Return the three side by side."""
        named = {
            f"before, {self._psnr(self.noisy):.1f} dB": self.noisy,
            f"after, {self._psnr(self.restored):.1f} dB": self.restored,
            "clean, which was not used": self.clean,
        }
        return strip_of({name: self._visible(array) for name, array in named.items()})

    def _psnr(self, array: Array) -> float:
        low, high = self.shown
        return float(-10 * np.log10(np.mean(((array.astype(float) - self.clean) / (high - low)) ** 2)))

    def _visible(self, array: Array) -> Array:
        low, high = self.shown
        grey = np.clip(np.rint(255 * (array.astype(float) - low) / (high - low)), 0, 255).astype(np.uint8)
        return grey if grey.ndim == 3 else np.repeat(grey[..., None], 3, axis=2)


def crop(array: Array, top: int, left: int) -> Array:
    """Return a square of a picture."""
    return array[top : top + SIDE, left : left + SIDE]


def smaller(array: Array, times: int) -> Array:
    """Return a picture made smaller, so that more of it is seen."""
    return downscale_local_mean(array, (times, times) + (1,) * (array.ndim - 2))


def microscopy(rng: np.random.Generator) -> Field:
    """Return cells in at most 40 photo-electrons, of gain 8, with read-out noise and the offset of a camera."""
    clean = 100 + 8 * 40 * (crop(smaller(data.cell(), 2), 90, 60) / 255.0)
    counts = 8 * rng.poisson((clean - 100) / 8) + 100 + rng.normal(0, 10, clean.shape)
    noisy = np.rint(counts).clip(0, 65535).astype(np.uint16)
    return Field(noisy, clean, untaught.denoise(noisy).image, (100.0, float(clean.max())))


def astronomy(rng: np.random.Generator) -> Field:
    """Return galaxies as floats, under the noise of the sky and of the counts."""
    clean = crop(data.hubble_deep_field(), 300, 320).mean(axis=2)
    noisy = (rng.poisson(clean + 20) - 20 + rng.normal(0, 6, clean.shape)).astype(np.float32)
    return Field(noisy, clean, untaught.denoise(noisy, output_type="float32").image, (0.0, 160.0))


def medical(rng: np.random.Generator) -> Field:
    """Return a fundus in colours, under white noise."""
    clean = np.rint(crop(smaller(data.retina(), 3), 130, 60))
    noisy = np.clip(np.rint(clean + rng.normal(0, 15, clean.shape)), 0, 255).astype(np.uint8)
    return Field(noisy, clean, untaught.denoise(noisy).image)


def photographs(rng: np.random.Generator) -> Field:
    """Return a cup of coffee as a JPEG file of a noisy picture."""
    clean = crop(data.coffee(), 100, 220)
    noisy = np.clip(np.rint(clean + rng.normal(0, 20, clean.shape)), 0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noisy).save(stream, "JPEG", quality=90)
    noisy = np.asarray(Image.open(stream))
    return Field(noisy, clean, untaught.denoise(noisy).image)


def archives(rng: np.random.Generator) -> Field:
    """Return a scan with scratches, which are said to be missing."""
    clean = crop(data.camera(), 60, 170)
    mask = np.ones(clean.shape, np.uint8)
    for _ in range(10):
        ends = rng.integers(0, SIDE, 4)
        rows, columns = line(*ends)
        for step in (-1, 0, 1):
            mask[rows, np.clip(columns + step, 0, SIDE - 1)] = 0
    noisy = np.where(mask == 1, clean, 255).astype(np.uint8)
    return Field(noisy, clean, untaught.inpaint(noisy, mask).image)


def main() -> None:
    """Write all of them."""
    for make in (microscopy, astronomy, medical, photographs, archives):
        picture = Image.fromarray(make(np.random.default_rng(0)).strip())
        picture.save(TARGET / f"field-{make.__name__}.jpg", quality=88, optimize=True)


if __name__ == "__main__":
    main()
