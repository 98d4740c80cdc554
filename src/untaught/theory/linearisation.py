"""A network beside its linearisation at the start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from untaught.errors import InputError
from untaught.theory.dynamics import Array
from untaught.theory.gradient_descent import Descent, watch
from untaught.theory.jacobian import Jacobian
from untaught.theory.spectrum import Spectrum


@dataclass(frozen=True)
class LinearRegime:
    """A network and its linearisation, both descending from one start to one picture.

    Attributes
    ----------
    steps : ndarray
        t, (T,).
    measured, predicted : ndarray
        Mean squared misfit to y of the network and of its linearisation, (T,).
    measured_parts, predicted_parts : ndarray
        Their residuals' components <w_i, y - G(theta_t)>, (T, count).
    apart : ndarray
        || G(theta_t) - linearised(t) || / || y - G(theta_0) ||, (T,).
    notes : tuple of str
        What the spectrum says of itself.
    """

    steps: NDArray[np.int64]
    measured: Array
    predicted: Array
    measured_parts: Array
    predicted_parts: Array
    apart: Array
    notes: tuple[str, ...]

    @property
    def relative_error(self) -> float:
        """Largest relative error of the predicted norm of the residual over the steps."""
        return float(np.abs(np.sqrt(self.predicted / self.measured) - 1).max())


def linear_regime(descent: Descent, spectrum: Spectrum, y: Tensor, seed: int = 0, every: int = 1) -> LinearRegime:
    """Run the descent and hold every output against the linearised network's.

        linearised(t) = G(theta_0) + sum_i (1 - (1 - eta sigma_i^2)^t) <w_i, y - G(theta_0)> w_i

    Parameters
    ----------
    descent : Descent
        Without momentum.
    spectrum : Spectrum
        Of the same network at its start; what lies outside its vectors is predicted to stay.
    y : Tensor
        Picture to fit, (1, C, H, W).

    Raises
    ------
    InputError
        If the descent has momentum, or diverges.
    """
    if descent.momentum:
        raise InputError("the prediction is for plain gradient descent; set the momentum to 0")
    network, code = descent.draw(seed)
    with torch.no_grad():
        start = network(code).double()
    components = spectrum.components(y - start)
    first = components.coefficients
    rows: list[tuple[float, ...]] = []
    parts: list[tuple[Array, Array]] = []

    def look(step: int, output: Tensor) -> None:
        t = step - 1  # it shows the output before the step
        left = components.kept(descent.eta, [t])[0] * first
        linearised = start + torch.from_numpy(np.tensordot(first - left, spectrum.vectors, 1))
        misfit = y - output.double()
        parts.append((spectrum.coefficients(misfit), left))
        rows.append(
            (
                t,
                float(misfit.square().mean()),
                float((y - linearised).square().mean()),
                float((output - linearised).norm() / (y - start).norm()),
            )
        )

    watch(descent, y, seed, every, look)
    steps, measured, predicted, apart = np.array(rows).T
    measured_parts, predicted_parts = (np.array(part) for part in zip(*parts, strict=True))
    return LinearRegime(
        steps.astype(np.int64), measured, predicted, measured_parts, predicted_parts, apart, spectrum.notes
    )


def linearisation_error(jacobian: Jacobian, direction: Tensor, lengths: Sequence[float]) -> Array:
    """Return how far the network is from its linearisation along a line of weights.

        || G(theta + e d) - G(theta) - e J d || / || e J d ||   for each length e

    Parameters
    ----------
    direction : Tensor
        d, (parameters,).
    lengths : sequence of float
        e, none of them zero.
    """
    slope = jacobian.jvp(direction[None])
    apart = [
        float((jacobian.moved(e * direction) - jacobian.output - e * slope).norm() / (abs(e) * slope.norm()))
        for e in lengths
    ]
    return np.asarray(apart, dtype=np.float64)
