"""Why it works: instruments for the structural bias of convolutional generators.

They read networks and fits; nothing else in the package reads them. Every one returns a plain dataclass of arrays.
"""

from __future__ import annotations

from untaught.theory.dual_kernels import DualKernel, dual_kernel
from untaught.theory.dynamics import (
    Components,
    FitCurve,
    Measure,
    PredictedStop,
    expected_stop,
    predicted_curve,
    predicted_stop,
)
from untaught.theory.gradient_descent import Descent
from untaught.theory.impedance import Impedance, ImpedanceCurve, impedance
from untaught.theory.jacobian import (
    Draw,
    Jacobian,
    JacobianNorms,
    convolution_weights,
    drawn_by,
    jacobian_norms,
)
from untaught.theory.lanczos import reach, spectral_density, spectral_measure
from untaught.theory.linearisation import LinearRegime, linear_regime, linearisation_error
from untaught.theory.spectrum import Spectrum, coarse_share, leading, trigonometric_share
from untaught.theory.sure_stop import followed_stop

__all__ = [
    "Components",
    "Descent",
    "Draw",
    "DualKernel",
    "FitCurve",
    "Impedance",
    "ImpedanceCurve",
    "Jacobian",
    "JacobianNorms",
    "LinearRegime",
    "Measure",
    "PredictedStop",
    "Spectrum",
    "coarse_share",
    "convolution_weights",
    "drawn_by",
    "dual_kernel",
    "expected_stop",
    "followed_stop",
    "impedance",
    "jacobian_norms",
    "leading",
    "linear_regime",
    "linearisation_error",
    "predicted_curve",
    "predicted_stop",
    "reach",
    "spectral_density",
    "spectral_measure",
    "trigonometric_share",
]
