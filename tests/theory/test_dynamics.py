"""Predicted curves and stops: exact for a linear generator, near for a network in the linear regime."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.theory.test_instruments import camera, decoder
from untaught.errors import InputError
from untaught.methods.networks.decoder import TwoLayer
from untaught.theory import (
    Components,
    Descent,
    Jacobian,
    dual_kernel,
    leading,
    linear_regime,
    linearisation_error,
    predicted_curve,
    predicted_stop,
)
from untaught.theory.gradient_descent import watch


class Linear(nn.Module):
    """A generator that is linear in its weights."""

    def __init__(self, pixels: int, weights: int):
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(weights, dtype=torch.float64))

    def forward(self, code: Tensor) -> Tensor:
        return (code @ self.weights).view(1, 1, 1, -1)


def linear(seed: int, pixels: int = 6, weights: int = 9) -> tuple[nn.Module, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return Linear(pixels, weights), torch.randn(pixels, weights, generator=generator, dtype=torch.float64)


def two_layers(seed: int) -> tuple[nn.Module, Tensor]:
    network = TwoLayer((12, 12), 768, "triangle:3")
    return network, network.draw_code(torch.Generator().manual_seed(seed))


@given(st.integers(0, 1000), st.floats(0.05, 1.9))
@settings(max_examples=15, deadline=None)
def test_the_prediction_is_exact_for_a_linear_generator(seed: int, fraction: float) -> None:
    spectrum = leading(Jacobian(*linear(seed)), 6)
    eta = fraction / spectrum.values[0] ** 2
    y = torch.randn(1, 1, 1, 6, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    found = linear_regime(Descent(linear, eta, 20), spectrum, y, seed)
    assert found.apart == pytest.approx(np.zeros(20), abs=1e-8)
    assert found.predicted == pytest.approx(found.measured, rel=1e-6)
    assert found.predicted_parts == pytest.approx(found.measured_parts, abs=1e-8)
    curve = predicted_curve(spectrum.components(y), eta, found.steps)
    assert curve.error == pytest.approx(found.measured, rel=1e-6)
    assert curve.least == pytest.approx(curve.error)


def test_what_is_not_known_is_bounded() -> None:
    jacobian = Jacobian(*linear(1))
    y = torch.randn(1, 1, 1, 6, dtype=torch.float64)
    whole, part = leading(jacobian, 6), leading(jacobian, 3)
    eta, steps = 1 / whole.values[0] ** 2, [0, 1, 3, 10]
    truth = predicted_curve(whole.components(y), eta, steps).error
    bounds = predicted_curve(part.components(y), eta, steps)
    assert (bounds.least <= truth + 1e-12).all()
    assert (truth <= bounds.error + 1e-12).all()
    assert bounds.least[-1] < truth[-1] < bounds.error[-1]
    assert bounds.error[0] == pytest.approx(float(y.square().mean()))


def test_a_wide_network_follows_the_prediction() -> None:
    spectrum = leading(Jacobian(*two_layers(0)), 144)
    found = linear_regime(Descent(two_layers, 0.5 / spectrum.values[0] ** 2, 100), spectrum, camera(12), every=10)
    assert found.measured[-1] < 0.02 * float(camera(12).square().mean())  # the network starts at zero
    assert found.relative_error < 0.05
    assert found.apart.max() < 0.02


def test_a_narrow_network_leaves_the_linear_regime() -> None:
    spectrum = leading(Jacobian(*decoder()), 256)
    found = linear_regime(Descent(decoder, 0.5 / spectrum.values[0] ** 2, 60), spectrum, camera(), every=10)
    assert found.apart.max() > 0.05
    assert "statistics of this picture" in found.notes[0]


def test_the_linearisation_is_right_to_second_order() -> None:
    network, code = decoder()
    jacobian = Jacobian(network.double(), code.double())
    direction = torch.randn(jacobian.parameters, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    near, far = linearisation_error(jacobian, direction, [1e-6, 1e-5])
    assert near < 1e-3
    assert far / near == pytest.approx(10, rel=0.3)


@given(st.integers(0, 1000), st.floats(0.02, 0.5))
@settings(max_examples=20, deadline=None)
def test_the_predicted_error_is_unbiased(seed: int, sigma: float) -> None:
    """Its mean over the noise is squared bias plus variance, of the clean picture."""
    rng = np.random.default_rng(seed)
    values = np.sort(rng.uniform(0.05, 1, 40))[::-1]
    clean = rng.standard_normal(40) * values
    steps = np.arange(0, 400, 20)
    draws = [
        predicted_stop(Components(values, clean + sigma * rng.standard_normal(40)), sigma, 1.0, steps).error
        for _ in range(300)
    ]
    kept = (1 - values**2) ** steps[:, None]
    truth = (kept**2 * clean**2 + sigma**2 * (1 - kept) ** 2).mean(axis=1)
    # Var c^2 = 2 sigma^4 + 4 sigma^2 clean^2 in each component.
    spread = np.sqrt((kept**4 * (2 * sigma**4 + 4 * sigma**2 * clean**2)).sum(axis=1) / 300) / 40
    assert (np.abs(np.mean(draws, axis=0) - truth) < 5 * spread + 1e-12).all()


def test_the_predicted_stop_is_near_the_best_of_a_fit() -> None:
    """A wide network fitted to a noisy picture: the stop from sigma and the spectrum, beside the true best."""
    sigma, x = 0.15, camera(12)
    y = x + sigma * torch.randn(x.shape, generator=torch.Generator().manual_seed(3))
    spectrum = leading(Jacobian(*two_layers(0)), 144)
    eta = 1 / spectrum.values[0] ** 2
    found = predicted_stop(spectrum.components(y), sigma, eta, range(300))
    errors: list[float] = []
    watch(
        Descent(two_layers, eta, 300), y, 0, 1, lambda t, image: errors.append(float((image - x).square().mean()))
    )
    assert 0 < found.step < 299
    assert errors[found.step] < 1.1 * min(errors)
    assert found.error[found.step] == pytest.approx(errors[found.step], rel=0.4)


def test_more_noise_stops_earlier_and_the_misfit_is_there() -> None:
    rng = np.random.default_rng(0)
    kernel = dual_kernel("triangle:4", (16, 16))
    clean = camera()[0, 0].numpy() - 0.5
    stops = []
    for sigma in (0.02, 0.05, 0.1, 0.2):
        y = clean + sigma * rng.standard_normal(clean.shape)
        stops.append(predicted_stop(kernel.components(y), sigma, 0.1, range(0, 3000, 5)))
    assert [s.step for s in stops] == sorted((s.step for s in stops), reverse=True)
    assert stops[0].step > stops[-1].step
    assert stops[-1].misfit == pytest.approx(0.2**2, rel=0.2)


def test_a_rest_that_is_never_fitted_adds_its_own_error() -> None:
    values, found = np.array([2.0, 1.0]), np.array([3.0, 1.0])
    whole = predicted_stop(Components(values, found), 0.5, 0.1, range(9))
    rest = predicted_stop(Components(values, found, rest_energy=2.0, rest_count=2), 0.5, 0.1, range(9))
    assert 4 * rest.error == pytest.approx(2 * whole.error + 2.0 - 2 * 0.25)
    assert 4 * rest.misfit == pytest.approx(2 * whole.misfit + 2.0)


def test_wrong_requests_are_refused() -> None:
    parts = Components(np.array([2.0, 1.0]), np.ones(2))
    with pytest.raises(InputError, match=r"between 0 and 2 / sigma_1\^2 = 0.5"):
        predicted_curve(parts, 0.6, [1])
    with pytest.raises(InputError, match="noise level"):
        predicted_stop(parts, 0.0, 0.1, [1])
    spectrum = leading(Jacobian(*linear(0)), 6)
    with pytest.raises(InputError, match="momentum"):
        linear_regime(Descent(linear, 1e-3, momentum=0.9), spectrum, torch.zeros(1, 1, 1, 6))
