"""What gradient descent does to a picture, predicted from the singular values of the Jacobian at the start.

    theta_{t+1} = theta_t - eta J^T (G(theta_t) - y)
    <w_i, y - G(theta_t)> ~ (1 - eta sigma_i^2)^t <w_i, y - G(theta_0)>

exactly so for the linearised network G(theta_0) + J (theta - theta_0), and about so for the network itself as long
as its Jacobian stays what it was. Source: Heckel and Soltanolkotabi, "Denoising and Regularization via Exploiting
the Structural Bias of Convolutional Generators", ICLR 2020.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError

Array = NDArray[np.float64]
Steps = Sequence[int] | NDArray[np.int64]


@dataclass(frozen=True)
class Components:
    """A picture in the singular vectors of a Jacobian.

    Attributes
    ----------
    values : ndarray
        sigma_i, (count,), largest first.
    coefficients : ndarray
        <w_i, y - G(theta_0)>, (count,); where only squares matter, their magnitudes.
    rest_energy : float
        Energy of y - G(theta_0) outside the `count` vectors.
    rest_count : int
        How many dimensions that is; 0 where all vectors are known.
    """

    values: Array
    coefficients: Array
    rest_energy: float = 0.0
    rest_count: int = 0

    @property
    def count(self) -> int:
        """Values in the picture."""
        return len(self.values) + self.rest_count

    def largest_step(self) -> float:
        """Return 2 / sigma_1^2: descent diverges from there on."""
        return 2 / float(np.max(self.values)) ** 2

    def kept(self, eta: float, steps: Steps) -> Array:
        """Return the share of each component that is still to be fitted, (1 - eta sigma_i^2)^t; (T, count).

        Raises
        ------
        InputError
            If descent with steps of `eta` diverges.
        """
        if not 0 < eta < self.largest_step():
            most = self.largest_step()
            raise InputError(
                f"a step of {eta:.3g} does not descend; give one between 0 and 2 / sigma_1^2 = {most:.3g}"
            )
        return np.asarray((1 - eta * self.values**2) ** np.asarray(steps)[:, None], dtype=np.float64)


@dataclass(frozen=True)
class FitCurve:
    """Predicted mean squared misfit to y over steps.

    `error` counts what lies outside the known singular vectors as never fitted, `least` as fitted like the last of
    them: the truth lies between. With all vectors known the two are one.
    """

    steps: NDArray[np.int64]
    error: Array
    least: Array


def predicted_curve(components: Components, eta: float, steps: Steps) -> FitCurve:
    """Return || y - G(theta_t) ||^2 / N as the linearised network has it.

        N error(t) = sum_i (1 - eta sigma_i^2)^(2t) c_i^2 + rest

    Parameters
    ----------
    components : Components
        c_i and sigma_i.
    eta : float
        Step length of `descent.Descent`.
    steps : sequence of int
        t, (T,).

    Raises
    ------
    InputError
        If eta is so large that the descent diverges: eta sigma_1^2 >= 2.
    """
    kept = components.kept(eta, steps)
    known = (kept**2 * components.coefficients**2).sum(axis=1)
    rest, count = components.rest_energy, components.count
    return FitCurve(np.asarray(steps), (known + rest) / count, (known + rest * kept[:, -1] ** 2) / count)


@dataclass(frozen=True)
class PredictedStop:
    """Where descent should end.

    Attributes
    ----------
    step : int
        Of the least predicted error.
    misfit : float
        Predicted mean squared misfit to y there: what to wait for when the optimiser is another one.
    steps : ndarray
        (T,).
    error : ndarray
        Predicted mean squared error to the clean picture, (T,).
    """

    step: int
    misfit: float
    steps: NDArray[np.int64]
    error: Array


def predicted_stop(components: Components, sigma: float, eta: float, steps: Steps) -> PredictedStop:
    """Return the step of least expected error, from the noise level and the noisy picture's spectrum alone.

        N error(t) = sum_i b_i^2 (c_i^2 - sigma^2) + sigma^2 (1 - b_i)^2,   b_i = (1 - eta sigma_i^2)^t

    is squared bias plus variance, with c_i^2 - sigma^2 the unbiased estimate of the clean picture's energy in
    component i. It is Stein's risk of the linearised network.

    Parameters
    ----------
    components : Components
        Of the noisy picture. What is outside the known vectors counts as never fitted.
    sigma : float
        Standard deviation of white noise, in the units of the picture.
    eta : float
        Step length of `descent.Descent`.
    steps : sequence of int
        Candidates t, (T,).

    Raises
    ------
    InputError
        If sigma is not positive, or the descent diverges.
    """
    if not sigma > 0:
        raise InputError(
            f"the noise level is {sigma}; give a positive one: without noise there is nothing to stop for"
        )
    kept = components.kept(eta, steps)
    energy, count = components.coefficients**2, components.count
    bias = (kept**2 * (energy - sigma**2)).sum(axis=1) + components.rest_energy - components.rest_count * sigma**2
    error = (bias + (sigma**2 * (1 - kept) ** 2).sum(axis=1)) / count
    best = int(np.argmin(error))
    misfit = float((kept[best] ** 2 * energy).sum() + components.rest_energy) / count
    return PredictedStop(int(np.asarray(steps)[best]), misfit, np.asarray(steps), error)
