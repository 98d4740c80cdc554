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
class Measure:
    """How much of something lies where among the singular values of a Jacobian.

    Attributes
    ----------
    values : ndarray
        s_k, (count,), largest first.
    masses : ndarray
        m_k, (count,): energy of a picture, or a number of directions.
    """

    values: Array
    masses: Array

    @property
    def total(self) -> float:
        """All of it."""
        return float(self.masses.sum())

    def above(self, value: float) -> float:
        """Return the share of it at singular values from `value` on."""
        return float(self.masses[self.values >= value].sum()) / self.total

    def holding(self, share: float) -> float:
        """Return the largest singular value above which lies at least this share."""
        there = np.flatnonzero(np.cumsum(self.masses) >= share * self.total * (1 - 1e-12))
        return float(self.values[there[0]])


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
        return _kept(self.values, eta, steps)


def _kept(values: Array, eta: float, steps: Steps) -> Array:
    most = 2 / float(np.max(values)) ** 2
    if not 0 < eta < most:
        raise InputError(
            f"a step of {eta:.3g} does not descend; give one between 0 and 2 / sigma_1^2 = {most:.3g}"
        )
    return np.asarray((1 - eta * values**2) ** np.asarray(steps)[:, None], dtype=np.float64)


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
        Step length of `gradient_descent.Descent`.
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
        Step length of `gradient_descent.Descent`.
    steps : sequence of int
        Candidates t, (T,).

    Raises
    ------
    InputError
        If sigma is not positive, or the descent diverges.
    """
    noisy = Measure(components.values, components.coefficients**2)
    density = Measure(components.values, np.ones_like(components.values))
    rest = (components.rest_energy, components.rest_count)
    whole = [_with_rest(measure, more) for measure, more in zip((noisy, density), rest, strict=True)]
    return expected_stop(whole[0], whole[1], sigma, eta, steps)


def _with_rest(measure: Measure, rest: float) -> Measure:
    """Return the measure with what is never fitted, at the value 0."""
    return Measure(np.append(measure.values, 0.0), np.append(measure.masses, rest))


def expected_stop(noisy: Measure, density: Measure, sigma: float, eta: float, steps: Steps) -> PredictedStop:
    """Return the step of least expected error from measures, which `lanczos` has for networks of any size.

        N error(t) = sum_k b_k^2 m_k + sigma^2 sum_j (1 - 2 b_j) n_j,   b = (1 - eta s^2)^t

    with m the energy of y - G(theta_0) and n the number of directions: `predicted_stop` with its terms sorted.

    Parameters
    ----------
    noisy : Measure
        Of the residual of the noisy picture at the start.
    density : Measure
        Of total mass C H W.
    sigma, eta, steps
        As in `predicted_stop`.

    Raises
    ------
    InputError
        As `predicted_stop` does.
    """
    if not sigma > 0:
        raise InputError(
            f"the noise level is {sigma}; give a positive one: without noise there is nothing to stop for"
        )
    fitted = _kept(noisy.values, eta, steps) ** 2 @ noisy.masses
    error = (fitted + sigma**2 * ((1 - 2 * _kept(density.values, eta, steps)) @ density.masses)) / density.total
    best = int(np.argmin(error))
    steps = np.asarray(steps)
    return PredictedStop(int(steps[best]), float(fitted[best]) / density.total, steps, error)
