"""Stein's risk along a fit: the formula where the generator is linear, and the stop where it is far from that."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.theory.test_dynamics import linear
from tests.theory.test_instruments import camera
from untaught.errors import InputError
from untaught.methods.networks.decoder import Decoder, DecoderShape
from untaught.theory import Descent, Jacobian, followed_stop, leading, predicted_stop
from untaught.theory.gradient_descent import watch


def narrow(seed: int) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(seed)
    network = Decoder(1, (16, 16), DecoderShape(48, 1))
    return network, network.draw_code(torch.Generator().manual_seed(seed))


def noisy_line() -> Tensor:
    return torch.randn(1, 1, 1, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_for_a_linear_generator_it_is_near_the_prediction() -> None:
    """And the nearer the more probes, for both are Stein's risk."""
    spectrum = leading(Jacobian(*linear(0)), 6)
    eta, y = 0.5 / spectrum.values[0] ** 2, noisy_line()
    predicted = predicted_stop(spectrum.components(y), 0.4, eta, range(30))
    few, many = (followed_stop(Descent(linear, eta, 30), y, 0.4, 5, n) for n in (1, 40))
    assert many.error == pytest.approx(predicted.error, abs=0.02)
    assert np.abs(many.error - predicted.error).max() < np.abs(few.error - predicted.error).max()
    at_start = float(y.square().mean()) - 0.4**2  # the generator draws zeros there, whatever y
    assert many.error[0] == pytest.approx(at_start, abs=1e-6)


def test_it_finds_the_stop_of_a_network_that_leaves_its_start_behind() -> None:
    sigma, x = 0.15, camera(16)
    y = x + sigma * torch.randn(x.shape, generator=torch.Generator().manual_seed(3))
    descent = Descent(narrow, 0.5 / leading(Jacobian(*narrow(0)), 1).values[0] ** 2, 400)
    errors: list[float] = []
    watch(descent, y, 0, 1, lambda t, image: errors.append(float((image - x).square().mean())))
    found = followed_stop(descent, y, sigma)
    assert 0 < found.step < 399
    assert errors[found.step] < 1.1 * min(errors)
    assert found.error == pytest.approx(np.array(errors), abs=0.4 * sigma**2)


def test_what_cannot_be_followed_is_refused() -> None:
    with pytest.raises(InputError, match="sigma"):
        followed_stop(Descent(linear, 0.01, 5), noisy_line(), 0.0)
    with pytest.raises(InputError, match="probes"):
        followed_stop(Descent(linear, 0.01, 5), noisy_line(), 0.1, probes=0)
