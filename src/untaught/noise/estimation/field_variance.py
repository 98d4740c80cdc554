"""Noise whose level varies over the field: parallel MRI, tomography, vignetting that was corrected.

    Var n(u, v) = exp(p(u, v)) s^2(x),   p a polynomial of the place of degree 2

In every block of the picture the flattest patches tell by how much the noise is stronger than the law says at
their brightness. Texture can only raise that, and here and there; a field raises all, smoothly.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from untaught.noise.estimation.dct_patches import HIGH, LOW, SIZE, Patches, kept_by_model
from untaught.noise.estimation.robust import deviation, reweighted
from untaught.noise.estimation.sigma import KEPT
from untaught.noise.models.base import NoiseModel
from untaught.noise.models.noise_map import NoiseMap

BLOCK, LEAST_BLOCK = 64, 32  # pixels; blocks overlap by half
ACROSS = 5  # blocks side by side at least, on the shorter side
FLATTEST = 0.25  # of the patches of a block
FEWEST = 8  # patches that tell a block's level
FLAT = 1.5  # low- over high-frequency energy of these beyond which they hold texture
TRUSTED = 0.6  # of the blocks, that have to be flat
LEAST_BLOCKS = 16  # for six coefficients
QUANTILES = (0.1, 0.9)  # of the blocks, between which a field is said to vary
FACTOR = 1.3  # of the level between these; 1.12 at most in 60 pictures with noise of one law, 1.24 where 1 was
LEAST_ERROR = 0.05  # of the variance: how far a field of degree 2 was from smooth ones of another kind
NEAR, LEAST_NEAR = 0.12, 0.7  # blocks this close to the field, relative variance or 3 errors, and how many must be
EXPLAINED = 0.5  # of what the blocks' brightness leaves unexplained, at most left by their place
ROUNDS = 20

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Blocks:
    """What was measured in every block.

    Attributes
    ----------
    place : ndarray
        Down and right, (N, 2), from -1 to 1 over the picture.
    log : ndarray
        Logarithm of the variance over that of the law, (N,).
    error : ndarray
        Standard error of that.
    flatness : ndarray
        Low- over high-frequency energy of the patches that told it: about 1 without texture.
    brightness : ndarray
        Their mean.
    """

    place: Floats
    log: Floats
    error: Floats
    flatness: Floats
    brightness: Floats

    def take(self, index: NDArray[np.bool_]) -> Blocks:
        """Return some of them."""
        return Blocks(*(getattr(self, each.name)[index] for each in fields(self)))


def with_field(
    law: NoiseModel, plain: NoiseModel, patches: Patches, shape: tuple[int, int]
) -> tuple[NoiseMap, str] | None:
    """Return the law with a level that varies over the field, and what to say of it; None where it hardly does.

    Parameters
    ----------
    law : NoiseModel
        White noise, as it was found.
    plain : NoiseModel
        White noise of one level: a field may have been taken for a law that depends on brightness.
    patches : Patches
        Of the picture, with their corners.
    shape : tuple of int
        Rows and columns of the picture.
    """
    for base in (law, plain):
        if base.shifted or base.pixel_levels is not None:
            continue
        blocks = _blocks(patches, base, shape)
        surface = None if blocks is None else _surface(blocks)
        if surface is not None:
            return _map(base, surface, shape)
        if base.uniform:
            break
    return None


def _map(base: NoiseModel, surface: Floats, shape: tuple[int, int]) -> tuple[NoiseMap, str]:
    """Return the law and the sentence, given the coefficients of the logarithm of the variance."""
    down, right = np.meshgrid(*(np.linspace(-1, 1, count) for count in shape), indexing="ij")
    variance = np.exp(_terms(down, right) @ surface)
    middle = float(variance.mean())
    error = max(base.relative_error, LEAST_ERROR)
    found = base.scaled(middle, error)
    field = NoiseMap(found, np.sqrt(variance / middle), relative_error=error, clip=base.clip)
    times = float(field.field.max() / field.field.min())
    return field, f"The level of the noise varies over the picture, {times:.1f}-fold, and was measured by blocks."


def _blocks(patches: Patches, law: NoiseModel, shape: tuple[int, int]) -> Blocks | None:
    """Return the blocks that hold enough patches; None for a picture too small for some side by side."""
    side = int(np.clip(min(shape) // ACROSS, LEAST_BLOCK, BLOCK))
    if patches.corner is None or min(shape) < side * (ACROSS - 1):
        return None
    clean, share = kept_by_model(patches.mean, law)
    spread = np.asarray(law.std(clean)) * np.sqrt(share)
    usable = (share.min(1) > KEPT) & (spread.min(1) > 0)
    square = np.square(patches.dct[usable] / spread[usable][:, :, None]).mean(1)
    energy = np.stack([square[:, HIGH].mean(1), square[:, LOW].mean(1), patches.mean[usable].mean(1)], 1)
    centre = patches.corner[usable] + SIZE / 2
    found = []
    for top in range(0, shape[0] - side // 2, side // 2):
        band = np.flatnonzero((centre[:, 0] >= top) & (centre[:, 0] < top + side))
        for left in range(0, shape[1] - side // 2, side // 2):
            inside = band[(centre[band, 1] >= left) & (centre[band, 1] < left + side)]
            count = int(FLATTEST * len(inside))
            if count >= FEWEST:
                flat = inside[np.argsort(energy[inside, 1], kind="stable")[:count]]
                found.append((*(2 * centre[flat].mean(0) / shape - 1), *energy[flat].mean(0), count))
    if not found:
        return None
    table = np.array(found)
    high = np.maximum(table[:, 2], 1e-12)
    error = np.sqrt(2 / (table[:, 5] * patches.overlap * HIGH.sum()))
    return Blocks(table[:, :2], np.log(high), error, table[:, 3] / high, table[:, 4])


def _surface(blocks: Blocks) -> Floats | None:
    """Return the coefficients of the field; None where it is level, no smooth one, or one of brightness."""
    flat = blocks.flatness < FLAT
    if flat.sum() < LEAST_BLOCKS or flat.mean() < TRUSTED:
        return None
    blocks = blocks.take(flat)
    terms = _terms(*blocks.place.T)
    surface, left = _fitted(terms, blocks.log)
    field = terms @ surface
    low, high = np.quantile(field, QUANTILES) / 2  # of the level, not of the variance
    if high - low < np.log(FACTOR):
        return None
    near = np.abs(blocks.log - field) < np.maximum(3 * blocks.error, NEAR)
    _, otherwise = _fitted(np.vander(blocks.brightness, 3), blocks.log)
    return surface if near.mean() > LEAST_NEAR and left < EXPLAINED * otherwise else None


def _terms(down: Floats, right: Floats) -> Floats:
    """Return 1, u, v, u^2, u v, v^2 along a last axis."""
    return np.stack([np.ones_like(down), down, right, down**2, down * right, right**2], axis=-1)


def _fitted(terms: Floats, log: Floats) -> tuple[Floats, float]:
    """Return the coefficients that fit most values, those above trusted less, and the spread of what is left."""
    found, rest, _ = reweighted(terms, log, _trust, ROUNDS)
    return found, _scale(rest)


def _trust(rest: Floats) -> Floats:
    scaled = rest / _scale(rest)
    return np.asarray(1 / (1 + np.where(scaled > 0, scaled, scaled / 2) ** 2))


def _scale(rest: Floats) -> float:
    return max(deviation(rest), 1e-3)
