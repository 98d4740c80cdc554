"""Pictures that were drawn and not taken: what repeats exactly has no noise, however rough its edges are.

Where edges are everywhere, no patch is flat, and what an estimator takes for noise is edges. How often neighbours
repeat a value says so (`repeats`), and the narrow core of what they differ by is the noise that is left (`core`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from untaught.noise.belief import CAMERA, believed
from untaught.noise.estimation.core import core_level, paper
from untaught.noise.estimation.repeats import repeated, repeats_of
from untaught.noise.models.base import NoiseModel
from untaught.noise.models.gaussian import Gaussian

REPEATS = 0.4  # share of windows of 3 x 3 that repeat one value, from which on a picture may be drawn ...
BETWEEN = 0.05  # ... where so many of these lie between black and white: noise would have changed them
FAINT = 3 / 255  # noise below this level may leave such windows after rounding and compression
FEW = 3  # values; with fewer, of black and white alone, nothing can be told of noise
AT_ENDS = 0.25  # share of such windows at black or white ...
STRONG = 40 / 255  # ... which noise of this level leaves only where the truth lies 100 levels beyond the range
CORE_ERROR = 0.25  # of the variance of the core: 50 drawings with noise of level 3, 8 and 25


def drawing_noise(
    noise: NoiseModel,
    values: NDArray[np.float32],
    missing: NDArray[np.bool_] | None,
    flat: bool,
    step: float = 0.0,
) -> NoiseModel | None:
    """Return the noise of a picture that was drawn, where `noise` is contradicted by it; else None.

    Parameters
    ----------
    noise : NoiseModel
        What was measured.
    values : ndarray
        (H, W, C), [0, 1] units.
    missing : ndarray or None
        (H, W), True where there is no measurement.
    flat : bool
        Whether there were flat patches to measure it on.
    step : float
        The distance of the grey levels, [0, 1] units; 0 where they are continuous.
    """
    none = Gaussian(0.0, clip=noise.clip)
    if (noise.uniform or noise.shared) and drawn(values, missing, noise.level):
        return none
    repeats, known = repeats_of(values, missing, step), values if missing is None else values[~missing]
    if repeats.drawn or len(np.unique(known)) < FEW:
        return none
    on_paper = bool(paper(known))
    if repeats.allow(noise, values, on_paper) and (flat or not on_paper):
        return None
    level = min(core_level(values, missing), 1.5 * repeats.most)
    return Gaussian(level, relative_error=CORE_ERROR, clip=noise.clip) if believed(level, CAMERA) else none


def drawn(values: NDArray[np.float32], missing: NDArray[np.bool_] | None, level: float) -> bool:
    """Say whether noise of `level` cannot be in (H, W, C) in [0, 1], for too much of it repeats exactly.

    Letters and lines on a white page look like strong noise to an estimator that skips what is cut off.
    """
    if level < FAINT:
        return False
    flat = repeated(values)
    inside = ((values > 0) & (values < 1)).any(2)
    there = np.ones(flat.shape, bool) if missing is None else ~missing
    between, ends = (float((flat & kind)[there].mean()) for kind in (inside, ~inside))
    return (between > BETWEEN and between + ends > REPEATS) or (ends > AT_ENDS and level > STRONG)
