"""The stop of a fit whose network leaves the linear regime: Stein's risk, followed while it runs.

    N error(t) = || y - G_t ||^2 + 2 sigma^2 div G_t - N sigma^2,   G_t = G(theta_t), a function of y
    div G_t ~ <b, G_t(y + e b) - G_t(y)> / e,   b of random signs

`dynamics` predicts both terms before the fit, from the Jacobian at the start; once that has changed, both are off.
Sources: Stein, "Estimation of the Mean of a Multivariate Normal Distribution", Annals of Statistics 1981; Ramani,
Blu, Unser, "Monte-Carlo SURE", IEEE Transactions on Image Processing 2008.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from untaught.errors import InputError
from untaught.theory.dynamics import Array, PredictedStop
from untaught.theory.gradient_descent import Descent, watch

MOVE = 0.2  # of sigma: far above rounding, and little beside the noise, which moved the fit as far already


def followed_stop(descent: Descent, y: Tensor, sigma: float, seed: int = 0, probes: int = 1) -> PredictedStop:
    """Run a descent, and once more for each probe; return the step of least estimated error.

    Parameters
    ----------
    descent : Descent
        With or without momentum.
    y : Tensor
        Noisy picture, (1, C, H, W).
    sigma : float
        Standard deviation of its white noise, in the units of the picture.
    seed : int
        Of the network and the probes.
    probes : int
        Directions b; the divergence is their mean.

    Raises
    ------
    InputError
        If sigma is not positive, or there is no probe.
    """
    if not sigma > 0:
        raise InputError(f"sigma is {sigma}; give the standard deviation of the noise, above 0")
    if probes < 1:
        raise InputError(f"{probes} probes were asked for; give 1 or more")
    generator = torch.Generator().manual_seed(seed)
    fitted = _outputs(descent, y, seed)
    divergence = np.zeros(len(fitted))
    for _ in range(probes):
        signs = 2.0 * torch.randint(0, 2, y.shape, generator=generator).to(y) - 1
        change = _outputs(descent, y + MOVE * sigma * signs, seed) - fitted
        divergence += change @ signs.flatten().double().numpy() / (MOVE * sigma * probes)
    misfit = np.square(fitted - y.flatten().double().numpy()).mean(axis=1)
    error = misfit + 2 * sigma**2 * divergence / y.numel() - sigma**2
    best = int(np.argmin(error))
    return PredictedStop(best, float(misfit[best]), np.arange(len(error)), error)


def _outputs(descent: Descent, y: Tensor, seed: int) -> Array:
    """Return G(theta_t) of a descent to y, (steps, values)."""
    rows: list[Array] = []
    watch(descent, y, seed, 1, lambda _, picture: rows.append(picture.flatten().double().numpy()))
    return np.stack(rows)
