"""Measures of energy over singular values by a few products, and the stops that follow from them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.theory.test_dynamics import linear
from tests.theory.test_instruments import camera, decoder
from untaught.errors import InputError
from untaught.fitting.progress import Options, Progress
from untaught.methods.networks.decoder import DecoderShape
from untaught.methods.untrained.deep_decoder import DeepDecoder
from untaught.theory import (
    Components,
    Jacobian,
    Measure,
    coarse_share,
    expected_stop,
    impedance,
    leading,
    predicted_stop,
    reach,
    spectral_density,
    spectral_measure,
)
from untaught.theory.impedance import NOISY


@given(st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_all_products_give_the_whole_measure(seed: int) -> None:
    """With as many products as directions the nodes are the singular values, and the masses the energies."""
    jacobian = Jacobian(*linear(seed))
    y = torch.randn(1, 1, 1, 6, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    exact = leading(jacobian, 6)
    found = spectral_measure(jacobian, y, 6)
    assert found.values == pytest.approx(exact.values, rel=1e-6, abs=1e-6)
    assert found.masses == pytest.approx(exact.coefficients(y) ** 2, rel=1e-5, abs=1e-7)


def test_few_products_are_exact_for_polynomials() -> None:
    jacobian = Jacobian(*decoder())
    y = camera() - jacobian.output
    exact = leading(jacobian, 256)
    energies = exact.coefficients(y) ** 2
    found = spectral_measure(jacobian, y, 5)
    assert len(found.values) == 5
    for power in range(10):  # sigma^(2 p) up to the degree 2 * 5 - 1
        expected = (exact.values ** (2 * power) * energies).sum()
        assert (found.values ** (2 * power) * found.masses).sum() == pytest.approx(expected, rel=1e-4)


def test_the_density_counts_directions() -> None:
    jacobian = Jacobian(*decoder())
    found, exact = spectral_density(jacobian, 60), leading(jacobian, 256).values
    assert found.total == pytest.approx(256)
    # Hutchinson's variance: a share p of N directions is off by about sqrt(2 p (1 - p) / N) of 1.
    for value in np.quantile(exact, [0.5, 0.75, 0.9]):
        assert found.above(value) == pytest.approx((exact >= value).mean(), abs=0.12)


def test_a_measure_tells_its_shares() -> None:
    found = Measure(np.array([3.0, 2.0, 1.0]), np.array([5.0, 3.0, 2.0]))
    assert found.total == 10
    assert [found.above(v) for v in (4, 3, 2, 0)] == [0, 0.5, 0.8, 1]
    assert [found.holding(s) for s in (0.5, 0.51, 0.8, 1)] == [3, 2, 2, 1]


def test_progress_is_told_and_zero_refused() -> None:
    jacobian = Jacobian(*decoder(side=6))
    seen: list[int] = []
    spectral_measure(jacobian, torch.ones(1, 1, 6, 6), 4, lambda: seen.append(1))
    assert len(seen) == 4
    with pytest.raises(InputError, match="zero everywhere"):
        spectral_measure(jacobian, torch.zeros(1, 1, 6, 6))


def test_lanczos_ends_where_there_is_nothing_more() -> None:
    """A generator of rank 2 has no more than 3 directions to be found from one picture."""
    network, code = linear(0)
    code = torch.cat([code[:2], torch.zeros(4, 9, dtype=torch.float64)])
    found = spectral_measure(Jacobian(network, code), torch.ones(1, 1, 1, 6, dtype=torch.float64), 6)
    assert len(found.values) == 3
    assert found.values[-1] == pytest.approx(0, abs=1e-6)
    assert found.masses[-1] == pytest.approx(4)


def test_the_expected_stop_is_the_predicted_one() -> None:
    rng = np.random.default_rng(0)
    values = np.sort(rng.uniform(0.05, 1, 50))[::-1]
    coefficients = 3 * values * rng.standard_normal(50) + 0.3 * rng.standard_normal(50)
    steps = range(0, 300, 3)
    one = predicted_stop(Components(values, coefficients), 0.3, 1.0, steps)
    two = expected_stop(Measure(values, coefficients**2), Measure(values, np.ones_like(values)), 0.3, 1.0, steps)
    assert (one.step, one.misfit) == (two.step, pytest.approx(two.misfit))
    assert one.error == pytest.approx(two.error)
    with pytest.raises(InputError, match="noise level"):
        expected_stop(Measure(values, coefficients**2), Measure(values, values), 0.0, 1.0, steps)


@pytest.mark.parametrize("sigma", [0.05, 0.15])
def test_few_products_stop_where_all_vectors_do(sigma: float) -> None:
    """At 24 x 24 all singular vectors can be had; 40 products tell the same stop."""
    jacobian = Jacobian(*decoder(side=24, width=24, scales=2))
    x = camera(24)
    y = x + sigma * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    exact = leading(jacobian, 576)
    eta = 0.9 / exact.values[0] ** 2
    steps = np.arange(1, reach(40))
    whole = predicted_stop(exact.components(y - jacobian.output), sigma, eta, steps)
    few = expected_stop(
        spectral_measure(jacobian, y - jacobian.output, 40), spectral_density(jacobian, 40, 1), sigma, eta, steps
    )
    assert few.misfit == pytest.approx(whole.misfit, rel=0.1)


@pytest.mark.parametrize("products", [10, 40])
def test_within_reach_powers_are_told(products: int) -> None:
    """What `reach` promises: (1 - x)^(2 t) is integrated to 5 % of one by Gauss quadrature of so many nodes."""
    nodes, masses = np.polynomial.legendre.leggauss(products)
    x, t = (nodes + 1) / 2, reach(products)
    assert (masses / 2 * (1 - x) ** (2 * t)).sum() == pytest.approx(1 / (2 * t + 1), abs=0.05)
    assert 0.5 < math.sqrt(reach(2 * products) / reach(products)) / 2 < 2


def test_coarse_shares() -> None:
    side = 32
    white = np.random.default_rng(0).standard_normal((40, 1, side, side))
    assert coarse_share(white).mean() == pytest.approx((2 / 8) ** 2, rel=0.1)
    place = (np.arange(side) + 0.5) * np.pi / side
    for atom, share in ((3, 1.0), (7, 1.0), (8, 0.0), (20, 0.0)):  # 8 of 32 is a wave of 8 pixels
        wave = np.cos(atom * place)[None, None, None, :] * np.ones((1, 1, side, 1))
        assert coarse_share(wave) == pytest.approx([share], abs=1e-9)


def test_an_impedance_keeps_to_its_time_and_tells() -> None:
    method = DeepDecoder(steps=40, shape=DecoderShape(width=8, scales=1), bfloat16=False)
    told: list[Progress] = []
    found = impedance(method, camera(), 0.1, 0, 2, Options(on_progress=told.append))
    assert len(told) == 4 * 20
    assert list(dict.fromkeys(p.phase for p in told))[1] == f"fitting: {NOISY}"
    curve = found.curves[NOISY]
    assert set(curve.shown) <= set(curve.steps.tolist())
    assert sorted(curve.shown) == list(curve.shown)
    assert [curve.at(step) for step in (0, 1, 2, 3, 40, 99)] == [0, 0, 0, 0, 19, 19]
    with pytest.raises(InputError, match="more seconds"):
        impedance(method, camera(), 0.1, options=Options(seconds=1e-9))
