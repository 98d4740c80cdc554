"""The level of white Gaussian noise, from one picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from untaught.noise.estimation.clipping import clipping
from untaught.noise.estimation.dct_patches import (
    HIGH,
    LOW,
    SIZE,
    Flags,
    Floats,
    Patches,
    collect,
    kept_by_clipping,
    kept_by_model,
)
from untaught.noise.models.base import NoiseModel
from untaught.noise.models.censored import Clip
from untaught.noise.models.gaussian import Gaussian

SHARES = (0.03, 0.06, 0.12, 0.25, 0.5)  # of the flattest patches, tried in this order
ENOUGH = 300  # patches that are always taken
KEPT = 0.7  # patches that clipping leaves less variance are not used where others are there
FAINT = 1 / 255  # below this deviation the rounding of 8-bit pictures counts
TRAILING = 0.5  # of the principal directions, those of least variance, taken for pure noise
# Texture much weaker than the noise is in those too, and cannot be told from it. On crops of eight Kodak pictures
# and five colour pictures of scikit-image it added 4.5, 3.1, 2.0, 1.3, 0.9, 0.6 % to the variance of noise of
# level 5, 10, 15, 25, 35, 50: about HIDDEN / (sigma + HIDDEN_FROM), which is taken off.
HIDDEN = 0.34 / 255
HIDDEN_FROM = 2.5 / 255
HIDDEN_ERROR = 0.6  # of what is taken off: how far pictures are from that
LEAST_ERROR = (0.025, 0.006)  # of the variance, grey and colour: how far strong noise was off all the same
TEXTURE_ERROR = 0.03  # of the variance, for an e-fold of `Level.texture`


@dataclass(frozen=True)
class Level:
    """A noise level with what is needed to judge it.

    Attributes
    ----------
    sigma : float
        Standard deviation before clipping, [0, 1] units.
    relative_error : float
        One standard error of the variance over the variance.
    texture : float
        Low- over high-frequency energy of the patches used: about 1 where they were flat.
    chosen : ndarray
        Indices of the patches used.
    """

    sigma: float
    relative_error: float
    texture: float
    chosen: NDArray[np.intp]


def estimate_sigma(values: Floats, missing: Flags | None = None, clip: Clip | None = None) -> Gaussian:
    """Estimate the level of white Gaussian noise in one picture.

    Parameters
    ----------
    values : ndarray
        float32, shape (H, W, C), [0, 1] units.
    missing : ndarray, optional
        bool, shape (H, W), True where there is no measurement.
    clip : tuple of bool, optional
        Whether values were cut at 0 and at 1; looked for in the picture where it is not given.

    Returns
    -------
    Gaussian
        With `sigma` the standard deviation before clipping, `relative_error` and `clip`.

    Notes
    -----
    The flattest patches are found by their low-frequency DCT energy, and the noise is measured in
    their high frequencies, which for white noise are independent of the choice. Among those, texture is
    set apart from noise by principal directions: they are found on one half of the picture, and the
    variance along the weaker half of them is measured on the other half of it, which makes it unbiased
    for noise. How many patches are taken is settled by Lepski's rule: as many as agree with the fewer
    but flatter. What weak texture adds all the same is taken off, by a law that was measured. What
    clipping takes away is put back by the moments of the censored Gaussian.

    References
    ----------
    N. N. Ponomarenko, V. V. Lukin, M. S. Zriakhov, A. Kaarna, J. Astola, "An automatic approach to
    lossy compression of AVIRIS images", IGARSS 2007. S. Pyatykh, J. Hesser, L. Zheng, "Image noise
    level estimation by principal component analysis", IEEE TIP 22(2), 2013. G. Chen, F. Zhu, P. A.
    Heng, "An efficient statistical method for image noise level estimation", ICCV 2015. A. Foi,
    "Clipped noisy images", Signal Processing 89(12), 2009.
    """
    ends = clipping(values, missing).clip if clip is None else clip
    patches = collect(values, missing)
    if patches is None:
        sigma, error = sigma_of_differences(values, missing)
        return Gaussian(sigma, relative_error=error, clip=ends)
    level = level_of(patches, ends)
    return Gaussian(level.sigma, relative_error=level.relative_error, clip=ends)


def level_of(patches: Patches, clip: Clip) -> Level:
    """Return the level of white noise in `patches`; see `estimate_sigma`."""
    sigma = float(np.sqrt(np.median(np.square(patches.dct[:, :, HIGH]).mean((1, 2)))))
    level = _one_pass(patches, kept_by_clipping(patches.mean, sigma, clip))
    for _ in range(2 if any(clip) else 0):
        level = _one_pass(patches, kept_by_clipping(patches.mean, level.sigma, clip))
    return level


def strength(patches: Patches, law: NoiseModel) -> Level | None:
    """Return by how much the noise is stronger than `law`: the level once it is divided by its deviation.

    `sigma` of the answer is a factor on the standard deviation. None where the law leaves too little to measure.
    """
    clean, share = kept_by_model(patches.mean, law)
    deviation = np.asarray(law.std(clean))
    share = np.where(deviation > FAINT, share, 0).astype(np.float32)
    seen = share.min(1) > KEPT
    if seen.sum() < ENOUGH:
        return None
    scaled = patches.dct[seen] / deviation[seen][:, :, None]
    return _one_pass(Patches(scaled.astype(np.float32), patches.half[seen], patches.stride), share[seen])


def flattest(patches: Patches, share: Floats) -> NDArray[np.intp]:
    """Return indices of usable patches, the flattest first; `share` (N, C) is kept by clipping."""
    least = share.min(1)
    usable = np.flatnonzero(least > KEPT)
    if len(usable) < ENOUGH:
        usable = np.argsort(-least, kind="stable")[:ENOUGH]
    energy = (np.square(patches.dct[usable][:, :, LOW]).mean(2) / share[usable]).mean(1)
    return np.asarray(usable[np.argsort(energy, kind="stable")])


def _one_pass(patches: Patches, share: Floats) -> Level:
    order = flattest(patches, share)
    low, high = -np.inf, np.inf
    variance, error, count = 0.0, 1.0, len(order)
    for fraction in SHARES:
        k = min(len(order), max(ENOUGH, int(fraction * len(order))))
        chosen = order[:k]
        new, spread = variance_of(patches.take(chosen), share[chosen])
        if new * (1 - 2 * spread) > high or new * (1 + 2 * spread) < low:
            break
        low, high = max(low, new * (1 - 2 * spread)), min(high, new * (1 + 2 * spread))
        variance, error, count = new, spread, k
    used = patches.take(order[:count]).dct
    high = float(np.square(used[:, :, HIGH]).mean())
    texture = float(np.square(used[:, :, LOW]).mean()) / max(high, 1e-20)
    sigma = float(np.sqrt(variance))
    hidden = HIDDEN / (sigma + HIDDEN_FROM) if sigma > FAINT else 0.0
    error = _total_error(error, (texture, hidden), used.shape[1] > 1)
    return Level(float(sigma * np.sqrt(1 - hidden)), error, texture, order[:count])


def variance_of(patches: Patches, share: Floats) -> tuple[float, float]:
    """Return the noise variance and the relative standard error from counting alone."""
    z = (patches.dct[:, :, HIGH] / np.sqrt(share)[:, :, None]).reshape(len(patches), -1)
    samples = max(1.0, z.size * patches.overlap)
    sides = [z[patches.half == side] for side in (0, 1)]
    if min(len(side) for side in sides) < 30:
        return float(np.square(z).mean()), float(np.sqrt(2 / samples))
    means = [_trailing(a, b) for a, b in (sides, sides[::-1])]
    return float(np.mean(means)), float(np.sqrt(2 / (TRAILING * samples)))


def _trailing(learn: Floats, measure: Floats) -> float:
    """Return the mean variance of `measure` along the weaker principal directions of `learn`."""
    _, directions = np.linalg.eigh(learn.T @ learn / len(learn))
    weak = directions[:, : max(1, int(TRAILING * directions.shape[1]))]
    return float(np.square(measure @ weak).mean())


def _total_error(counting: float, signal: tuple[float, float], coloured: bool) -> float:
    """Return the relative standard error of the variance; `signal` is what of it is seen and what is hidden."""
    texture, hidden = signal
    seen = TEXTURE_ERROR * max(0.0, np.log(max(texture, 1e-9)))
    return float(np.hypot(counting, np.hypot(HIDDEN_ERROR * hidden, LEAST_ERROR[coloured]) + seen))


def sigma_of_differences(values: Floats, missing: Flags | None) -> tuple[float, float]:
    """Return level and relative error of the variance where no patch is whole.

    The residual of every pixel against the mean of its two neighbours in the row has variance
    1.5 sigma^2. Odd rows find the flattest windows, even rows measure them, and the other way round.
    """
    present = np.ones(values.shape[:2], bool) if missing is None else ~missing
    best: list[float] = []
    for v, p in ((values, present), (values.swapaxes(0, 1), present.T)):
        if min(v.shape[:2]) < 3:
            continue
        triple = p[:, 1:-1] & p[:, :-2] & p[:, 2:]
        plain = np.where(p[:, :, None], v, 0)
        residual = plain[:, 1:-1] - (plain[:, :-2] + plain[:, 2:]) / 2
        square = np.where(triple, np.square(residual).mean(2) / 1.5, 0.0)
        best += _flat_windows(square, triple)
    if not best:
        return 0.0, 1.0
    return float(np.sqrt(np.mean(best))), 0.15


def _flat_windows(square: NDArray[np.float64], valid: Flags) -> list[float]:
    size = 2 * SIZE
    rows = [np.arange(start, square.shape[0], 2) for start in (0, 1)]
    sums = [_pool(square[r], size // 2, size) for r in rows]
    counts = [_pool(valid[r].astype(float), size // 2, size) for r in rows]
    n = min(len(sums[0]), len(sums[1]))
    found = []
    for a, b in ((0, 1), (1, 0)):
        ca, cb = counts[a][:n].ravel(), counts[b][:n].ravel()
        usable = np.flatnonzero((ca >= 4) & (cb >= 4))
        if not len(usable):
            continue
        means = sums[a][:n].ravel()[usable] / ca[usable]
        flat = usable[np.argsort(means)[: max(8, int(0.15 * len(usable)))]]
        found.append(float(sums[b][:n].ravel()[flat].sum() / cb[flat].sum()))
    return found


def _pool(a: NDArray[np.float64], rows: int, columns: int) -> NDArray[np.float64]:
    rows, columns = min(rows, a.shape[0]), min(columns, a.shape[1])
    h, w = a.shape[0] // max(rows, 1) * rows, a.shape[1] // max(columns, 1) * columns
    if not (h and w):
        return np.zeros((0, 0))
    return np.asarray(a[:h, :w].reshape(h // rows, rows, w // columns, columns).sum((1, 3)))
