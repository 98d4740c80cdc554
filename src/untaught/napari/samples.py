"""Pictures to try it on: those that come with scikit-image, and simulated noise; nothing is fetched."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.image.image import Image
from untaught.napari.layers import LayerData, layers_of

SEED = 0
DEEP, SIDE, FRAMES = 24, 96, 12


def _drawn() -> np.random.Generator:
    return np.random.default_rng(SEED)


def _bytes(values: NDArray[Any]) -> NDArray[np.uint8]:
    found: NDArray[np.uint8] = np.clip(np.round(values), 0, 255).astype(np.uint8)
    return found


def photograph() -> list[LayerData]:
    """Return a part of a photograph with white Gaussian noise of level 25."""
    from skimage import data

    clean = data.coffee()[50:306, 150:406].astype(float)
    return layers_of(Image.of(_bytes(_drawn().normal(clean, 25)), "YXS"), "coffee, noise 25")


def few_photons() -> list[LayerData]:
    """Return a cell under the microscope as a camera counts it: 40 photons at the brightest, 0.11 um a pixel."""
    from skimage import data

    clean = data.cell()[200:456, 150:406].astype(float)
    counts = _drawn().poisson(40 * clean / clean.max()).astype(np.uint16)
    spacing = {"spacing": {"Y": (0.11, "um"), "X": (0.11, "um")}}
    return layers_of(Image.of(counts, "YX", metadata=spacing), "cell, few photons")


def volume() -> list[LayerData]:
    """Return blobs in a volume, of planes 0.5 um apart and pixels of 0.2 um, with the noise of a camera."""
    from scipy.ndimage import gaussian_filter
    from skimage import data

    blobs = data.binary_blobs(SIDE, blob_size_fraction=0.12, n_dim=3, volume_fraction=0.35, rng=SEED)[::4][:DEEP]
    clean = 100 + 60 * gaussian_filter(blobs.astype(float), 1.2)
    random = _drawn()
    counts = np.clip(np.round(random.poisson(clean) + random.normal(0, 3, clean.shape)), 0, None)
    spacing = {"spacing": {"Z": (0.5, "um"), "Y": (0.2, "um"), "X": (0.2, "um")}}
    return layers_of(Image.of(counts.astype(np.uint16), "ZYX", metadata=spacing), "blobs, noisy volume")


def film() -> list[LayerData]:
    """Return a film of a camera that moves, twice a second, with white Gaussian noise of level 20."""
    from skimage import data

    whole = data.camera().astype(float)
    frames = [whole[100 + at : 228 + at, 180 + 2 * at : 308 + 2 * at] for at in range(FRAMES)]
    stack = _bytes(_drawn().normal(np.stack(frames), 20))
    return layers_of(Image.of(stack, "TYX", metadata={"spacing": {"T": (0.5, "s")}}), "film, noise 20")


def damaged() -> list[LayerData]:
    """Return a photograph with a scratch and a blot, and the labels that mark them, for 'inpaint'."""
    from skimage import data

    picture = data.astronaut()[20:212, 130:322].copy()
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]]
    lost = (np.abs(columns - rows / 2 - 40) < 3) | (np.hypot(rows - 130, columns - 140) < 9)
    picture[lost] = 255
    [layer] = layers_of(Image.of(picture, "YXS"), "damaged")
    return [layer, (lost.astype(np.uint8), {"name": "what is missing"}, "labels")]
